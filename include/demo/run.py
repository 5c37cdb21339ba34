"""One migration from nothing: stack, data, the DAG in a real Airflow, verdict, and everything stopped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from demo import catalogue, display
from demo.airflow_api import FINISHED, AirflowApi, Task
from demo.data import load
from demo.display import ProgressLine

DAG_ID = "mirror_maker2_on_connect"
RUN_ID = "demo"
COPYING = "wait_until_converged"
KAFKA_READY = ("source: ready", "source: runs already")  # lines of the stack's report
DAG_TIMEOUT_S = 90.0  # the DAG processor looks for files every 10 s
POLL_S = 0.5
LOG_TAIL = 40

Load = Callable[..., object]
OpenApi = Callable[[str, str, str], AirflowApi]


class DemoError(Exception):
    """The demo could not be run to its verdict."""


class Stack(Protocol):
    """What the demo needs of ``stack.Stack``."""

    @property
    def source_bootstrap(self) -> str: ...

    def up(self) -> Any: ...

    def down(self, purge: bool = False) -> None: ...

    def variables(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Outcome:
    """What the run proved.

    :param report: report.json; None when the run ended without one.
    :param report_path: where it is kept.
    """

    state: str
    report: dict[str, Any] | None
    report_path: Path

    @property
    def passed(self) -> bool:
        return self.state == "success" and self.report is not None and self.report.get("verdict") == "PASS"


@dataclass
class Demo:
    """The steps in their order; ``clock`` and the callables are there for tests.

    :param scale: share of the data set, see ``demo.data.load``.
    :param run_timeout: seconds that the DAG run may take.
    """

    make_stack: Callable[[Callable[[str], None]], Stack]
    line: ProgressLine
    scale: float = 1.0
    run_timeout: float = 900.0
    load: Load = load
    open_api: OpenApi = AirflowApi
    times: list[tuple[str, float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kafka_ready = threading.Event()
        self._starting_up = False
        self._starting = ""
        self._loading = "data waits for Kafka"
        self.stack = self.make_stack(self._on_stack_line)

    def run(self) -> Outcome:
        """All steps but the stop.

        :raises DemoError: no verdict was reached; the message says why.
        """
        self._start_and_load()
        values = self.stack.variables()
        api = self.open_api(values["FERRY_AIRFLOW_URL"], values["FERRY_AIRFLOW_USER"], values["FERRY_AIRFLOW_PASSWORD"])
        self._timed("DAG found by Airflow", lambda: self._await_dag(api))
        folder = Path(values["FERRY_ARTIFACTS"]) / DAG_ID / RUN_ID
        began = time.monotonic()
        api.trigger(DAG_ID, RUN_ID, self.conf())
        state = self._await_end(api, folder)
        seconds = time.monotonic() - began
        path = folder / "report.json"
        report = json.loads(path.read_text()) if path.exists() else None
        outcome = Outcome(state, report, path)
        self._add_stages(report, seconds)
        if not outcome.passed:
            self._explain(api)
        return outcome

    def conf(self) -> dict[str, Any]:
        """The params of the run: every demo topic by name, every group, a short poll so that one can watch."""
        return {
            "topics": [topic.name for topic in catalogue.topics(self.scale)],
            "groups": [".*"],
            "migration": "demo",
            "poll_interval": 2,
        }

    def stop(self) -> None:
        """Stop everything that was started."""
        self._starting_up = False
        self.line.show("stopping everything")
        self._timed("stop", self.stack.down)

    # --- stack and data -----------------------------------------------------------------------------------------------

    def _start_and_load(self) -> None:
        """Kafka is ready long before Airflow: the data is written in between."""
        failed: list[BaseException] = []
        loader = threading.Thread(target=self._load, args=(failed,), name="demo-data", daemon=True)
        began = time.monotonic()
        loader.start()
        self._starting_up = True
        self._show_start()
        self.stack.up()
        self._starting_up = False
        self._starting = "stack ready"
        self.times.append(("stack start", time.monotonic() - began, ""))
        self._kafka_ready.set()
        while loader.is_alive():
            loader.join(POLL_S)
            self._show_start()
        if failed:
            raise DemoError(f"loading the data failed: {failed[0]}") from failed[0]

    def _load(self, failed: list[BaseException]) -> None:
        self._kafka_ready.wait()
        began = time.monotonic()
        try:
            summary = self.load(self.stack.source_bootstrap, scale=self.scale, say=self._on_data_line)
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            failed.append(error)
        else:
            self._loading = "data written"
            self.line.say(f"Data on the source cluster: {summary}")
            self.times.append(("data", time.monotonic() - began, "beside the start of Airflow"))

    def _on_stack_line(self, text: str) -> None:
        if text.startswith(KAFKA_READY):
            self._kafka_ready.set()
        if self._starting_up:
            self._starting = text
            self._show_start()

    def _on_data_line(self, text: str) -> None:
        self._loading = f"data: {text}"
        self._show_start()

    def _show_start(self) -> None:
        self.line.show("starting", " · ".join(part for part in (self._starting, self._loading) if part))

    # --- the DAG run --------------------------------------------------------------------------------------------------

    def _await_dag(self, api: AirflowApi) -> None:
        deadline = time.monotonic() + DAG_TIMEOUT_S
        while not api.dag_is_known(DAG_ID):
            self.line.show("waiting for Airflow to find the DAG", DAG_ID)
            if time.monotonic() > deadline:
                errors = "\n".join(api.import_errors()) or "no file failed to parse"
                raise DemoError(f"Airflow did not find {DAG_ID} within {DAG_TIMEOUT_S:.0f} s: {errors}")
            time.sleep(POLL_S)

    def _await_end(self, api: AirflowApi, folder: Path) -> str:
        deadline = time.monotonic() + self.run_timeout
        stage = "waiting for the first task"
        while (state := api.state(DAG_ID, RUN_ID)) not in FINISHED:
            stage = display.stage(api.tasks(DAG_ID, RUN_ID)) or stage
            copying = stage.startswith(COPYING)
            self.line.show(stage, display.copied(last_line(folder / "progress.jsonl")) if copying else "")
            if time.monotonic() > deadline:
                raise DemoError(f"the run did not end within {self.run_timeout:.0f} s; it was in: {stage}")
            time.sleep(POLL_S)
        return state

    def _add_stages(self, report: dict[str, Any] | None, seconds: float) -> None:
        timeline = (report or {}).get("timeline", [])
        stages = display.stage_seconds(timeline)
        self.times.append(("DAG run", seconds, "of which:" if stages else ""))
        self.times += [(f"  {name}", spent, "") for name, spent in stages]
        if stages:
            between = display.between_tasks(seconds, timeline)
            self.times.append(("  Airflow", between, "finding, starting and ending tasks"))

    def _explain(self, api: AirflowApi) -> None:
        """Why the run failed: the log's end of each task that failed by itself."""
        failed = [task for task in api.tasks(DAG_ID, RUN_ID) if task.state == "failed"]
        for task in failed[:3]:
            self.line.say(f"\nTask {task.name} failed (try {task.try_number}). End of its log:")
            self._say_log(api, task)

    def _say_log(self, api: AirflowApi, task: Task) -> None:
        for text in api.log(DAG_ID, RUN_ID, task)[-LOG_TAIL:]:
            self.line.say(f"  {text}")

    def _timed(self, name: str, step: Callable[[], None]) -> None:
        began = time.monotonic()
        step()
        self.times.append((name, time.monotonic() - began, ""))


def last_line(path: Path) -> dict[str, Any] | None:
    """The last whole line of a .jsonl file, None when there is none yet."""
    if not path.exists():
        return None
    whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return json.loads(whole[-1]) if whole else None
