"""Parts of a plan as a task log shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka_ferry.core.table import table
from kafka_ferry.core.words import number_of, shown

_MOST_COMMITS = 20


MOST_LINES = 100  # of one kind: a log of thousands is read by nobody


def first_lines(lines: Sequence[str], what: str) -> list[str]:
    """At most a hundred lines, and how many more there are: plan.json has them all."""
    left = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"... and {left:,} more {what}, see plan.json"] if left > 0 else [])]


def group_text(groups: dict[str, Any]) -> list[str]:
    """The dry table of group offsets: counts, and the first lines, which are the worst.

    :param groups: as ``jobs.migration.rules.groups_plan.groups_in_plan`` gives it.
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
