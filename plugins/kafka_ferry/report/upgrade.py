"""What earlier versions wrote, brought to the form of this one. The only place that knows their keys. Pure.

What is of this version, or of none that is known, is handed back as it is: its reader judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from kafka_ferry.core.checks import SCHEMA
from kafka_ferry.report.overview import OVERVIEW_SCHEMA

#: report/1 and report-overview/1 called offsets records; so did progress.jsonl then, which has no version.
_OFFSETS: Final = MappingProxyType(
    {"records": "offsets", "total_records": "total_offsets", "records_per_second": "offsets_per_second"}
)
#: What report/1 called the engine of those jobs that did count records: backups and restores.
_COUNTED: Final = "kafka_ferry"


def report_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """report.json of any version."""
    report = dict(found)
    if report.get("schema") != "kafka-ferry.report/1":
        return report
    copied = report.get("throughput")
    if isinstance(copied, Mapping) and report.get("engine") != _COUNTED:
        report["throughput"] = _renamed(copied)
    return report | {"schema": SCHEMA}


def overview_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The overview of a report, of any version."""
    overview = dict(found)
    if overview.get("schema") != "kafka-ferry.report-overview/1":
        return overview
    report, charts = overview.get("report"), overview.get("charts")
    if isinstance(report, Mapping):
        overview["report"] = report_of(report)
    if isinstance(charts, Mapping) and isinstance(charts.get("progress"), Mapping):
        overview["charts"] = {**charts, "progress": _renamed(charts["progress"])}
    return overview | {"schema": OVERVIEW_SCHEMA}


def plan_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """plan.json of any version. The first ones named none, and the fix of a finding was a cure."""
    plan = dict(found)
    if "schema" in plan or not isinstance(plan.get("findings"), list):
        return plan
    plan["findings"] = [
        {"fix" if key == "cure" else key: value for key, value in one.items()} if isinstance(one, Mapping) else one
        for one in plan["findings"]
    ]
    return plan


def progress_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of progress.jsonl; a run that waited during an upgrade has lines of both kinds."""
    return dict(line) if "offsets" in line else _renamed(line)


def _renamed(found: Mapping[str, Any]) -> dict[str, Any]:
    return {_OFFSETS.get(key, key): value for key, value in found.items()}
