"""A plan as the task log shows it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import humanize

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.table import table
from kafka_ferry.core.words import number_of, shown

_MOST_COMMITS = 20
_MOST_LINES = 100  # of one kind: a log of thousands is read by nobody


def first_lines(lines: Sequence[str], what: str) -> list[str]:
    """At most a hundred lines, and how many more there are: plan.json has them all."""
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"... and {left:,} more {what}, see plan.json"] if left > 0 else [])]


def group_text(groups: dict[str, Any]) -> list[str]:
    """The dry table of group offsets: counts, and the first lines, which are the worst.

    :param groups: as ``migration.groups_plan.groups_in_plan`` gives it.
    """
    if not groups["lines"]:
        return []
    first = groups["first"][:_MOST_COMMITS]
    restored = bool(first) and "would_get" in first[0]
    rows = [_restored_row(line) if restored else _row(line) for line in first]
    left = groups["lines"] - len(first)
    where = groups["artifact"] or f"plan.json for the first {len(groups['first'])}"
    active, busy = groups["active_groups"], ", ".join(map(shown, groups["active_groups"][:20]))
    return [
        f"group offsets: {number_of(groups['lines'], 'line')}"
        + (f", {groups['lag']:,} records behind at most" if "lag" in groups else ""),
        *(f"  {entry['lines']:,} {entry['action']}: {entry['meaning']}" for entry in groups["actions"]),
        table(_RESTORED if restored else _MIGRATED, rows),
        *([f"... and {left:,} more lines, see {where}"] if left else []),
        *([f"groups active on the target: {busy}" + " ..." * (len(active) > 20)] if active else []),
    ]


_MIGRATED = ["group", "partition", "source", "source end", "lag", "on target now", "what will be done"]
_RESTORED = ["group", "partition", "in the backup", "on target now", "would get", "what will be done"]


def _row(line: dict[str, Any]) -> list[str]:
    return [
        shown(line["group"]),
        f"{line['topic']}-{line['partition']}",
        f"{line['source_offset']:,}",
        f"{line['source_end']:,}",
        f"{line['lag']:,}",
        "-" if line["target_offset"] is None else f"{line['target_offset']:,}",
        line["action"],
    ]


def _restored_row(line: dict[str, Any]) -> list[str]:
    return [
        shown(line["group"]),
        f"{line['topic']}-{line['partition']}",
        f"{line['source_offset']:,}",
        "-" if line["target_offset"] is None else f"{line['target_offset']:,}",
        f"{line['would_get']:,}" + " at most" * line["about"],
        line["action"],
    ]


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
        f"{plan['source']['conn_id']} -> {plan['target']['conn_id']}: {number_of(len(rows), 'topic')}, at most "
        f"{plan['records']:,} records, about {humanize.naturalsize(plan['bytes'])} (sizes from a sample), "
        f"{number_of(len(plan['groups']), 'group')}",
        table(["topic", "on target", "partitions", "records (at most)", "size", "already there"], rows),
        *group_text(plan["group_offsets"]),
        f"estimate: copying takes about {humanize.precisedelta(plan['estimate']['seconds'])}, the tasks around it come "
        f"on top ({plan['estimate']['basis']})",
        *first_lines([f"skipped topic {name}: {why}" for name, why in plan["skipped_topics"].items()], "topics"),
        *first_lines([f"skipped group {shown(name)}: {why}" for name, why in plan["skipped_groups"].items()], "groups"),
        *(f"note: {note}" for note in plan["notes"]),
        "changes:",
        *first_lines([f"  {Change(**change)}" for change in plan["changes"]], "changes"),
    ]
    return "\n".join(parts)


def backup_plan_text(plan: dict[str, Any]) -> str:
    """The plan of a backup or a restore for the task log."""
    rows = [
        [
            line["source"],
            line["target"],
            line["partitions"],
            f"{line['records']:,}",
            "not known" if line["bytes"] is None else humanize.naturalsize(line["bytes"]),
        ]
        for line in sorted(plan["topics"], key=lambda line: (-(line["bytes"] or 0), line["source"]))
    ]
    return "\n".join(
        [
            f"backup {plan['backup_id']}: {number_of(len(rows), 'topic')}, at most {plan['records']:,} records, about "
            f"{humanize.naturalsize(plan['bytes'])}, {number_of(len(plan['groups']), 'group')}",
            table(["topic", "as", "partitions", "records (at most)", "size, about"], rows[:_MOST_LINES]),
            *first_lines([str(Finding(**finding)) for finding in plan.get("findings", [])], "findings"),
            *group_text(plan.get("group_offsets") or {"lines": 0}),
            *first_lines(
                [f"group left out: {shown(name)}: {why}" for name, why in plan.get("skipped_groups", {}).items()],
                "groups",
            ),
            *first_lines([f"note: {note}" for note in plan["notes"]], "notes"),
            *(["changes:"] if plan.get("changes") else []),
            *first_lines([f"  {Change(**change)}" for change in plan.get("changes", [])], "changes"),
        ]
    )
