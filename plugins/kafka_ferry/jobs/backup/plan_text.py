"""A backup's plan as a log shows it. Pure."""

from __future__ import annotations

import humanize

from kafka_ferry.core.table import table
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.backup.rules.plan import ArchivePlan
from kafka_ferry.report.plan_lines import MOST_LINES, first_lines, group_text


def backup_plan_text(plan: ArchivePlan) -> str:
    """The plan of a backup or a restore for the task log."""
    rows = [
        [
            line.source,
            line.target,
            line.partitions,
            f"{line.records:,}",
            "not known" if line.bytes is None else humanize.naturalsize(line.bytes),
        ]
        for line in sorted(plan.topics, key=lambda line: (-(line.bytes or 0), line.source))
    ]
    return "\n".join(
        [
            f"backup {plan.backup_id}: {number_of(len(rows), 'topic')}, at most {plan.records:,} records, about "
            f"{humanize.naturalsize(plan.bytes)}, {number_of(len(plan.groups), 'group')}",
            table(["topic", "as", "partitions", "records (at most)", "size, about"], rows[:MOST_LINES]),
            *first_lines([str(finding) for finding in plan.findings], "findings"),
            *group_text(plan.group_offsets),
            *first_lines(
                [f"group left out: {shown(name)}: {why}" for name, why in plan.skipped_groups.items()],
                "groups",
            ),
            *first_lines([f"note: {note}" for note in plan.notes], "notes"),
            *(["changes:"] if plan.changes else []),
            *first_lines([f"  {change}" for change in plan.changes], "changes"),
        ]
    )
