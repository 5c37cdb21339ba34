"""The plan from the task that makes it to those that go by it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.plan import JobPlan, Plan, PlannedTopic, Side
from kafka_ferry.core.spec import Spec
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.common.plan import PlanningOperator, read_plan, write_plan
from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec
from kafka_ferry.report.artifacts import PLAN, DamagedArtifact, RunArtifacts
from tasks_by_hand import context_of


@pytest.fixture
def artifacts(tmp_path: Path) -> RunArtifacts:
    return RunArtifacts("dag", "run", str(tmp_path))


def test_a_plan_is_read_as_it_was_written(artifacts: RunArtifacts) -> None:
    assert read_plan(artifacts, Plan) is None
    plan = JobPlan(planned="now", spec={}, source=Side(), target=Side(), topics=[PlannedTopic(source="a", target="b")])
    assert write_plan(artifacts, plan) == artifacts.path(PLAN)
    assert read_plan(artifacts, JobPlan) == plan


@pytest.mark.parametrize("other", [{"schema": "kafka-ferry.plan/2"}, {"records": 1}, [1]])
def test_what_is_no_such_plan_says_what_to_clear(artifacts: RunArtifacts, other: object) -> None:
    artifacts.write_json(PLAN, other)
    with pytest.raises(DamagedArtifact, match=r"plan\.json is not a plan of this version\. Fix: clear the task plan"):
        read_plan(artifacts, JobPlan)


@pytest.mark.parametrize(
    ("kind", "params", "told"),
    [
        (BackupSpec, {"backup": "nightly"}, [("backup", "nightly")]),
        (ConnectionsSpec, {}, [("ask", "")]),
        (Spec, {}, []),
    ],
)
def test_a_plan_tells_what_its_run_is_of_where_it_is_of_something(
    kind: type[Spec], params: dict[str, Any], told: list[tuple[str, str]]
) -> None:
    pushed: list[dict[str, Any]] = []
    run = SimpleNamespace(dag_id="d", run_id="r", conf=params)
    context = context_of(run, {}, "plan", xcom_push=lambda key, value: pushed.append(value))
    assert isinstance(PlanningOperator.asked(context, kind), kind)
    assert [(one["kind"], one["name"]) for one in pushed] == told
