"""The trigger: one event, never an exception, nothing but JSON in its arguments."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import responses

from kafka_ferry.hooks.connect.hook import ConnectorStatus, Readiness, Verdict
from kafka_ferry.hooks.connect.states import readiness, worst
from kafka_ferry.triggers.connect import ConnectorRunningTrigger

URL = "http://worker:8083"


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "http", "host": "worker", "port": 8083}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_CONNECT", json.dumps(connection))


def trigger(seconds: float = 0.2, **connectors: int) -> ConnectorRunningTrigger:
    return ConnectorRunningTrigger(connectors or {"c": 1}, "kafka_connect", time.time() + seconds, 0.02)


def event(one: ConnectorRunningTrigger) -> dict[str, Any]:
    async def all_events() -> list[Any]:
        return [found async for found in one.run()]

    (only,) = asyncio.run(all_events())
    return dict(only.payload)


def status(state: str = "RUNNING", *tasks: str, name: str = "c") -> dict[str, Any]:
    listed = [{"id": i, "state": task, "worker_id": "w:1", "trace": f"boom {i}"} for i, task in enumerate(tasks)]
    return {"name": name, "connector": {"state": state, "worker_id": "w:1", "trace": "crash"}, "tasks": listed}


def test_serialize_round_trip() -> None:
    path, kwargs = trigger(a=2).serialize()
    assert path == f"{ConnectorRunningTrigger.__module__}.{ConnectorRunningTrigger.__qualname__}"
    assert ConnectorRunningTrigger(**json.loads(json.dumps(kwargs))).serialize() == (path, kwargs)


@responses.activate
def test_success_after_not_found_starting_and_an_absent_worker() -> None:
    responses.get(f"{URL}/connectors/c/status", status=404, json={"message": "No status found for connector c"})
    responses.get(f"{URL}/connectors/c/status", json=status())
    responses.get(f"{URL}/connectors/c/status", status=409, json={"message": "rebalance"})
    responses.get(f"{URL}/connectors/c/status", json=status("RUNNING", "UNASSIGNED"))
    responses.get(f"{URL}/connectors/c/status", json=status("RUNNING", "RUNNING"))
    assert event(trigger(seconds=30))["status"] == "success"
    assert len(responses.calls) == 5


@responses.activate
def test_failed_task_at_once_with_its_trace() -> None:
    responses.get(f"{URL}/connectors/a/status", json=status(name="a"))
    responses.get(f"{URL}/connectors/b/status", json=status("RUNNING", "RUNNING", "FAILED", name="b"))
    found = event(trigger(seconds=30, a=1, b=2))
    assert found["status"] == "failed"
    assert found["message"] == "task 1 of connector b is FAILED on worker w:1:\nboom 1"
    assert found["connectors"] == ["a", "b"]


@responses.activate
def test_timeout_says_why_no_tasks_is_not_running() -> None:
    responses.get(f"{URL}/connectors/c/status", json=status())
    found = event(trigger())
    assert found["status"] == "timeout"
    assert "connector c is RUNNING, tasks: none" in found["message"]
    assert "wrong password" in found["message"]


@responses.activate
def test_a_wrong_login_is_not_waited_for() -> None:
    responses.get(f"{URL}/connectors/c/status", status=401, body="who?")
    found = event(trigger(seconds=30))
    assert (found["status"], len(responses.calls)) == ("failed", 1)
    assert "401" in found["message"]


@responses.activate
def test_a_worker_that_stays_away_is_named_at_the_end() -> None:
    responses.get(f"{URL}/connectors/c/status", status=503, json={"message": "starting up"})
    found = event(trigger())
    assert found["status"] == "timeout"
    assert "503: starting up" in found["message"]


def test_a_bug_becomes_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kafka_ferry.triggers.connect.poll", lambda *_: 1 / 0)
    found = event(trigger())
    assert found["status"] == "broken"
    assert "ZeroDivisionError" in found["message"]


@responses.activate
def test_only_transitions_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    responses.get(f"{URL}/connectors/c/status", json=status("RUNNING", "UNASSIGNED"))
    event(trigger())
    assert len(responses.calls) > 2
    assert capsys.readouterr().out.count("0 UNASSIGNED") == 1


@pytest.mark.parametrize(
    ("body", "expected", "verdict", "words"),
    [
        (None, 1, Verdict.WAITING, "404"),
        (status("FAILED"), 1, Verdict.FAILED, "connector c is FAILED:\ncrash"),
        (status("RUNNING", "RUNNING"), 2, Verdict.WAITING, "1 of at least 2"),
        (status("RUNNING", "RUNNING", "RUNNING", "RUNNING"), 2, Verdict.RUNNING, "2 RUNNING"),
        (status("RUNNING", "RUNNING", "RESTARTING"), 1, Verdict.WAITING, "1 RESTARTING"),
        (status("PAUSED", "PAUSED"), 1, Verdict.WAITING, "resume"),
        (status("STOPPED"), 1, Verdict.WAITING, "resume"),
        (status("UNASSIGNED", "RUNNING"), 1, Verdict.WAITING, "is UNASSIGNED"),
    ],
)
def test_readiness(body: dict[str, Any] | None, expected: int, verdict: Verdict, words: str) -> None:
    found = readiness("c", None if body is None else ConnectorStatus.from_json(body), expected)
    assert found.verdict is verdict
    assert words in found.reason


def test_the_worst_verdict_wins_and_speaks() -> None:
    run, wait, fail = (
        Readiness(verdict, verdict.value) for verdict in (Verdict.RUNNING, Verdict.WAITING, Verdict.FAILED)
    )
    assert worst([run, wait]) == wait
    assert worst([wait, fail, run]) == fail
    assert worst([run]) == run
