"""What the plan found, for the page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kafka_ferry.core.words import number_of

#: Lines of each kind that the plan found; plan.json has all.
FINDINGS: Final = 100
_SEVERITIES: Final = ("refuse", "warn", "advise")
_NOUNS: Final = {"refuse": "refusal", "warn": "warning", "advise": "hint"}


def findings(plan: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the plan found: the worst first, at most ``FINDINGS``; None when it found nothing."""
    known = [one for one in plan.get("findings") or [] if isinstance(one, dict)]
    known.sort(key=lambda one: _SEVERITIES.index(one.get("severity")) if one.get("severity") in _SEVERITIES else 9)
    skipped = [
        {"subject": f"{noun} {name}", "what": f"skipped: {why}"}
        for noun in ("topic", "group")
        for name, why in (plan.get(f"skipped_{noun}s") or {}).items()
    ]
    notes = [str(text) for text in plan.get("notes") or []]
    if not known and not notes and not skipped:
        return None
    counts = [number_of(len(some), noun) for some, noun in ((known, "finding"), ([*notes, *skipped], "note")) if some]
    return {
        "summary": " and ".join(counts),
        "lines": known[:FINDINGS],
        "more": max(0, len(known) - FINDINGS),
        "notes": notes[:FINDINGS],
        "skipped": skipped[:FINDINGS],
        "skipped_more": max(0, len(skipped) - FINDINGS),
    }


def found_by(plan: Mapping[str, Any]) -> str:
    """How much the plan found, in one sentence; empty: nothing."""
    kinds = [one.get("severity") for one in plan.get("findings") or [] if isinstance(one, dict)]
    counts = [number_of(kinds.count(kind), noun) for kind, noun in _NOUNS.items() if kind in kinds]
    return f"It found {' and '.join(counts)}: see below." if counts else ""
