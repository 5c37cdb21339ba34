"""A report of any size, what its task costs, and what a request for it costs the process that answers.

``python report_size.py write ROOT TOPICS GROUPS`` writes one as its task does, with a line for each group and topic;
``python report_size.py ask ROOT ADDRESS…`` answers requests as the API server does, without its database. Both print
JSON: seconds of CPU, and the peak of resident memory in MiB before and after.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import report_samples as samples
from kafka_ferry.core.checks import Check, Report, Status
from kafka_ferry.report.artifacts import PLAN, PROGRESS, REPORT, RunArtifacts
from kafka_ferry.report.page import write_page
from kafka_ferry.report.pages import write_pages

PATH = f"/report/{samples.DAG}/{samples.RUN}"
PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


def report(topics: int, groups: int) -> Report:
    """Each group has a commit in each topic; one topic has lost a record, one group skips."""
    lines = [samples.topic(f"team-{i % 40}.orders-{i:04}", 997 * (i % 89)) for i in range(topics)]
    lines[-3] = samples.topic(
        lines[-3].source, 1000, target_records=999, lost=1, status=Status.FAIL, detail="lost: 417"
    )
    offsets = [
        samples.group(
            f"billing-{g:03}", 0, topic=line.source, source_offset=900 + g, target_offset=900 + g,
            expected_offset=900 + g,
        )
        for g in range(groups)
        for line in lines
    ]  # fmt: skip
    offsets[-7] = offsets[-7].model_copy(update={"status": Status.FAIL, "target_offset": 999_999, "detail": "skips 7"})
    made = [
        Check(name="content", status=Status.FAIL, differences=[f"{line.source}-0: offset 1" for line in lines]),
        Check(name="group_offsets", status=Status.FAIL, actual=f"{len(offsets) - 1:,} exact", differences=["skips 7"]),
    ]
    return samples.report(lines, offsets, made, verdict="FAIL")


def write(root: str, topics: int, groups: int) -> dict[str, Any]:
    """All that the task writes."""
    artifacts = RunArtifacts(samples.DAG, samples.RUN, root)
    artifacts.write_json(PLAN, samples.PLAN)
    for line in samples.progress(40):
        artifacts.append_line(PROGRESS, line)
    made = report(topics, groups)
    began, before = time.process_time(), peak()
    path = artifacts.write_blocks(REPORT, made.blocks())
    write_page(artifacts, made)
    summary = made.summary(path) | {"pages": write_pages(artifacts, made)}
    cost = {"seconds": time.process_time() - began, "before": before, "peak": peak()}
    artifacts.write_json("xcom.json", summary)
    return cost | {"bytes": artifacts.size(REPORT), "page": artifacts.size("report.html")}


def ask(root: str, addresses: list[str]) -> list[dict[str, Any]]:
    """Each address three times: the least CPU time of them, the peak after all."""
    from kafka_ferry.report.app import _ALLOWED, Known, app, find_run

    artifacts = RunArtifacts(samples.DAG, samples.RUN, root)
    summary = artifacts.read_json("xcom.json")
    guard = _ALLOWED[0].dependency
    assert guard
    app.dependency_overrides = {
        find_run: lambda dag_id, run_id: Known(artifacts, "failed", summary, {}),
        guard: lambda: None,
    }
    asyncio.run(_asked(app, "/static/page.css"))
    costs = []
    for address in addresses:
        before = peak()
        tries = [asyncio.run(_asked(app, address)) for _ in range(3)]
        costs.append(
            {
                "address": address, "status": tries[0][0], "bytes": tries[0][1],
                "seconds": min(seconds for _, _, seconds in tries), "before": before, "peak": peak(),
            }
        )  # fmt: skip
    return costs


async def _asked(app: Any, address: str) -> tuple[int, int, float]:
    """Status, bytes and seconds of CPU of one request; the answer is dropped as it comes."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "scheme": "http", "headers": [],
        "server": ("ferry.test", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    status, size, began = 0, 0, time.process_time()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, size
        status = message.get("status", status)
        size += len(message.get("body", b""))

    await app(scope, receive, send)
    return status, size, time.process_time() - began


def peak() -> float:
    """Of this process, in MiB. Not ru_maxrss, which begins with that of the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def in_process(*words: str) -> Any:
    """Run this file in a process of its own."""
    import subprocess

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PLUGINS), str(Path(__file__).parent)])}
    done = subprocess.run(
        [sys.executable, "-B", __file__, *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    found = write(sys.argv[2], *map(int, sys.argv[3:])) if sys.argv[1] == "write" else ask(sys.argv[2], sys.argv[3:])
    print(json.dumps(found))
