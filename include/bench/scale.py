"""One migration of many topics through the DAG in a real Airflow: seconds by stage, memory, sizes of what it leaves."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import layout, machine
from bench.figures import megabytes, table
from demo.airflow_api import FINISHED, AirflowApi
from demo.display import between_tasks, stage_seconds
from demo.loader import Loader
from stack import Stack

DAG_ID, RUN_ID = "mirror_maker2_on_connect", "scale"
FILES = ("plan.json", "progress.jsonl", "report.json", "report.html")
TIMEOUT_S = 1800.0
POLL_S = 1.0


class ScaleError(Exception):
    """The run did not end with PASS."""


class ScaleApi(AirflowApi):
    """What of Airflow's REST API is asked here beside the demo's calls."""

    def task_ids(self) -> dict[str, str]:
        """Id of each task instance, which its process carries in its title, to ``task`` or ``task[3]``."""
        found = self._get(f"/api/v2/dags/{DAG_ID}/dagRuns/{RUN_ID}/taskInstances?limit=1000")["task_instances"]
        return {
            line["id"]: line["task_id"] if line["map_index"] < 0 else f"{line['task_id']}[{line['map_index']}]"
            for line in found
        }

    def xcoms(self) -> Iterator[tuple[str, int]]:
        """Every XCom of the run as ``task/key`` and the bytes of its value."""
        run = f"/api/v2/dags/{DAG_ID}/dagRuns/{RUN_ID}/taskInstances"
        for entry in self._get(f"{run}/~/xcomEntries?limit=1000")["xcom_entries"]:
            key, index = entry["key"], entry["map_index"]
            found = self._get(f"{run}/{entry['task_id']}/xcomEntries/{key}?map_index={index}&stringify=false")
            yield f"{entry['task_id']}/{key}", len(json.dumps(found["value"]))


def task_peaks(peaks: Mapping[str, int], task_ids: Mapping[str, str]) -> dict[str, int]:
    """Largest RSS by task, and by kind of process for those that belong to none. Pure.

    :param peaks: as ``PeakMemory`` keeps them.
    """
    result: dict[str, int] = {}
    for key, size in peaks.items():
        name, _, title = key.partition(": ")
        found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", title)
        if found and found[0] in task_ids:
            name = f"task {task_ids[found[0]]}"
        elif "kafka_ferry" in title:
            name = "reader process"
        elif "spawn_main" in title or "resource_tracker" in title:
            name = "child of a task"
        result[name] = max(size, result.get(name, 0))
    return result


def run(make_stack: Callable[[], Stack], topics: int, partitions: int, groups: int, say: Callable[[str], None]) -> str:
    """Stack up, data in, one run of the DAG, stack down; the Markdown to print.

    :raises ScaleError: the run did not end with PASS; its failures are in the text.
    """
    stack = make_stack()
    try:
        stack.up()
        _fill(stack, topics, partitions, groups, say)
        busy = machine.await_quiet(60, say)
        head = (
            f"{machine.describe()}. {topics} topics, {partitions} partitions, "
            f"{partitions * layout.RECORDS_PER_PARTITION} records, {groups} groups; "
            f"cores that others kept busy before it: {busy:.1f}."
        )
        return f"{head}\n\n{_migrate(stack, say)}"
    finally:
        stack.down(purge=True)


def _fill(stack: Stack, count: int, partitions: int, groups: int, say: Callable[[str], None]) -> None:
    source, specs = Loader(stack.source_bootstrap), layout.topics(count, partitions)
    began = time.monotonic()
    for first in range(0, len(specs), 100):  # a controller takes at most 10,000 metadata records in one request
        source.create(specs[first : first + 100])
    for spec in specs:
        source.fill(spec)
    by_name = {spec.name: spec for spec in specs}
    for group in layout.groups(groups, specs):
        source.commit(group, by_name)
    say(f"source: filled in {time.monotonic() - began:.0f} s")


def _migrate(stack: Stack, say: Callable[[str], None]) -> str:
    values = stack.variables()
    api = ScaleApi(values["FERRY_AIRFLOW_URL"], values["FERRY_AIRFLOW_USER"], values["FERRY_AIRFLOW_PASSWORD"])
    while not api.dag_is_known(DAG_ID):
        time.sleep(POLL_S)
    folder = Path(values["FERRY_ARTIFACTS"]) / DAG_ID / RUN_ID
    parents = {name: pid for name in ("airflow-scheduler", "airflow-triggerer") if (pid := stack.service(name).pid)}
    began = time.monotonic()
    with machine.PeakMemory(parents) as memory:
        api.trigger(DAG_ID, RUN_ID, {"topics": [r"scale\..*"], "migration": "scale", "poll_interval": 2})
        state = _await_end(api, began, say)
    seconds = time.monotonic() - began
    report = json.loads((folder / "report.json").read_text()) if (folder / "report.json").exists() else {}
    if state != "success" or report.get("verdict") != "PASS":
        raise ScaleError(f"the run is {state}: {report.get('failures') or _failed_logs(api)}")
    return "\n\n".join(
        [
            _stages(report["timeline"], seconds),
            _memory(task_peaks(memory.peaks, api.task_ids())),
            _sizes(folder, api),
        ]
    )


def _await_end(api: AirflowApi, began: float, say: Callable[[str], None]) -> str:
    said = ""
    while (state := api.state(DAG_ID, RUN_ID)) not in FINISHED:
        if time.monotonic() - began > TIMEOUT_S:
            raise ScaleError(f"the run did not end within {TIMEOUT_S:.0f} s")
        working = ", ".join(task.name for task in api.tasks(DAG_ID, RUN_ID) if task.state in ("running", "deferred"))
        if working and working != said:
            said = working
            say(f"{time.monotonic() - began:5.0f} s  {working}")
        time.sleep(POLL_S)
    return state


def _failed_logs(api: AirflowApi) -> str:
    failed = [task for task in api.tasks(DAG_ID, RUN_ID) if task.state == "failed"]
    return "\n".join(line for task in failed[:2] for line in api.log(DAG_ID, RUN_ID, task)[-30:])


def _stages(timeline: list[dict[str, Any]], seconds: float) -> str:
    rows = [[f"`{name}`", f"{spent:.1f}"] for name, spent in stage_seconds(timeline)]
    rows.append(["Airflow: finding, starting and ending tasks", f"{between_tasks(seconds, timeline):.1f}"])
    return table(["stage", "s"], [*rows, ["**whole run**", f"**{seconds:.0f}**"]])


def _memory(peaks: Mapping[str, int]) -> str:
    ordered = sorted(peaks.items(), key=lambda item: -item[1])
    return table(["process", "peak RSS"], [[name, f"{size / 2**20:.0f} MiB"] for name, size in ordered])


def _sizes(folder: Path, api: ScaleApi) -> str:
    rows = [[name, megabytes((folder / name).stat().st_size)] for name in FILES if (folder / name).exists()]
    whole = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    rows.append(["all artifacts", megabytes(whole)])
    xcoms = sorted(api.xcoms(), key=lambda item: -item[1])
    rows.append([f"XCom, {len(xcoms)} entries", megabytes(sum(size for _, size in xcoms))])
    rows += [[f"XCom `{name}`, largest", megabytes(size)] for name, size in xcoms[:1]]
    logs = {task.name: api.log(DAG_ID, RUN_ID, task) for task in api.tasks(DAG_ID, RUN_ID) if task.state == "success"}
    for name, lines in sorted(logs.items(), key=lambda item: -len(item[1]))[:4]:
        rows.append([f"log of `{name}`", f"{len(lines)} lines, {megabytes(sum(map(len, lines)))}"])
    return table(["what", "size"], rows)
