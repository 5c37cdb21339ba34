"""plan.json of exports to S3 and imports from there. Pure."""

from __future__ import annotations

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import JobPlan


class ExportPlan(JobPlan):
    """
    :param parent: the export that this one goes on from.
    """

    export_id: str
    mode: str
    parent: str | None
    records: int
    bytes: int
    notes: list[str]


class ImportPlan(JobPlan):
    """
    :param export_id: None while there is no export yet.
    """

    export_id: str | None
    changes: list[Change]
    findings: list[Finding]
    records: int
    bytes: int
    notes: list[str]
