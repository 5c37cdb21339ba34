"""Entries of topics and groups that match nothing: a typing error, or not there yet. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from kafka_ferry.core.finding import Finding, Severity


def unmatched_findings(param: str, unmatched: Sequence[str], names: Collection[str]) -> list[Finding]:
    """A warning for each: a run without them passes, and somebody believes that they were carried.

    :param param: ``topics`` or ``groups``.
    :param names: what there is on the source.
    """
    return [
        Finding(
            Severity.WARN, "unmatched", f"{param} entry {entry!r}",
            f"matches nothing on the source{did_you_mean(entry, names)}", "correct or remove it", param,
        )
        for entry in unmatched
    ]  # fmt: skip


def did_you_mean(entry: str, names: Collection[str]) -> str:
    """``; did you mean …?`` when something of nearly that name is there; else what expressions must match."""
    if near := difflib.get_close_matches(entry, [name for name in names if not name.startswith("__")], 3):
        return f"; did you mean {' or '.join(near)}?"
    if any(entry in name for name in names):
        return f" (an expression matches the whole name; did you mean .*{entry}.*?)"
    return ""
