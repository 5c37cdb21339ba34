"""What the plan finds before anything is changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_ferry.core.finding import Finding, Severity, worst_first
from kafka_ferry.core.schemas import IMPORT, context_of
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.schemas.rules.decide import Decision
from kafka_ferry.jobs.schemas.rules.spec import Ids, SchemasSpec
from kafka_ferry.jobs.schemas.rules.state import RegistryState

_TARGET = "target_registry_conn_id"
_CURES = {
    "content": "leave the subject out, delete it at the target for good, or take another registry or context",
    "id": "leave the subject out, use ids: map, or take an empty registry or context",
    "version": "use ids: map, or delete the version at the target for good",
}
#: What no replication does.
RECORDS = (
    "records keep the ids of the source, as no MirrorMaker rewrites an id in a record: a reader that asks the target "
    "registry gets another schema for it, or none"
)


def findings_of(spec: SchemasSpec, source: RegistryState, target: RegistryState, decision: Decision) -> list[Finding]:
    """All of them, the worst first."""
    return worst_first([
        *_subjects(spec, source),
        *_references(source),
        *_clashes(spec, target, decision),
        *_modes(spec, source, target, decision),
        *_mapped(spec, source, target, decision),
        *_levels(source, target),
    ])  # fmt: skip


def _subjects(spec: SchemasSpec, source: RegistryState) -> Iterator[Finding]:
    names = source.wanted
    if not names:
        fix = "correct the expressions; each has to match a whole name, that of a context's begins with :.context:"
        what = f"none matches {', '.join(spec.subjects[:5])}"
        yield Finding(Severity.REFUSE, "no_subjects", "subjects", what, fix, "subjects")
        return
    for pattern in spec.subjects:
        if not any(spec.model_copy(update={"subjects": [pattern]}).wants(name) for name in names):
            yield Finding(
                Severity.WARN, "unmatched", f"subjects {pattern}", "the source has none of that name",
                "correct it, or leave it out", "subjects",
            )  # fmt: skip
    along = sorted(set(source.subjects) - names)
    if along:
        what = f"comes along, as schemas of other subjects refer to it{_more(len(along))}"
        yield Finding(Severity.ADVISE, "referred_to", f"subject {along[0]}", what, "nothing to do", "subjects")


def _references(source: RegistryState) -> Iterator[Finding]:
    for one, (subject, version) in source.missing_references():
        what = f"refers to {shown(subject)} version {version}, which the source does not have"
        yield Finding(
            Severity.REFUSE, "missing_reference", f"subject {one}", what, "mend it at the source, or leave it out",
            "subjects",
        )  # fmt: skip


def _takes_no_ids(spec: SchemasSpec, target: RegistryState) -> bool:
    return spec.ids is Ids.KEEP and not target.has_modes


def _clashes(spec: SchemasSpec, target: RegistryState, decision: Decision) -> Iterator[Finding]:
    for clash in decision.clashes:
        if clash.of != "content" and _takes_no_ids(spec, target):
            continue  # whether they are free does not matter
        what = f"{clash.what} (id {clash.version.id} at the source)"
        param = "subjects" if clash.of == "content" else "ids"
        yield Finding(
            Severity.REFUSE, f"clash_of_{clash.of}", f"subject {clash.version}", what, _CURES[clash.of], param
        )


def _modes(spec: SchemasSpec, source: RegistryState, target: RegistryState, decision: Decision) -> Iterator[Finding]:
    if _takes_no_ids(spec, target) and (decision.to_register or decision.clashes):
        yield Finding(
            Severity.REFUSE, "no_import", "target registry",
            "it knows no modes, so it takes no ids that others gave (Apicurio before 3)", "use ids: map", "ids",
        )  # fmt: skip
    for subject in decision.filled:
        mode = target.mode(subject)
        if mode is None or mode == "READWRITE" or (spec.ids is Ids.KEEP and mode != "READONLY_OVERRIDE"):
            continue
        yield Finding(
            Severity.REFUSE, "read_only", f"subject {subject}", f"its mode at the target is {mode}",
            "set it to READWRITE there, or leave the subject out", _TARGET,
        )  # fmt: skip
    importing = sorted(subject for subject in source.wanted if source.mode(subject) == IMPORT)
    if importing:
        what = f"its mode at the source is IMPORT, which is not carried{_more(len(importing))}"
        fix = "wait until what fills the source has ended"
        yield Finding(
            Severity.WARN, "source_in_import", f"subject {importing[0]}", what, fix, "source_registry_conn_id"
        )
    own = sorted(subject for subject in source.wanted if source.modes.get(subject) not in (None, "READWRITE", IMPORT))
    if own and not target.has_modes:
        what = f"its mode {source.modes[own[0]]} cannot be carried: the target knows no modes{_more(len(own))}"
        yield Finding(
            Severity.WARN, "no_modes", f"subject {own[0]}", what, "protect it by the target's own means", _TARGET
        )


def _mapped(spec: SchemasSpec, source: RegistryState, target: RegistryState, decision: Decision) -> Iterator[Finding]:
    if spec.ids is not Ids.MAP:
        return
    other, new = decision.other_ids(), decision.to_register
    if other or new:
        known = f"{number_of(len(other), 'id')} of the source {'is' if len(other) == 1 else 'are'} another one there; "
        said = f"{number_of(len(new), 'schema')} will get ids of the target's; " * bool(new) + known * bool(other)
        fix = "let readers go on with the source registry, or fill an empty registry that knows IMPORT with ids: keep"
        if source.has_uuids:
            fix = "let readers go on with Glue's deserializers until no record of its serializers is left"
        yield Finding(Severity.WARN, "mapped_ids", "ids", f"{said}{RECORDS}", fix, "ids")
    if source.has_uuids and new:
        what = "subjects get the names of Glue's schemas, which are those of topics unless its users chose others"
        yield Finding(
            Severity.ADVISE, "names_of_glue", f"subject {new[0].subject}", what,
            "a naming strategy of Confluent's serializers that gives these: by default they ask for <topic>-value",
            "ids",
        )  # fmt: skip
    behind = [subject for subject in decision.filled if subject in target.by_subject]
    if behind:
        what = f"the target has versions of its own; the source's come behind them{_more(len(behind))}"
        yield Finding(
            Severity.WARN, "behind_others", f"subject {behind[0]}", what,
            "see that its producers do not take the newest version by themselves", "subjects",
        )  # fmt: skip
    named = sorted(subject for subject in source.subjects if context_of(subject))
    if named and not target.has_modes:
        what = f"the target may know no contexts: this is a name like any other there{_more(len(named))}"
        yield Finding(Severity.WARN, "contexts", f"subject {named[0]}", what, "look whether clients find it", _TARGET)


def _levels(source: RegistryState, target: RegistryState) -> Iterator[Finding]:
    ours, theirs = source.compatibility.get(""), target.compatibility.get("")
    if ours and theirs and ours != theirs:
        yield Finding(
            Severity.ADVISE, "level_of_all", "compatibility",
            f"that of all is {ours} at the source and {theirs} at the target: subjects that are made later differ",
            f"set it to {ours} at the target", _TARGET,
        )  # fmt: skip


def _more(number: int) -> str:
    return f"; so do {number - 1} more" if number > 1 else ""
