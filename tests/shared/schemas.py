"""What our JSON files look like, kept for each of their versions under ``tests/report/schemas``.

``make schemas`` keeps what is not kept yet. What is kept is never written again: files of that version are out there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kafka_ferry.core.checks import SCHEMA as REPORT_SCHEMA
from kafka_ferry.core.checks import Report
from kafka_ferry.core.plan import PLAN_SCHEMA, JobPlan
from kafka_ferry.jobs.backup.rules.plan import BackupPlan, RestorePlan, VerifyPlan
from kafka_ferry.jobs.cdc.rules.plan import StreamPlan
from kafka_ferry.jobs.connections.rules.plan import ConnectionsPlan
from kafka_ferry.jobs.cutover.rules.plan import CutoverPlan, RetirePlan
from kafka_ferry.jobs.migration.rules.plan import ComparisonPlan, MigrationPlan
from kafka_ferry.jobs.s3.files.plan import FilesPlan
from kafka_ferry.jobs.s3.plan import ConnectorExportPlan, ConnectorImportPlan, ExportPlan, ImportPlan
from kafka_ferry.jobs.schemas.rules.plan import SchemasPlan
from kafka_ferry.report.overview import OVERVIEW_SCHEMA, Overview

KEPT = Path(__file__).resolve().parents[1] / "report" / "schemas"
PLANS: tuple[type[JobPlan], ...] = (
    MigrationPlan, ComparisonPlan, BackupPlan, RestorePlan, VerifyPlan, ExportPlan, ImportPlan, FilesPlan, StreamPlan,
    ConnectionsPlan, CutoverPlan, RetirePlan, SchemasPlan, ConnectorExportPlan, ConnectorImportPlan,
)  # fmt: skip
#: What is written, and the version that it says.
FORMATS: dict[type[BaseModel], str] = {
    **dict.fromkeys(PLANS, PLAN_SCHEMA),
    Report: REPORT_SCHEMA,
    Overview: OVERVIEW_SCHEMA,
}
_WORDS = ("title", "description", "default", "examples")


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of what is written: names, types, what is always there. Without words for people, defaults, and
    names of our classes."""
    schema = model.model_json_schema(mode="serialization")
    found: dict[str, Any] = _bare(schema, schema.get("$defs", {}))
    return found


def kept_file(model: type[BaseModel], version: str) -> Path:
    """``kafka-ferry.plan-1.MigrationPlan.json``"""
    return KEPT / f"{version.replace('/', '-')}.{model.__name__}.json"


def changed(model: type[BaseModel], version: str, name: type[BaseModel] | None = None) -> str:
    """What to do about a format that is not what is kept of its version; empty when it is.

    :param name: whose file it is compared with; default: its own.
    """
    file = kept_file(name or model, version)
    if not file.exists():
        return f"nothing is kept of {file.stem}: make schemas"
    if json.loads(file.read_text()) == schema_of(model):
        return ""
    return (
        f"{model.__name__} is no longer {version}, of which files are out there. Give it a new version (the constant), "
        "and the reading of it an upgrade of the old one, with a test that reads an old file; then make schemas. "
        "Say in docs/report.md what changed"
    )


def _bare(part: Any, named: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_bare(one, named) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _bare(named[part["$ref"].rpartition("/")[2]], named)
    return {
        key: {name: _bare(one, named) for name, one in value.items()} if key == "properties" else _bare(value, named)
        for key, value in part.items()
        if key not in (*_WORDS, "$defs")
    }


def keep() -> None:
    """Write what is kept of no version yet."""
    KEPT.mkdir(exist_ok=True)
    for model, version in FORMATS.items():
        if not kept_file(model, version).exists():
            kept_file(model, version).write_text(json.dumps(schema_of(model), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    keep()
