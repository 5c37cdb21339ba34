"""The sensor: freezes, looks once, defers with what the trigger needs, and believes only a success."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.migration.live.artifacts import read_frozen
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.tasks.converge import ConvergenceSensor
from kafka_ferry.report.artifacts import FROZEN, PROGRESS, RunArtifacts

PARAMS = {"topics": ["a"], "convergence_timeout": 100}
TP = ("a", 0)


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))


def context() -> Any:
    ti = SimpleNamespace(task_id="wait_until_converged", try_number=1, map_index=-1)
    return {"ti": ti, "dag_run": SimpleNamespace(dag_id="d", run_id="r"), "params": PARAMS}


def system(monkeypatch: pytest.MonkeyPatch, replicated: int, begin: int = 0) -> None:
    ids = {"a": "id"}

    def offsets(partitions: Any, which: str, level: str) -> dict[Partition, int]:
        return dict.fromkeys(partitions, begin if which == "earliest" else 10)

    side = SimpleNamespace(admin=SimpleNamespace(offsets=offsets, topic_ids=lambda names: ids))
    spec = MigrationSpec.from_params(PARAMS)
    topics = SimpleNamespace(partitions=[TP], targets=lambda spec: {"a": "a"})
    progress = SimpleNamespace(check=lambda: None, next_offsets=lambda: {TP: replicated})
    migration = SimpleNamespace(
        spec=spec, source=side, target=side, topics=topics,
        prober=lambda: lambda ranges: set(), record_bytes=lambda begins, ends: {"a": 7.0},
        groups=SimpleNamespace(committed={}),
    )  # fmt: skip
    monkeypatch.setattr("kafka_ferry.jobs.migration.live.migration.migration_of", lambda context, engine: migration)
    engine = SimpleNamespace(progress=lambda: progress)
    monkeypatch.setattr("kafka_ferry.jobs.migration.tasks.convergence_trigger.engine_of", lambda migration: engine)


def sensor() -> ConvergenceSensor:
    return ConvergenceSensor(task_id="wait_until_converged")


def stage_state(ctx: Any) -> Any:
    return (RunArtifacts.of(ctx).read_json("stages/wait_until_converged.json") or {})["state"]


def test_what_is_there_already_needs_no_trigger(monkeypatch: pytest.MonkeyPatch) -> None:
    system(monkeypatch, replicated=10)
    ctx = context()
    assert sensor().execute(ctx) is None
    frozen = read_frozen(RunArtifacts.of(ctx))
    assert (frozen.begins, frozen.ends, frozen.record_bytes) == ({TP: 0}, {TP: 10}, {"a": 7.0})
    assert stage_state(ctx) == "success"


def test_it_defers_with_json_and_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    system(monkeypatch, replicated=4)
    ctx = context()
    with pytest.raises(TaskDeferred) as caught:
        sensor().execute(ctx)
    path, kwargs = caught.value.trigger.serialize()
    assert path.endswith("ConvergenceTrigger")
    assert json.loads(json.dumps(kwargs))["params"] == PARAMS
    assert caught.value.timeout > timedelta(seconds=100)  # the trigger's own deadline comes first
    assert stage_state(ctx) == "deferred"
    assert len(RunArtifacts.of(ctx).read_lines(PROGRESS)) == 1


def test_a_second_try_remembers_where_the_first_began(monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = context()
    RunArtifacts.of(ctx).write_json(FROZEN, Frozen({TP: 0}, {TP: 9}, {"a": "id"}, {"a": "id"}).to_json())
    system(monkeypatch, replicated=4, begin=6)  # 4 and 5 expired between the tries
    with pytest.raises(AirflowFailException, match="offsets 4 to 5 expired"):
        sensor().execute(ctx)
    assert stage_state(ctx) == "failed"


def test_only_a_success_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    system(monkeypatch, replicated=10)
    sensor().execute_complete(context(), {"status": "success", "message": "converged"})
    for event, raised, told in (
        ({"status": "failed", "message": "a-0: lost"}, AirflowFailException, "a-0: lost"),
        ({"status": "timeout", "message": "10 left"}, AirflowFailException, "10 left"),
        ({"status": "broken", "message": "ValueError: x"}, TransientError, "ValueError: x"),
        ({"status": "SUCCESS"}, TransientError, "no event from the trigger"),
        ({}, TransientError, "no event from the trigger"),
        (None, TransientError, "no event from the trigger"),
    ):
        with pytest.raises(raised, match=told):
            sensor().execute_complete(context(), event)
