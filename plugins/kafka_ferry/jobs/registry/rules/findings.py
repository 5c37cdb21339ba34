"""What the plan finds before anything is changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_ferry.core.finding import Finding, Severity, worst_first
from kafka_ferry.core.schemas import IMPORT, context_of
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids, matches
from kafka_ferry.jobs.registry.rules.decide import Decision
from kafka_ferry.jobs.registry.rules.state import RegistryState

#: What no replication does.
RECORDS = (
    "records keep the ids of the source, as no MirrorMaker rewrites an id in a record: a reader that asks the target "
    "registry gets another schema for it, or none"
)


def findings_of(asked: Asked, source: RegistryState, target: RegistryState, decision: Decision) -> list[Finding]:
    """All of them, the worst first."""
    return worst_first([
        *_subjects(asked, source),
        *_references(asked, source),
        *_clashes(asked, target, decision),
        *_modes(asked, source, target, decision),
        *_mapped(asked, source, target, decision),
        *_levels(asked, source, target),
    ])  # fmt: skip


def _subjects(asked: Asked, source: RegistryState) -> Iterator[Finding]:
    names = source.wanted
    if not names and asked.may_be_empty:
        return
    if not names:
        fix = "correct the expressions; each has to match a whole name, that of a context's begins with :.context:"
        what = f"none matches {', '.join(asked.subjects[:5])}"
        yield Finding(Severity.REFUSE, "no_subjects", "subjects", what, fix, asked.subjects_param)
        return
    for pattern in asked.subjects:
        if not any(matches(pattern, name) for name in names):
            yield Finding(
                Severity.WARN, "unmatched", f"subjects {pattern}", f"{asked.side} has none of that name",
                "correct it, or leave it out", asked.subjects_param,
            )  # fmt: skip
    along = sorted(set(source.subjects) - names)
    if along:
        what = f"comes along, as schemas of other subjects refer to it{_more(len(along))}"
        yield Finding(
            Severity.ADVISE, "referred_to", f"subject {along[0]}", what, "nothing to do", asked.subjects_param
        )


def _references(asked: Asked, source: RegistryState) -> Iterator[Finding]:
    for one, (subject, version) in source.missing_references():
        what = f"refers to {shown(subject)} version {version}, which {asked.side} does not have"
        yield Finding(
            Severity.REFUSE, "missing_reference", f"subject {one}", what,
            f"mend it at the source, or {asked.leave_out}", asked.subjects_param,
        )  # fmt: skip


def _takes_no_ids(asked: Asked, target: RegistryState) -> bool:
    return asked.ids is Ids.KEEP and not target.has_modes


def _cure(asked: Asked, of: str) -> str:
    return {
        "content": f"{asked.leave_out}, delete it at the target for good, or take another registry or context",
        "id": f"{asked.leave_out}, use {asked.mapped}, or take an empty registry or context",
        "version": f"use {asked.mapped}, or delete the version at the target for good",
    }[of]


def _clashes(asked: Asked, target: RegistryState, decision: Decision) -> Iterator[Finding]:
    for clash in decision.clashes:
        if clash.of != "content" and _takes_no_ids(asked, target):
            continue  # whether they are free does not matter
        what = f"{clash.what} (id {clash.version.id} {asked.at_side})"
        param = asked.subjects_param if clash.of == "content" else asked.ids_param
        yield Finding(
            Severity.REFUSE, f"clash_of_{clash.of}", f"subject {clash.version}", what, _cure(asked, clash.of), param
        )


def _modes(asked: Asked, source: RegistryState, target: RegistryState, decision: Decision) -> Iterator[Finding]:
    if _takes_no_ids(asked, target) and (decision.to_register or decision.clashes):
        yield Finding(
            Severity.REFUSE, "no_import", "target registry",
            "it knows no modes, so it takes no ids that others gave (Apicurio before 3)", f"use {asked.mapped}",
            asked.ids_param,
        )  # fmt: skip
    for subject in decision.filled:
        mode = target.mode(subject)
        if mode is None or mode == "READWRITE" or (asked.ids is Ids.KEEP and mode != "READONLY_OVERRIDE"):
            continue
        yield Finding(
            Severity.REFUSE, "read_only", f"subject {subject}", f"its mode at the target is {mode}",
            f"set it to READWRITE there, or {asked.leave_out}", asked.target_param,
        )  # fmt: skip
    importing = sorted(subject for subject in source.wanted if source.mode(subject) == IMPORT)
    if importing:
        what = f"its mode {asked.at_side} is IMPORT, which is not carried{_more(len(importing))}"
        fix = "wait until what fills the source has ended"
        yield Finding(Severity.WARN, "source_in_import", f"subject {importing[0]}", what, fix, asked.source_param)
    own = sorted(subject for subject in source.wanted if source.modes.get(subject) not in (None, "READWRITE", IMPORT))
    if own and not target.has_modes:
        what = f"its mode {source.modes[own[0]]} cannot be carried: the target knows no modes{_more(len(own))}"
        yield Finding(
            Severity.WARN,
            "no_modes",
            f"subject {own[0]}",
            what,
            "protect it by the target's own means",
            asked.target_param,
        )


def _mapped(asked: Asked, source: RegistryState, target: RegistryState, decision: Decision) -> Iterator[Finding]:
    if asked.ids is not Ids.MAP:
        return
    other, new = decision.other_ids(), decision.to_register
    if other or new:
        known = f"{number_of(len(other), 'id')} of the source {'is' if len(other) == 1 else 'are'} another one there; "
        said = f"{number_of(len(new), 'schema')} will get ids of the target's; " * bool(new) + known * bool(other)
        fix = (
            "let readers go on with the source registry, or fill an empty registry that knows IMPORT with "
            f"{asked.ids_param}: keep"
        )
        if source.has_uuids:
            fix = "let readers go on with Glue's deserializers until no record of its serializers is left"
        yield Finding(Severity.WARN, "mapped_ids", "ids", f"{said}{RECORDS}", fix, asked.ids_param)
    if source.has_uuids and new:
        what = "subjects get the names of Glue's schemas, which are those of topics unless its users chose others"
        yield Finding(
            Severity.ADVISE, "names_of_glue", f"subject {new[0].subject}", what,
            "a naming strategy of Confluent's serializers that gives these: by default they ask for <topic>-value",
            asked.ids_param,
        )  # fmt: skip
    behind = [subject for subject in decision.filled if subject in target.by_subject]
    if behind:
        what = f"the target has versions of its own; the source's come behind them{_more(len(behind))}"
        yield Finding(
            Severity.WARN, "behind_others", f"subject {behind[0]}", what,
            "see that its producers do not take the newest version by themselves", asked.subjects_param,
        )  # fmt: skip
    named = sorted(subject for subject in source.subjects if context_of(subject))
    if named and not target.has_modes:
        what = f"the target may know no contexts: this is a name like any other there{_more(len(named))}"
        yield Finding(
            Severity.WARN, "contexts", f"subject {named[0]}", what, "look whether clients find it", asked.target_param
        )


def _levels(asked: Asked, source: RegistryState, target: RegistryState) -> Iterator[Finding]:
    ours, theirs = source.compatibility.get(""), target.compatibility.get("")
    if ours and theirs and ours != theirs:
        yield Finding(
            Severity.ADVISE, "level_of_all", "compatibility",
            f"that of all is {ours} {asked.at_side} and {theirs} at the target: subjects that are made later differ",
            f"set it to {ours} at the target", asked.target_param,
        )  # fmt: skip


def _more(number: int) -> str:
    return f"; so do {number - 1} more" if number > 1 else ""
