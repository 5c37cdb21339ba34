"""What is done at a registry, as lines of a plan. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids
from kafka_ferry.jobs.registry.rules.decide import Decision
from kafka_ferry.jobs.registry.rules.state import RegistryState

#: Versions of a subject that are named one by one.
_NAMED = 10


def note_of(asked: Asked, source: RegistryState, decision: Decision) -> str:
    """All of it in one line."""
    order = "by references, under the ids and versions they have" if asked.ids is Ids.KEEP else "by references"
    found = f"{number_of(len(source.versions), 'version')} of {number_of(len(source.subjects), 'subject')}"
    there, new = len(decision.same), len(decision.to_register)
    return f"{found} {asked.at_side}; {there:,} are at the target, {new:,} are registered, {order}"


def changes_of(asked: Asked, decision: Decision) -> list[Change]:
    """A line for each subject that gets versions, for each setting, and for what is deleted."""
    versions: dict[str, list[str]] = {}
    for one in decision.to_register:
        as_id = f" as id {one.id}" if asked.ids is Ids.KEEP else ""
        versions.setdefault(one.subject, []).append(f"{one.version}{as_id}{', deleted' if one.deleted else ''}")
    lines = [Change(Action.CREATE, "schemas", subject, _listed(told)) for subject, told in sorted(versions.items())]
    lines += [
        Change(Action.DELETE, "schema", str(step.version), f"softly, as {asked.at_side}")
        for step in decision.steps
        if step.delete and not step.register
    ]
    lines += [
        Change(Action.UPDATE, one.kind, one.subject, f"{one.now or 'none'} -> {one.wanted}")
        for one in decision.settings
    ]
    return lines


def _listed(told: Sequence[str]) -> str:
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"version{'s' if len(told) > 1 else ''} {'; '.join(told[:_NAMED])}{more}"
