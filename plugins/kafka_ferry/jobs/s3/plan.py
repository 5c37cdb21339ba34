"""plan.json of exports to S3 and imports from there. Pure."""

from __future__ import annotations

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import JobPlan, PlannedEngine


class AnyExportPlan(JobPlan):
    """
    :param parent: the export that this one goes on from.
    """

    export_id: str
    mode: str
    parent: str | None
    records: int
    bytes: int
    notes: list[str]


class ExportPlan(AnyExportPlan):
    """Of an export by the engine."""


class ConnectorExportPlan(AnyExportPlan):
    """Of an export by a connector, whose manifests have ids of their own.

    :param findings: what gets lost with it.
    :param engine: where the connector runs, and its config without secrets.
    """

    changes: list[Change]
    findings: list[Finding]
    engine: PlannedEngine


class AnyImportPlan(JobPlan):
    """
    :param export_id: None while there is no export yet.
    """

    export_id: str | None
    changes: list[Change]
    findings: list[Finding]
    records: int
    bytes: int
    notes: list[str]


class ImportPlan(AnyImportPlan):
    """Of an import by the engine."""


class ConnectorImportPlan(AnyImportPlan):
    """Of an import by a connector.

    :param engine: as of an export.
    """

    engine: PlannedEngine
