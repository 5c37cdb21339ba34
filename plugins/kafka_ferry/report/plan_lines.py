"""Parts of a plan as a task log shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.plan import PlannedCommit, PlannedGroups
from kafka_ferry.core.table import table
from kafka_ferry.core.words import number_of, shown

_MOST_COMMITS = 20


MOST_LINES = 100  # of one kind: a log of thousands is read by nobody


def first_lines(lines: Sequence[str], what: str) -> list[str]:
    """At most a hundred lines, and how many more there are: plan.json has them all."""
    left = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"... and {left:,} more {what}, see plan.json"] if left > 0 else [])]


def group_text(groups: PlannedGroups | None) -> list[str]:
    """The dry table of group offsets: counts, and the first lines, which are the worst."""
    if groups is None or not groups.lines:
        return []
    first = groups.first[:_MOST_COMMITS]
    restored = bool(first) and first[0].would_get is not None
    rows = [_restored_row(line) if restored else _row(line) for line in first]
    left = groups.lines - len(first)
    where = groups.artifact or f"plan.json for the first {len(groups.first)}"
    active, busy = groups.active_groups, ", ".join(map(shown, groups.active_groups[:20]))
    return [
        f"group offsets: {number_of(groups.lines, 'line')}"
        + (f", {groups.lag:,} records behind at most" if groups.lag is not None else ""),
        *(f"  {entry.lines:,} {entry.action}: {entry.meaning}" for entry in groups.actions),
        table(_RESTORED if restored else _MIGRATED, rows),
        *([f"... and {left:,} more lines, see {where}"] if left else []),
        *([f"groups active on the target: {busy}" + " ..." * (len(active) > 20)] if active else []),
    ]


_MIGRATED = ["group", "partition", "source", "source end", "lag", "on target now", "what will be done"]


_RESTORED = ["group", "partition", "in the backup", "on target now", "would get", "what will be done"]


def _row(line: PlannedCommit) -> list[str]:
    return [
        shown(line.group),
        f"{line.topic}-{line.partition}",
        f"{line.source_offset:,}",
        _number(line.source_end),
        _number(line.lag),
        _number(line.target_offset),
        line.action,
    ]


def _restored_row(line: PlannedCommit) -> list[str]:
    return [
        shown(line.group),
        f"{line.topic}-{line.partition}",
        f"{line.source_offset:,}",
        _number(line.target_offset),
        _number(line.would_get) + " at most" * bool(line.about),
        line.action,
    ]


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
