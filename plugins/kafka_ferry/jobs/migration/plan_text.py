"""A plan as the task log shows it. Pure."""

from __future__ import annotations

import humanize

from kafka_ferry.core.table import table
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.migration.rules.plan import MigrationPlan
from kafka_ferry.report.plan_lines import first_lines, group_text


def plan_text(plan: MigrationPlan) -> str:
    """The plan for the task log."""
    rows = [
        [
            line.source,
            line.target,
            line.partitions,
            f"{line.records:,}",
            humanize.naturalsize(line.bytes or 0),
            f"{line.already_there:,}",
        ]
        for line in sorted(plan.topics, key=lambda line: -(line.bytes or 0))
    ]
    parts = [
        f"{plan.source.conn_id} -> {plan.target.conn_id}: {number_of(len(rows), 'topic')}, at most "
        f"{plan.records:,} records, about {humanize.naturalsize(plan.bytes)} (sizes from a sample), "
        f"{number_of(len(plan.groups), 'group')}",
        table(["topic", "on target", "partitions", "records (at most)", "size", "already there"], rows),
        *group_text(plan.group_offsets),
        f"estimate: copying takes about {humanize.precisedelta(plan.estimate.seconds)}, the tasks around it come "
        f"on top ({plan.estimate.basis})",
        *first_lines([f"skipped topic {name}: {why}" for name, why in plan.skipped_topics.items()], "topics"),
        *first_lines([f"skipped group {shown(name)}: {why}" for name, why in plan.skipped_groups.items()], "groups"),
        *(f"note: {note}" for note in plan.notes),
        "changes:",
        *first_lines([f"  {change}" for change in plan.changes], "changes"),
    ]
    return "\n".join(parts)
