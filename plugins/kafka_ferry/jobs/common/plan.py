"""The typed plan of a run, from the task that makes it to those that go by it."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from kafka_ferry.core.plan import JobPlan, PlanFile
from kafka_ferry.report.artifacts import PLAN, DamagedArtifact, RunArtifacts
from kafka_ferry.report.upgrade import plan_of

AnyPlan = TypeVar("AnyPlan", bound=PlanFile)


def write_plan(artifacts: RunArtifacts, plan: JobPlan) -> str:
    """Write plan.json. Returns its path, for people."""
    return artifacts.write_json(PLAN, plan.to_json())


def read_plan(artifacts: RunArtifacts, kind: type[AnyPlan]) -> AnyPlan | None:
    """plan.json as far as ``kind`` knows it; None when there is none.

    :raises DamagedArtifact: it is there, and is no such plan.
    """
    found = artifacts.read_json(PLAN)
    if found is None:
        return None
    try:
        return kind.from_json(plan_of(found) if isinstance(found, dict) else found)
    except ValidationError as error:
        raise DamagedArtifact(
            f"{artifacts.path(PLAN)} is no plan of this version. Fix: clear the task plan with its downstream tasks"
        ) from error
