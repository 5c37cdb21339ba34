"""The DAG ``cutover`` in a real Airflow scheduler: a person's answer, and a task that is killed in the window."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from confluent_kafka import Producer

from dag_runs import Runs, fill
from demo.airflow_api import AirflowApi
from group_offsets import commit
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(600)]

QUICK = {"fence": "prove", "proof_seconds": 1, "watch_seconds": 2}


def copied(stack: Stack, name: str) -> str:
    """A topic that is the same on both sides, and a group in the middle of it."""
    for bootstrap in (stack.source_bootstrap, stack.target_bootstrap):
        fill(bootstrap, name, 1_000)
    commit(stack.source_bootstrap, f"{name}-billing", {(name, 0): 300})
    return name


def answer(api: AirflowApi, run_id: str, chosen: str) -> None:
    """As a person in Airflow's "required actions" does, once there is a question."""
    path = f"/api/v2/dags/cutover/dagRuns/{run_id}/taskInstances/approval"
    deadline = time.monotonic() + 240
    while api._get(path)["state"] not in ("awaiting_input", "deferred"):
        assert time.monotonic() < deadline, api.tasks("cutover", run_id)
        time.sleep(0.5)
    # Nobody answers within a second, and Airflow cannot take that: its scheduler hears a moment later that the process
    # which asked has ended, takes the task that runs by then for a lost one, and asks again (seen on 3.3.2).
    time.sleep(3)
    api._call("PATCH", f"{path}/-1/hitlDetails", {"chosen_options": [chosen], "params_input": {}})


@pytest.mark.parametrize("chosen", ["Approve", "Reject"])
def test_a_person_is_asked(airflow_stack: Stack, airflow_api: AirflowApi, chosen: str) -> None:
    runs, topic = Runs(airflow_stack, airflow_api, "cutover"), copied(airflow_stack, f"asked-{chosen.lower()}")
    params: dict[str, Any] = {"topics": [topic], "groups": [f"{topic}-billing"], "migration": topic, "approval": True}
    airflow_api.trigger("cutover", topic, {**QUICK, **params})
    answer(airflow_api, topic, chosen)
    state = runs.wait(topic)
    report = runs.report(topic)
    if chosen == "Approve":
        assert state == "success", report["failures"]
        assert (report["verdict"], report["cutover"]["state"]) == ("PASS", "handed_over")
    else:
        assert state == "failed"
        assert any("was not approved by" in failure for failure in report["failures"]), report["failures"]
        assert (report["cutover"]["state"], report["cutover"]["rolled_back"]) == ("not_begun", False)
        assert (report["cutover"]["wave"], report["cutover"]["applications_on"]) == (topic, "source")
        assert runs.artifact(topic, "cutover.json") is None


def test_a_killed_window_is_begun_again_and_cleared_runs_change_nothing(
    airflow_stack: Stack, airflow_api: AirflowApi
) -> None:
    """It is held open by somebody who writes, as ``fence`` is prove."""
    runs, topic = Runs(airflow_stack, airflow_api, "cutover"), copied(airflow_stack, "killed-window")
    writing = threading.Event()
    writing.set()
    values = iter(range(10**6))

    def write() -> None:
        producers = [Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
                     for bootstrap in (airflow_stack.source_bootstrap, airflow_stack.target_bootstrap)]  # fmt: skip
        while writing.is_set():
            value, now = str(next(values)).encode(), int(time.time() * 1000)
            for producer in producers:  # the source's first, as a replication does
                producer.produce(topic, value, partition=1, timestamp=now)
                producer.flush(30)
            time.sleep(0.2)

    thread = threading.Thread(target=write, daemon=True)
    params: dict[str, Any] = {
        "topics": [topic],
        "migration": topic,
        "groups": [f"{topic}-billing"],
        "fence_timeout": 60,
    }
    airflow_api.trigger("cutover", topic, {**QUICK, **params})
    thread.start()
    try:
        runs.until(topic, lambda: (runs.artifact(topic, "cutover.json") or {}).get("state") == "fenced", 300)
        begun = runs.artifact(topic, "cutover.json")["fenced_at"]
        runs.until(topic, lambda: runs.kill(topic, "window"))
    finally:
        writing.clear()
        thread.join(60)
    assert runs.wait(topic) == "success", (runs.report(topic) or {}).get("failures")
    report = runs.report(topic)
    assert report["cutover"]["fenced_at"] == begun, "the clock went on"
    assert runs.task(topic, "window").state == "success"

    assert runs.clear(topic, "plan") == "success", "the wave is handed over: nothing is done again"
    again = runs.report(topic)
    assert again["cutover"] == report["cutover"]
    assert again["verdict"] == "PASS"
