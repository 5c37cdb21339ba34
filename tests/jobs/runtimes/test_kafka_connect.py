"""Connectors by the REST API: what is done in which order, and what a state means."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import (
    ConnectorState,
    ConnectorStatus,
    PluginInfo,
    Readiness,
    ValidationResult,
    Verdict,
    WorkerInfo,
)
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime

CONFIGS = {"a": {"connector.class": "x"}, "b": {"connector.class": "y"}}
KEPT = [{"partition": {"topic": "t"}, "offset": {"offset": 7}}]
MOVED = [{"partition": {"topic": "t"}, "offset": {"offset": 9}}]


class Connect:
    """A Connect cluster that notes what it is told."""

    def __init__(self, **states: ConnectorState) -> None:
        self.states = dict(states)
        self.verdicts: dict[str, Verdict] = {}
        self.done: list[str] = []

    def find_config(self, name: str) -> dict[str, str] | None:
        return CONFIGS[name] if name in self.states else None

    def connectors(self) -> list[str]:
        return list(self.states)

    def validate(self, config: Any) -> ValidationResult:
        return ValidationResult("x", {})

    def status(self, name: str) -> ConnectorStatus:
        return ConnectorStatus(name, self.states[name])

    def create(self, name: str, config: Any, *, initial_state: ConnectorState) -> None:
        self.states[name] = initial_state
        self.done.append(f"create {name} {initial_state}")

    def readiness(self, name: str, expected_tasks: int = 1) -> Readiness:
        return Readiness(self.verdicts.get(name, Verdict.RUNNING), f"{name} with {expected_tasks}")

    def offsets(self, name: str) -> Any:
        return KEPT

    def alter_offsets(self, name: str, offsets: Any) -> None:
        assert self.states[name] is ConnectorState.STOPPED
        self.done.append(f"alter {name} {offsets[0]['offset']['offset']}")

    def stop(self, name: str) -> None:
        self.states[name] = ConnectorState.STOPPED
        self.done.append(f"stop {name}")

    def __getattr__(self, verb: str) -> Any:
        def note(name: str, *_: Any, **__: Any) -> list[str]:
            self.done.append(f"{verb} {name}")
            return []

        return note


def runtime(connect: Connect) -> KafkaConnectRuntime:
    return KafkaConnectRuntime(connect)  # type: ignore[arg-type]


def moved(kept: Any) -> Any:
    assert kept == KEPT
    return MOVED


def test_what_is_not_there_or_stopped_has_to_begin() -> None:
    connect = Connect(b=ConnectorState.STOPPED, c=ConnectorState.PAUSED, d=ConnectorState.FAILED)
    CONFIGS.update(c={}, d={})
    assert runtime(connect).make_way("abcd") == {"a", "b"}
    assert connect.done == []


def test_offsets_are_set_between_create_and_resume() -> None:
    connect = Connect()
    runtime(connect).deploy({"a": CONFIGS["a"], "b": CONFIGS["b"]}, {"a": moved})
    assert connect.done == ["create a STOPPED", "alter a 9", "resume a", "create b STOPPED", "resume b"]


def test_one_that_runs_is_stopped_for_it() -> None:
    connect = Connect(a=ConnectorState.RUNNING)
    runtime(connect).deploy({"a": CONFIGS["a"]}, {"a": moved})
    assert connect.done == ["stop a", "apply a", "alter a 9", "resume a"]


@pytest.mark.parametrize(("there", "left"), [(False, ["create a STOPPED", "delete a"]), (True, ["apply a"])])
def test_a_refusal_takes_away_only_what_was_made_for_it(there: bool, left: list[str]) -> None:
    def refuse(kept: Any) -> Any:
        raise BadParam("history_topic", "is stale", "another")

    connect = Connect(**({"a": ConnectorState.STOPPED} if there else {}))
    with pytest.raises(BadParam, match="is stale"):
        runtime(connect).deploy({"a": CONFIGS["a"]}, {"a": refuse})
    assert connect.done == left


@pytest.mark.parametrize(("restart", "done"), [(False, ["apply a"]), (True, ["apply a", "restart a"])])
def test_what_failed_is_restarted_only_when_it_is_asked_for(restart: bool, done: list[str]) -> None:
    connect = Connect(a=ConnectorState.RUNNING)
    connect.verdicts["a"] = Verdict.FAILED
    runtime(connect).deploy({"a": CONFIGS["a"]}, {}, restart_failed=restart)
    assert connect.done == done


def test_a_connector_that_something_deleted_is_named_with_who_may_have_done_it() -> None:
    connect = Connect(a=ConnectorState.RUNNING)
    assert runtime(connect).problem("a") == ""
    problem = runtime(connect).problem("ab")
    assert problem.startswith("connector b is gone")
    assert "strimzi.io/use-connector-resources" in problem
    connect.verdicts.update(b=Verdict.WAITING)
    assert runtime(connect).readiness("ab") == Readiness(Verdict.WAITING, problem)


def test_only_a_failure_is_a_problem() -> None:
    connect = Connect(a=ConnectorState.RUNNING, b=ConnectorState.RUNNING)
    connect.verdicts.update(a=Verdict.WAITING)
    assert runtime(connect).problem("ab") == ""
    connect.verdicts.update(b=Verdict.FAILED)
    assert runtime(connect).problem("ab") == "b with 0"


def test_readiness_is_the_worst_with_each_ones_own_number_of_tasks() -> None:
    connect = Connect(a=ConnectorState.RUNNING, b=ConnectorState.RUNNING)
    found = runtime(connect).readiness("ab", lambda name: {"a": 3, "b": 1}[name])
    assert found == Readiness(Verdict.RUNNING, "a with 3\nb with 1")
    connect.verdicts.update(b=Verdict.WAITING)
    assert runtime(connect).readiness("ab") == Readiness(Verdict.WAITING, "b with 1")


def test_what_is_paused_goes_on_and_what_is_stopped_stays_so() -> None:
    connect = Connect(a=ConnectorState.RUNNING, b=ConnectorState.STOPPED)
    runtime(connect).pause("ab")
    assert connect.done == ["pause a"], "a pause would give tasks to one that is stopped"
    runtime(connect).resume("a")
    assert connect.done == ["pause a", "resume a"]


def test_a_sink_may_be_on_workers_of_any_cluster() -> None:
    connect = Connect()
    told = {"plugins": lambda: [PluginInfo("x", "sink", "1")], "info": lambda: WorkerInfo("4.3.1", "", "ours")}
    connect.__dict__.update(told)
    runtime(connect).check("x", None, "x.zip")
    runtime(connect).check("x", "ours", "x.zip")
    with pytest.raises(BadParam, match="the workers write into cluster ours, not into theirs"):
        runtime(connect).check("x", "theirs", "x.zip")
