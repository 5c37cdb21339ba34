"""When a stream's connector may run, by what Connect and the schema history hold."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import InvalidConnectorConfig
from kafka_ferry.hooks.connect.states import (
    ConnectorState,
    ConnectorStatus,
    PluginInfo,
    Readiness,
    ValidationResult,
    Verdict,
    WorkerInfo,
)
from kafka_ferry.jobs.cdc.live.connector import Progress, StreamConnector
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime

CONFIG = {"connector.class": "x", "schema.history.internal.kafka.topic": "h"}
OFFSET = {"partition": {"server": "p"}, "offset": {"file": "binlog.000002", "pos": 7}}


class Connect:
    """A Connect cluster with at most one connector."""

    def __init__(self, state: ConnectorState | None = None, offsets: Any = (), errors: Any = ()) -> None:
        self.state, self.stored, self.errors = state, list(offsets), dict(errors)
        self.done: list[str] = []
        self.changes: list[str] = []
        self.ready = Readiness(Verdict.RUNNING, "")

    def find_config(self, name: str) -> dict[str, str] | None:
        return CONFIG if self.state else None

    def validate(self, config: Any) -> ValidationResult:
        return ValidationResult("x", self.errors)

    def create(self, name: str, config: Any, *, initial_state: ConnectorState) -> None:
        self.state = initial_state
        self.done.append(f"create {initial_state}")

    def apply(self, name: str, config: Any) -> list[str]:
        self.done.append("apply")
        return self.changes

    def status(self, name: str) -> ConnectorStatus:
        assert self.state
        return ConnectorStatus(name, self.state)

    def readiness(self, name: str) -> Readiness:
        return self.ready

    def offsets(self, name: str) -> list[Any]:
        return self.stored

    def resume(self, name: str) -> None:
        self.done.append("resume")

    def restart(self, name: str, *, only_failed: bool) -> None:
        self.done.append(f"restart {only_failed}")

    def delete(self, name: str, *, reset_offsets: bool = False) -> bool:
        self.done.append(f"delete {reset_offsets}")
        there, self.state = self.state is not None, None
        return there

    def plugins(self) -> list[PluginInfo]:
        return [PluginInfo("x", "source")]

    def info(self) -> WorkerInfo:
        return WorkerInfo("4.3.1", "", "cluster-1")


def runtime_of(connect: Connect) -> StreamConnector:
    return StreamConnector("dag.orders", KafkaConnectRuntime(connect))  # type: ignore[arg-type]


def test_a_new_connector_is_asked_for_its_position_before_it_runs() -> None:
    connect = Connect()

    assert runtime_of(connect).deploy(CONFIG, has_history=False) is False
    assert connect.done == ["create STOPPED", "resume"]


def test_a_position_that_was_kept_is_gone_on_from() -> None:
    assert runtime_of(Connect(offsets=[OFFSET])).deploy(CONFIG, has_history=True) is True


@pytest.mark.parametrize(
    ("offsets", "history", "problem"), [((), True, "h is stale"), ((OFFSET,), False, "h is empty")]
)
def test_a_history_and_a_position_of_two_lives_are_refused_and_nothing_is_left(
    offsets: Any, history: bool, problem: str
) -> None:
    connect = Connect(offsets=offsets)

    with pytest.raises(BadParam, match=problem):
        runtime_of(connect).deploy(CONFIG, has_history=history)
    assert connect.done == ["create STOPPED", "delete False"]


def test_a_stopped_connector_of_somebody_is_not_deleted_when_it_is_refused() -> None:
    connect = Connect(ConnectorState.STOPPED, offsets=[OFFSET])

    with pytest.raises(BadParam):
        runtime_of(connect).deploy(CONFIG, has_history=False)
    assert connect.done == ["apply"]


def test_a_config_that_debezium_refuses_is_never_created() -> None:
    connect = Connect(errors={"database.hostname": ("cannot connect",)})

    with pytest.raises(InvalidConnectorConfig, match="database\\.hostname: cannot connect"):
        runtime_of(connect).deploy(CONFIG, has_history=False)
    assert connect.done == []


@pytest.mark.parametrize(
    ("state", "ready", "changes", "done"),
    [
        (ConnectorState.RUNNING, Verdict.RUNNING, [], ["apply"]),
        (ConnectorState.PAUSED, Verdict.WAITING, [], ["apply", "resume"]),
        (ConnectorState.RUNNING, Verdict.FAILED, [], ["apply", "restart True"]),
        (ConnectorState.RUNNING, Verdict.FAILED, ["a change restarts it"], ["apply"]),
    ],
)
def test_a_connector_that_is_there_is_adopted(state: Any, ready: Any, changes: Any, done: list[str]) -> None:
    connect = Connect(state)
    connect.ready, connect.changes = Readiness(ready, ""), changes

    assert runtime_of(connect).deploy(CONFIG, has_history=True) is True
    assert connect.done == done


def test_workers_without_the_plugin_or_of_another_cluster_are_refused() -> None:
    runtime = runtime_of(Connect()).runtime

    runtime.check("x", "cluster-1", "the archive")
    with pytest.raises(BadParam, match="the workers do not have y"):
        runtime.check("y", "cluster-1", "the archive")
    with pytest.raises(BadParam, match="write into cluster cluster-1, not into cluster-2"):
        runtime.check("x", "cluster-2", "the archive")


def test_only_forgetting_takes_the_position_away() -> None:
    connect = Connect(ConnectorState.RUNNING)

    assert runtime_of(connect).remove(forget=False) == ["connector dag.orders"]
    assert runtime_of(connect).remove(forget=True) == []
    assert connect.done == ["delete False", "delete True"]


@pytest.mark.parametrize(
    ("offset", "progress"),
    [
        ({}, Progress()),
        ({"file": "b.000002", "pos": 7}, Progress(Position(2, 7))),
        ({"file": "b.000002", "pos": 7, "snapshot": "INITIAL"}, Progress(Position(2, 7), in_snapshot=True)),
        ({"file": "b.000002", "pos": 7, "snapshot": True, "snapshot_completed": True}, Progress(Position(2, 7))),
    ],
)
def test_progress_is_what_was_committed(offset: dict[str, Any], progress: Progress) -> None:
    assert Progress.of(offset) == progress
    if offset:
        assert runtime_of(Connect(offsets=[{"partition": {}, "offset": offset}])).progress() == progress
