"""What the plan found, for the page. Pure."""

from __future__ import annotations

from typing import Any, Final

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.plan import Plan
from kafka_ferry.core.words import number_of

#: Lines of each kind that the plan found; plan.json has all.
FINDINGS: Final = 100
_NOUNS: Final = {Severity.REFUSE: "refusal", Severity.WARN: "warning", Severity.ADVISE: "hint"}


def findings(plan: Plan) -> dict[str, Any] | None:
    """What the plan found: the worst first, at most ``FINDINGS``; None when it found nothing."""
    known = sorted(plan.findings, key=lambda one: list(Severity).index(one.severity))
    skipped = [
        {"subject": f"{noun} {name}", "what": f"skipped: {why}"}
        for noun, skipped in (("topic", plan.skipped_topics), ("group", plan.skipped_groups))
        for name, why in skipped.items()
    ]
    notes = plan.notes
    if not known and not notes and not skipped:
        return None
    counts = [number_of(len(some), noun) for some, noun in ((known, "finding"), ([*notes, *skipped], "note")) if some]
    return {
        "summary": " and ".join(counts),
        "lines": [one.to_json() for one in known[:FINDINGS]],
        "more": max(0, len(known) - FINDINGS),
        "notes": notes[:FINDINGS],
        "skipped": skipped[:FINDINGS],
        "skipped_more": max(0, len(skipped) - FINDINGS),
    }


def found_by(plan: Plan) -> str:
    """How much the plan found, in one sentence; empty: nothing."""
    kinds = [one.severity for one in plan.findings]
    counts = [number_of(kinds.count(kind), noun) for kind, noun in _NOUNS.items() if kind in kinds]
    return f"It found {' and '.join(counts)}: see below." if counts else ""
