"""A plan as the task log shows it. Pure."""

from __future__ import annotations

from typing import Any

import humanize

from kafka_ferry.migration.changes import Change
from kafka_ferry.report.table import table


def plan_text(plan: dict[str, Any]) -> str:
    """The plan for the task log."""
    rows = [
        [
            line["source"],
            line["target"],
            line["partitions"],
            f"{line['records']:,}",
            humanize.naturalsize(line["bytes"]),
            f"{line['already_there']:,}",
        ]
        for line in sorted(plan["topics"], key=lambda line: -line["bytes"])
    ]
    parts = [
        f"{plan['source']['conn_id']} -> {plan['target']['conn_id']}: {len(rows)} topics, at most "
        f"{plan['records']:,} records, about {humanize.naturalsize(plan['bytes'])} (sizes from a sample), "
        f"{len(plan['groups'])} groups",
        table(["topic", "on target", "partitions", "records (at most)", "size", "already there"], rows),
        f"estimate: {humanize.precisedelta(plan['estimate']['seconds'])} ({plan['estimate']['basis']})",
        *(f"skipped topic {name}: {reason}" for name, reason in plan["skipped_topics"].items()),
        *(f"skipped group {name}: {reason}" for name, reason in plan["skipped_groups"].items()),
        *(f"note: {note}" for note in plan["notes"]),
        "changes:",
        *(f"  {Change(**change)}" for change in plan["changes"]),
    ]
    return "\n".join(parts)
