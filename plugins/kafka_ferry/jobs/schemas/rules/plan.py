"""plan.json of ``migrate_schemas``. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import JobPlan, Side
from kafka_ferry.jobs.registry.rules.changes import changes_of, note_of
from kafka_ferry.jobs.registry.rules.decide import Decision
from kafka_ferry.jobs.registry.rules.state import RegistryState
from kafka_ferry.jobs.schemas.rules.spec import SchemasSpec


class SchemasPlan(JobPlan):
    """
    :param subjects, schemas: how many are looked at; ``to_register``: versions that the target lacks.
    """

    subjects: int
    schemas: int
    to_register: int
    changes: list[Change]
    findings: list[Finding]
    notes: list[str]


def plan_of(
    spec: SchemasSpec, source: RegistryState, decision: Decision, findings: Sequence[Finding], now: str
) -> SchemasPlan:
    """The whole plan."""
    return SchemasPlan(
        planned=now,
        spec=spec.model_dump(mode="json"),
        source=Side(conn_id=spec.source_registry_conn_id),
        target=Side(conn_id=spec.target_registry_conn_id),
        topics=[],
        subjects=len(source.subjects),
        schemas=len(source.versions),
        to_register=len(decision.to_register),
        changes=changes_of(spec.asked, decision),
        findings=list(findings),
        notes=[note_of(spec.asked, source, decision)],
    )
