"""The checks of a migration of schemas, from what both registries hold when all is done. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.checks import Check, Status, worst
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids
from kafka_ferry.jobs.registry.rules.decide import Decision
from kafka_ferry.jobs.registry.rules.findings import RECORDS
from kafka_ferry.jobs.registry.rules.state import RegistryState, ids_of

_NAMED = 50


def checks_of(asked: Asked, source: RegistryState, target: RegistryState, decision: Decision) -> list[Check]:
    """All of the checklist."""
    return [
        _subjects(source, decision),
        _schemas(source, decision),
        _ids(asked, source, target, decision),
        _settings(asked, "compatibility", source, decision),
        _modes(asked, source, target, decision),
    ]


def as_one(checks: Sequence[Check]) -> Check:
    """The check ``registry`` of runs that carry schemas beside other things.

    :param checks: all of the checklist.
    """
    told = [check for check in checks if check.name in ("schemas", "ids")]
    return Check(
        name="registry",
        status=worst([check.status for check in checks]),
        expected="; ".join(f"{check.name}: {check.expected}" for check in told),
        actual="; ".join(f"{check.name}: {check.actual}" for check in told),
        detail="; ".join(check.detail for check in checks if check.detail),
        differences=_cut([f"{check.name}: {line}" for check in checks for line in check.differences]),
    )


def sentence_of(source: RegistryState, checks: Sequence[Check]) -> str:
    """What a PASS says."""
    if any(check.status is Status.FAIL for check in checks):
        return ""
    told = f"{number_of(len(source.versions), 'schema')} of {number_of(len(source.subjects), 'subject')}"
    mapped = any(check.name == "ids" and check.status is Status.EXPLAINED for check in checks)
    return f"{told} are at the target and say the same, with all they refer to" + (
        "; some under other ids." if mapped else ", under the same ids."
    )


def _subjects(source: RegistryState, decision: Decision) -> Check:
    missing = [str(one) for one in decision.to_register]
    missing += [f"{step.version}: not deleted" for step in decision.steps if not step.register]
    return _check(
        "subjects",
        f"{number_of(len(source.versions), 'version')} of {number_of(len(source.subjects), 'subject')}",
        f"{len(source.versions) - len(missing):,} are there",
        missing,
    )


def _schemas(source: RegistryState, decision: Decision) -> Check:
    told = [str(clash) for clash in decision.clashes if clash.of == "content"]
    compared = len(decision.same)
    return _check("schemas", "all say the same, with all they refer to", f"{compared:,} do", told)


def _ids(asked: Asked, source: RegistryState, target: RegistryState, decision: Decision) -> Check:
    """Each id was asked for by itself: which versions have it says nothing of what it leads readers to."""
    wrong = [str(clash) for clash in decision.clashes if clash.of in ("id", "version")]
    says = {}
    for one in source.ordered:
        says[ids_of([one])[0]] = source.digests[one.place]
    other = dict(decision.other_ids())
    for key, wanted in says.items():
        context, number = key
        if asked.ids is Ids.MAP and key not in decision.ids:
            continue  # it is not there, as the check of subjects says
        there = (context, other.get(key, number) if asked.ids is Ids.MAP else number)
        if target.id_digests.get(there) != wanted and not any(clash.version.id == number for clash in decision.clashes):
            led = "nothing" if target.id_digests.get(there) is None else "another schema"
            wrong.append(f"{context}id {number}: id {there[1]} leads to {led} at the target")
    expected = f"{number_of(len(says), 'id')} of the source, each for the same schema"
    if wrong or not other or asked.ids is Ids.KEEP:
        return _check("ids", expected, f"{len(says) - len(wrong):,} are", wrong)
    return Check(
        name="ids",
        status=Status.EXPLAINED,
        expected=expected,
        actual=f"{len(says) - len(other):,} are; {number_of(len(other), 'id')} mapped",
        detail=f"{asked.mapped} was asked for; {RECORDS}",
        differences=_cut([f"{context}id {number} -> {there}" for (context, number), there in sorted(other.items())]),
    )


def _settings(asked: Asked, kind: str, source: RegistryState, decision: Decision) -> Check:
    told = [f"{one.subject}: {one.now or 'none'}, not {one.wanted}" for one in decision.settings if one.kind == kind]
    names = {"compatibility": "compatibility", "mode": "modes"}
    subjects = number_of(len(source.wanted), "subject")
    return _check(names[kind], f"as {asked.at_side}, of {subjects}", f"{len(source.wanted) - len(told):,} are", told)


def _modes(asked: Asked, source: RegistryState, target: RegistryState, decision: Decision) -> Check:
    own = sorted(subject for subject in source.wanted if source.modes.get(subject) is not None)
    if target.has_modes or not own:
        made = _settings(asked, "mode", source, decision)
        left = [subject for subject in source.subjects if target.modes.get(subject) == "IMPORT"]
        told = [*made.differences, *(f"{subject}: still in IMPORT" for subject in left)]
        return made if not left else _check("modes", made.expected, made.actual, told)
    return Check(
        name="modes",
        status=Status.EXPLAINED,
        expected=f"modes of {number_of(len(own), 'subject')}",
        actual="none",
        detail="the target registry knows no modes",
        differences=_cut([f"{subject}: {source.modes[subject]} {asked.at_side}" for subject in own]),
    )


def _check(name: str, expected: str, actual: str, differences: Sequence[str]) -> Check:
    status = Status.FAIL if differences else Status.PASS
    return Check(name=name, status=status, expected=expected, actual=actual, differences=_cut(differences))


def _cut(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _NAMED:,} more"] if len(lines) > _NAMED else []
    return [*lines[:_NAMED], *more]
