"""The sensor: looks before it defers, fails with the reason."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import responses
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from kafka_ferry.exceptions import TransientError
from kafka_ferry.sensors.connect import ConnectorRunningSensor

URL = "http://worker:8083/connectors/c/status"


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "http", "host": "worker", "port": 8083}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_CONNECT", json.dumps(connection))


def status(state: str = "RUNNING", *tasks: str) -> dict[str, Any]:
    listed = [{"id": i, "state": task, "worker_id": "w:1", "trace": "boom"} for i, task in enumerate(tasks)]
    return {"name": "c", "connector": {"state": state, "worker_id": "w:1"}, "tasks": listed}


def sensor(**kwargs: Any) -> ConnectorRunningSensor:
    return ConnectorRunningSensor(task_id="t", **{"connectors": {"c": 1}, "deferrable": True, **kwargs})


@responses.activate
def test_already_running_does_not_defer() -> None:
    responses.get(URL, json=status("RUNNING", "RUNNING"))
    sensor().execute({})
    assert len(responses.calls) == 1


@responses.activate
def test_defers_with_all_the_trigger_needs() -> None:
    responses.get(URL, json=status())
    with pytest.raises(TaskDeferred) as deferred:
        sensor(connectors="c", timeout=60, poke_interval=15).execute({})
    _, kwargs = deferred.value.trigger.serialize()
    assert kwargs["connectors"] == {"c": 1}
    assert kwargs["poll_interval"] == 15
    assert kwargs["end_time"] == pytest.approx(time.time() + 60, abs=5)
    assert deferred.value.method_name == "execute_complete"
    assert not deferred.value.kwargs, "dag.test() drops them"
    assert deferred.value.timeout.total_seconds() > 60, "the trigger's own timeout, which has a reason, comes first"


@responses.activate
def test_a_failed_task_fails_before_deferring() -> None:
    responses.get(URL, json=status("RUNNING", "FAILED"))
    with pytest.raises(AirflowFailException, match="task 0 of connector c is FAILED on worker w:1:\nboom"):
        sensor().execute({})


@responses.activate
def test_a_wrong_login_fails_before_deferring() -> None:
    responses.get(URL, status=403)
    with pytest.raises(AirflowFailException, match="403"):
        sensor().execute({})


@responses.activate
def test_waits_here_when_not_deferrable() -> None:
    responses.get(URL, json=status("RUNNING", "UNASSIGNED"))
    responses.get(URL, json=status("RUNNING", "RUNNING"))
    sensor(deferrable=False, poke_interval=0.01).execute({})
    assert len(responses.calls) == 2


@responses.activate
def test_timeout_here_names_state_and_tasks() -> None:
    responses.get(URL, json=status("RUNNING", "UNASSIGNED"))
    with pytest.raises(AirflowSensorTimeout, match=r"after 0\.05 s: connector c is RUNNING, tasks: 0 UNASSIGNED"):
        sensor(deferrable=False, poke_interval=0.01, timeout=0.05).execute({})


@pytest.mark.parametrize(
    ("event", "raised"),
    [
        ({"status": "failed", "message": "why"}, AirflowFailException),
        ({"status": "timeout", "message": "why"}, AirflowSensorTimeout),
        ({"status": "broken", "message": "why"}, TransientError),
    ],
)
def test_events(event: dict[str, Any], raised: type[Exception]) -> None:
    with pytest.raises(raised, match="why"):
        sensor().execute_complete({}, event)


def test_success_event_and_no_event() -> None:
    sensor().execute_complete({}, {"status": "success", "message": "fine"})
    with pytest.raises(TransientError, match="no event"):
        sensor().execute_complete({}, None)


def test_task_numbers_from_templates_are_text() -> None:
    assert sensor(connectors={"a": "2"}).expected_tasks == {"a": 2}
