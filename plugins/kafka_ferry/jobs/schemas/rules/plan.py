"""plan.json of ``migrate_schemas``. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import JobPlan, Side
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.schemas.rules.decide import Decision
from kafka_ferry.jobs.schemas.rules.spec import Ids, SchemasSpec
from kafka_ferry.jobs.schemas.rules.state import RegistryState

#: Versions of a subject that are named one by one.
_NAMED = 10


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
    new = decision.to_register
    order = "by references, under the ids and versions they have" if spec.ids is Ids.KEEP else "by references"
    notes = [
        f"{number_of(len(source.versions), 'version')} of {number_of(len(source.subjects), 'subject')} at the source; "
        f"{len(decision.same):,} are at the target, {len(new):,} are registered, {order}",
    ]
    return SchemasPlan(
        planned=now,
        spec=spec.model_dump(mode="json"),
        source=Side(conn_id=spec.source_registry_conn_id),
        target=Side(conn_id=spec.target_registry_conn_id),
        topics=[],
        subjects=len(source.subjects),
        schemas=len(source.versions),
        to_register=len(new),
        changes=changes_of(spec, decision),
        findings=list(findings),
        notes=notes,
    )


def changes_of(spec: SchemasSpec, decision: Decision) -> list[Change]:
    """A line for each subject that gets versions, for each setting, and for what is deleted."""
    versions: dict[str, list[str]] = {}
    for one in decision.to_register:
        as_id = f" as id {one.id}" if spec.ids is Ids.KEEP else ""
        versions.setdefault(one.subject, []).append(f"{one.version}{as_id}{', deleted' if one.deleted else ''}")
    lines = [Change(Action.CREATE, "schemas", subject, _listed(told)) for subject, told in sorted(versions.items())]
    lines += [
        Change(Action.DELETE, "schema", str(step.version), "softly, as at the source")
        for step in decision.steps
        if step.delete and not step.register
    ]
    lines += [
        Change(Action.UPDATE, one.kind, one.subject, f"{one.now or 'none'} -> {one.wanted}")
        for one in decision.settings
    ]
    return lines


def _listed(told: Sequence[str]) -> str:
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"version{'s' if len(told) > 1 else ''} {'; '.join(told[:_NAMED])}{more}"
