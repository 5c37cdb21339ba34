"""The sensor deploys, looks once, and waits outside a worker slot for what the trigger then says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.tasks.running_trigger import EngineRunningTrigger
from kafka_ferry.jobs.migration.tasks.wait_until_running import MigrationRunningSensor

PARAMS = {"topics": ["a"], "poll_interval": 0.5, "running_timeout": 5}
RUNS, WAITS = Readiness(Verdict.RUNNING, "it runs"), Readiness(Verdict.WAITING, "no tasks yet")
FAILS = Readiness(Verdict.FAILED, "task 0 is FAILED")


NOTED: list[Any] = []


class FakeEngine:
    def __init__(self, *states: Readiness | Exception) -> None:
        self.states, self.deployed, self.ended = list(states), 0, ""
        self.restarted = 0

    def deploy(self) -> None:
        assert NOTED, "others see it before anything of it is there"
        self.deployed += 1

    def restart_ended(self) -> str:
        self.restarted += bool(self.ended)
        return self.ended

    def readiness(self) -> Readiness:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    migration = SimpleNamespace(spec=MigrationSpec.from_params(PARAMS))
    monkeypatch.setattr("kafka_ferry.jobs.migration.live.migration.migration_of", lambda context, engine: migration)
    monkeypatch.setattr("kafka_ferry.jobs.common.run_lock.acquire_lock", lambda context, *names: None)
    monkeypatch.setattr("kafka_ferry.jobs.migration.live.shared_names.migration_names", lambda migration: [])
    monkeypatch.setattr("kafka_ferry.jobs.migration.live.flows.Flows.note", lambda self: NOTED.append(self))
    NOTED.clear()
    yield


def execute(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> None:
    monkeypatch.setattr("kafka_ferry.jobs.migration.engines.registry.engine_of", lambda migration: engine)
    ti = SimpleNamespace(task_id="wait_until_running", try_number=1, map_index=-1)
    context: Any = {"ti": ti, "dag_run": SimpleNamespace(dag_id="d", run_id="r"), "params": PARAMS}
    MigrationRunningSensor(task_id="wait_until_running").execute(context)


def event(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, seconds: float = 5) -> dict[str, Any]:
    monkeypatch.setattr("kafka_ferry.jobs.migration.tasks.running_trigger.engine_of", lambda migration: engine)
    trigger = EngineRunningTrigger(
        engine="mirror_maker2_on_connect", dag_id="d", params=PARAMS, end_time=time.time() + seconds, poll_interval=0.01
    )

    async def all_events() -> list[Any]:
        return [found async for found in trigger.run()]

    (only,) = asyncio.run(all_events())
    return dict(only.payload)


def test_all_looks_are_at_one_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each would list and describe all topics and groups again, by clients of its own."""
    seen: list[Any] = []
    engine = FakeEngine(WAITS, TransientError("away"), WAITS, RUNS)
    monkeypatch.setattr(
        "kafka_ferry.jobs.migration.tasks.running_trigger.engine_of", lambda migration: seen.append(migration) or engine
    )
    trigger = EngineRunningTrigger(
        engine="mirror_maker2_on_connect", dag_id="d", params=PARAMS, end_time=time.time() + 5, poll_interval=0.01
    )
    for _ in range(4):
        trigger.look()
    assert len(seen) == 4
    assert len(set(map(id, seen))) == 1


def test_what_runs_at_once_needs_no_trigger_but_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(RUNS)
    execute(monkeypatch, engine)
    assert engine.deployed == 1


def test_what_failed_fails_at_once_without_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowFailException, match="task 0 is FAILED"):
        execute(monkeypatch, FakeEngine(FAILS))


def test_it_defers_with_nothing_but_json(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TaskDeferred) as caught:
        execute(monkeypatch, FakeEngine(WAITS))
    path, kwargs = caught.value.trigger.serialize()
    assert path == "kafka_ferry.jobs.migration.tasks.running_trigger.EngineRunningTrigger"
    assert EngineRunningTrigger(**json.loads(json.dumps(kwargs))).serialize() == (path, kwargs)
    assert caught.value.timeout.total_seconds() > PARAMS["running_timeout"]  # type: ignore[operator]


def test_the_trigger_waits_for_success_over_a_worker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    told = event(monkeypatch, FakeEngine(WAITS, TransientError("worker unavailable"), RUNS))
    assert told == {"status": "success", "message": "it runs"}


def test_what_ended_by_itself_is_started_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(WAITS, WAITS, RUNS)
    engine.ended = "process 7 has ended"
    assert event(monkeypatch, engine) == {"status": "success", "message": "it runs"}
    assert engine.restarted == 2

    engine = FakeEngine(WAITS)
    engine.ended = "process 7 has ended"
    told = event(monkeypatch, engine)
    assert told["status"] == "failed"
    assert "restarted 5 times, and it ended again: process 7 has ended" in told["message"]


@pytest.mark.parametrize(
    ("last", "status", "words"),
    [
        (FAILS, "failed", "task 0 is FAILED"),
        (BadConnection("wrong password"), "failed", "wrong password"),
        (ValueError("a bug"), "broken", "ValueError: a bug"),
    ],
)
def test_each_end_is_an_event(
    monkeypatch: pytest.MonkeyPatch, last: Readiness | Exception, status: str, words: str
) -> None:
    told = event(monkeypatch, FakeEngine(WAITS, last))
    assert told["status"] == status
    assert words in told["message"]


def test_the_time_is_over_with_the_last_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    told = event(monkeypatch, FakeEngine(WAITS), seconds=-1)
    assert told["status"] == "timeout"
    assert "running_timeout" in told["message"]
    assert "no tasks yet" in told["message"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("failed", AirflowFailException),
        ("timeout", AirflowFailException),
        ("broken", TransientError),
        (None, TransientError),
    ],
)
def test_only_a_success_is_believed(status: str | None, error: type[Exception]) -> None:
    ti = SimpleNamespace(task_id="wait_until_running", try_number=1, map_index=-1)
    context: Any = {"ti": ti, "dag_run": SimpleNamespace(dag_id="d", run_id="r"), "params": PARAMS}
    sensor = MigrationRunningSensor(task_id="wait_until_running")
    with pytest.raises(error, match=r"why|no event"):
        sensor.execute_complete(context, {"status": status, "message": "why"} if status else None)
    sensor.execute_complete(context, {"status": "success", "message": "it runs"})
