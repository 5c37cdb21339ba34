"""plan.json of a stream of database changes. Pure."""

from __future__ import annotations

from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import JobPlan, PlannedRole, PlanPart


class SchemaHistory(PlanPart):
    """The topic of the schema history, and whether it is there."""

    topic: str
    exists: bool


class StreamPlan(JobPlan):
    """``topics`` are tables, ``records`` rows by the database's estimate.

    :param schema_changes: the topic of schema changes. ``service_role``: on MSK Connect.
    """

    connector: str
    connector_class: str
    server_id: int
    schema_changes: str
    schema_history: SchemaHistory
    records: int
    bytes: int
    findings: list[Finding]
    notes: list[str]
    service_role: PlannedRole | None = None
