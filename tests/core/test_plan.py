"""plan.json as a type: what is written, and how plans of other versions are read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field, ValidationError

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.plan import PLAN_SCHEMA, JobPlan, Kind, Plan, PlannedEngine, PlannedTopic, Side

#: As a migration writes it, as far as this matters here.
WRITTEN: dict[str, Any] = {
    "schema": "kafka-ferry.plan/1",
    "planned": "2026-11-21T08:00:00+00:00",
    "spec": {"migration": "wave-1", "dry_run": True},
    "source": {"conn_id": "kafka_source", "cluster_id": "abc", "brokers": 3},
    "target": {"conn_id": "kafka_target", "cluster_id": "def", "brokers": 3},
    "engine": {"name": "mirror_maker1", "hosts": {"127.0.0.1": "4.3.1"}},
    "topics": [{"source": "a", "target": "a", "partitions": 1, "records": 5, "bytes": 50, "already_there": 0}],
    "records": 5,
    "bytes": 50,
    "groups": {"g": 1},
    "findings": [
        {"severity": "warn", "code": "retention", "subject": "topic a", "what": "expires", "fix": "raise it",
         "param": "topics"},
        {"severity": "advise", "code": "idle", "subject": "group g", "what": "sleeps", "fix": "leave it"},
    ],
    "notes": [],
}  # fmt: skip


class OwnPlan(JobPlan):
    """A job's."""

    mode: str | None = None
    engine: PlannedEngine | None = None
    records: int = 0
    changes: list[Change] = Field(default=[])
    findings: list[Finding] = Field(default=[])


def job_plan(**more: Any) -> OwnPlan:
    return OwnPlan(
        planned="2026-11-21T08:00:00+00:00", spec={"dry_run": False}, source=Side(conn_id="a"), target=Side(),
        topics=[PlannedTopic(source="t", target="t")], **more,
    )  # fmt: skip


def test_what_is_given_is_written_and_nothing_else() -> None:
    finding = Finding(Severity.WARN, "loops", "topic t", "comes back", "leave it out", flows=("A B",))
    plan = job_plan(
        findings=[finding], changes=[Change(Action.CREATE, "topic", "t")], mode=None,
        engine=PlannedEngine(name="mirror_maker1", hosts={"h": "4.3.1"}),
    )  # fmt: skip
    assert plan.to_json() == {
        "schema": "kafka-ferry.plan/1",
        "planned": "2026-11-21T08:00:00+00:00",
        "spec": {"dry_run": False},
        "source": {"conn_id": "a"},
        "target": {},
        "topics": [{"source": "t", "target": "t"}],
        "mode": None,
        "engine": {"name": "mirror_maker1", "hosts": {"h": "4.3.1"}},
        "changes": [{"action": "create", "kind": "topic", "name": "t", "detail": ""}],
        "findings": [finding.to_json()],
    }


def test_what_was_written_is_read_as_it_was() -> None:
    plan = job_plan(findings=[Finding(Severity.WARN, "loops", "topic t", "comes back", "leave it out")], records=3)
    assert OwnPlan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("wrong", [{"connectr": "x"}, {"source": {"con_id": "x"}}, {"topics": [{"source": "a"}]}])
def test_what_no_plan_has_cannot_be_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OwnPlan.model_validate({**job_plan().model_dump(exclude_unset=True), **wrong})
    with pytest.raises(ValidationError):
        job_plan().findings = []  # type: ignore[misc]


def test_the_report_reads_what_it_knows_of_a_plan() -> None:
    plan = Plan.from_json(WRITTEN)
    assert [one.fix for one in plan.findings] == ["raise it", "leave it"]
    assert (plan.schema_, plan.records, plan.dry_run, plan.topics[0].bytes) == (PLAN_SCHEMA, 5, True, 50)


@pytest.mark.parametrize(
    "other", [{**WRITTEN, "schema": "kafka-ferry.plan/2"}, {**WRITTEN, "records": "many"}, [WRITTEN], "x"]
)
def test_what_is_no_plan_of_ours_is_not_read(other: Any) -> None:
    with pytest.raises(ValidationError):
        Plan.from_json(other)


def test_there_is_a_plan_when_something_stands_in_it() -> None:
    assert not Plan().written
    assert not Plan.from_json({"x": 1}).written
    assert Plan.from_json({"records": None}).written


@pytest.mark.parametrize(
    ("has", "kind"),
    [
        ({"records": 1}, Kind.COPY),
        ({}, Kind.COMPARE),
        ({"export_id": None, "records": 0}, Kind.IMPORT),
        ({"export_id": "x", "mode": "full", "records": 0}, Kind.EXPORT),
        ({"connector": "x", "records": 0}, Kind.STREAM),
    ],
)
def test_a_plan_is_known_by_what_it_has(has: dict[str, Any], kind: Kind) -> None:
    assert Plan.from_json(has).kind is kind
