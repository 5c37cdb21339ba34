"""Which rights a migration needs on both clusters, and what is said about a missing one. Pure.

The table is docs/security.md's, found by taking one right after the other away.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.retention import SIZES, to_hold
from kafka_ferry.core.rights import CLUSTER, Resource, Rights
from kafka_ferry.jobs.migration.rules.preflight import TopicFacts
from kafka_ferry.jobs.migration.rules.provision import topic_changes
from kafka_ferry.jobs.migration.rules.spec import Acls, GroupOffsets, MigrationSpec, ProvisionThrough

_CODE = "permissions"
_OFFSET_SYNCS = "mm2-offset-syncs."
_LIFTED = "to lift {} during the copy: without it a batch that compresses worse than on the source stops the copy"
_CANARY_SKIPPED = "without it the checks new_topics and new_records are skipped"


@dataclass(frozen=True)
class Need:
    """One right that a run needs.

    :param why: for people, after the operation: ``to copy into it``.
    :param severity: ``refuse`` where the run would fail without it, ``warn`` where it would leave a step out.
    """

    resource: Resource
    operation: str
    why: str
    severity: Severity = Severity.REFUSE


def source_needs(
    spec: MigrationSpec, topics: Iterable[str], groups: Iterable[str], own_groups: Iterable[str] = ()
) -> list[Need]:
    """What is needed on the source.

    :param groups: all that are selected: their commits are read to know which of them are on these topics.
    :param own_groups: that the engine reads as.
    """
    return [
        *_cluster_needs(spec),
        *(
            need
            for name in topics
            for need in (
                Need(("TOPIC", name), "READ", "to copy and to compare its records"),
                Need(("TOPIC", name), "DESCRIBE_CONFIGS", "to copy its configs"),
            )
        ),
        *(Need(("GROUP", group), "DESCRIBE", "to read its offsets") for group in groups),
        *(
            need
            for group in own_groups
            for need in (
                Need(("GROUP", group), "READ", "the engine reads as this group"),
                Need(("GROUP", group), "DELETE", "to remove it completely"),
            )
        ),
    ]


def target_needs(
    spec: MigrationSpec, topics: Iterable[str], existing: Iterable[str], own: Iterable[str] = ()
) -> list[Need]:
    """What is needed on the target, whatever its topics look like.

    :param topics: target names. ``own``: topics of the engine's own. ``existing``: those of both that are there.
    """
    there = set(existing)
    needs = _cluster_needs(spec)
    if spec.acls is Acls.COPY:
        needs.append(Need(CLUSTER, "ALTER", "to create ACLs (param acls is copy)"))
    for name in topics:
        topic = ("TOPIC", name)
        needs += [Need(topic, "CREATE", "to create it")] if name not in there and _is_ours(spec) else []
        needs += [Need(topic, "WRITE", "to copy records into it")] if spec.writes_as_us else []
        needs.append(Need(topic, "READ", "to compare its records"))
        needs.append(Need(topic, "DESCRIBE_CONFIGS", "to compare its configs"))
    return needs + _own_needs(spec, there, own)


def _cluster_needs(spec: MigrationSpec) -> list[Need]:
    needs = [Need(CLUSTER, "DESCRIBE_CONFIGS", "to read the brokers' defaults")]
    if spec.acls is Acls.COPY:
        needs.append(Need(CLUSTER, "DESCRIBE", "to read ACLs (param acls is copy)"))
    elif spec.acls is Acls.CHECK:
        needs.append(Need(CLUSTER, "DESCRIBE", "without it the check acls is skipped", Severity.WARN))
    return needs


def _is_ours(spec: MigrationSpec) -> bool:
    """Whether the target's connection makes the topics; else IAM gives that right."""
    return spec.provision_through is ProvisionThrough.KAFKA


def _own_needs(spec: MigrationSpec, there: set[str], own: Iterable[str]) -> list[Need]:
    """Of MirrorMaker 2's own topics only the offset-syncs stop a run when they cannot be made; all are removed."""
    needs: list[Need] = []
    for name in own:
        topic = ("TOPIC", name)
        if name.startswith(_OFFSET_SYNCS):
            needs += [] if name in there else [Need(topic, "CREATE", "without it MirrorMaker 2 copies nothing")]
            if spec.group_offsets is GroupOffsets.MM2 and spec.groups:
                why = "without it MirrorMaker 2 commits for no group (param group_offsets is mm2)"
                needs += [Need(topic, "WRITE", why), Need(topic, "READ", why)]
        if not spec.keep_replicating:
            needs.append(Need(topic, "DELETE", "to remove it at the end"))
    return needs


def canary_needs(spec: MigrationSpec, canary: str, source: Rights) -> tuple[list[Need], list[Need]]:
    """What the canary needs on source and target. Who may not make it there, or delete it, does without.

    :param canary: its name on the source.
    """
    if not spec.canary:
        return [], []
    here, there = (("TOPIC", name) for name in (canary, spec.target_topic(canary)))
    skips = [Need(here, operation, _CANARY_SKIPPED, Severity.WARN) for operation in ("CREATE", "DELETE")]
    if any(source.may(*_of(need)) is False for need in skips):
        return skips, []
    why = "or the checks of the canary fail; canary: false does without"
    on_source = [Need(here, operation, why) for operation in ("WRITE", "READ", "DESCRIBE_CONFIGS")]
    ours = ("CREATE", "WRITE", "READ", "DELETE") if spec.writes_as_us else ("READ", "DELETE")
    return skips + on_source, [Need(there, operation, why) for operation in ours]


def work_needs(spec: MigrationSpec, facts: Iterable[TopicFacts], groups: Iterable[str]) -> list[Need]:
    """What is needed on the target for what this run will change there.

    :param groups: those that have commits on these topics.
    """
    holds = spec.hold_retention and not spec.keep_replicating
    needs: list[Need] = []
    for fact in facts:
        topic = ("TOPIC", fact.desired.name)
        if fact.existing and _is_ours(spec):
            change = topic_changes([fact.desired], {fact.desired.name: fact.existing})[0]
            needs += [Need(topic, "ALTER", f"to grow it to {change.grow_to} partitions")] if change.grow_to else []
            if change.set_configs:
                keys = ", ".join(key for key, _ in change.set_configs)
                needs.append(Need(topic, "ALTER_CONFIGS", f"to set {keys}"))
        held = to_hold(fact.desired, fact.existing, fact.at_risk()) if holds else {}
        if ages := [key for key in held if key not in SIZES]:
            needs.append(Need(topic, "ALTER_CONFIGS", f"to hold {', '.join(ages)} during the copy (hold_retention)"))
        elif held:
            needs.append(Need(topic, "ALTER_CONFIGS", _LIFTED.format(", ".join(held)), Severity.WARN))
    return needs + [Need(("GROUP", group), "READ", "to commit its offsets") for group in groups]


def permission_findings(rights: Rights, needs: Sequence[Need], param: str) -> list[Finding]:
    """One finding for each resource and severity that lacks rights, and one for all that could not be foreseen.

    :param param: that a refusal names: of the cluster's connection.
    """
    lacking: dict[tuple[Resource, Severity], list[Need]] = {}
    unknown: list[Need] = []
    for need in needs:
        allowed = rights.may(*_of(need))
        if allowed is False:
            lacking.setdefault((need.resource, need.severity), []).append(need)
        elif allowed is None:
            unknown.append(need)
    found = [_finding(rights, severity, mine, param) for (_, severity), mine in lacking.items()]
    return [*found, *([_not_seen(rights, unknown, param)] if unknown else [])]


def _finding(rights: Rights, severity: Severity, needs: Sequence[Need], param: str) -> Finding:
    reasons: dict[str, list[str]] = {}
    for need in needs:
        operations = reasons.setdefault(need.why, [])
        operations += [need.operation] if need.operation not in operations else []
    what = "; ".join(f"{' and '.join(operations)}, {why}" for why, operations in reasons.items())
    subject = f"{label(needs[0].resource)} on {rights.conn_id}"
    return Finding(severity, _CODE, subject, f"{principal_name(rights)} lacks {what}", _cure(rights, needs), param)


def _cure(rights: Rights, needs: Sequence[Need]) -> str:
    resource = needs[0].resource
    operations = list(dict.fromkeys(need.operation for need in needs))
    denied = {acl: None for operation in operations for acl in rights.denials(resource, operation)}
    commands = [f"kafka-acls {acl.command().replace('--add', '--remove', 1)}" for acl in denied]
    missing = [operation for operation in operations if not rights.denials(resource, operation)]
    if missing:
        commands.append(grant_command(rights, resource, missing))
    return " && ".join(commands)


def grant_command(rights: Rights, resource: Resource, operations: Iterable[str]) -> str:
    """The command of Kafka's that gives these rights; ``--bootstrap-server`` is left to the reader."""
    kind, name = resource
    parts = ["--add", "--allow-principal", rights.principal or "User:<its principal>"]
    parts += [part for operation in operations for part in ("--operation", operation)]
    parts += ["--cluster"] if kind == "CLUSTER" else [f"--{kind.lower()}", name]
    return f"kafka-acls {shlex.join(parts)}"


def invisible(rights: Rights, resources: Iterable[Resource], param: str, severity: Severity) -> list[Finding]:
    """Topics or groups that the user named and that the connection's user cannot see. Absent ones look the same."""
    return [
        Finding(
            severity, _CODE, f"{label(resource)} on {rights.conn_id}",
            f"does not exist, or {principal_name(rights)} lacks DESCRIBE on it (Kafka does not say which): not copied",
            grant_command(rights, resource, ["READ"] if resource[0] == "TOPIC" else ["DESCRIBE"]), param,
        )
        for resource in resources
    ]  # fmt: skip


def _not_seen(rights: Rights, needs: Sequence[Need], param: str) -> Finding:
    operations = ", ".join(sorted({need.operation for need in needs}))
    names = list(dict.fromkeys(label(need.resource) for need in needs))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Finding(
        Severity.ADVISE,
        _CODE,
        f"rights on {rights.conn_id}",
        f"{operations} on {', '.join(names[:3])}{more} could not be checked: what does not exist yet has no rights to "
        f"ask for, and {rights.reason}",
        "the table in docs/security.md; a missing right stops the run at the step that needs it",
        param,
    )


def principal_name(rights: Rights) -> str:
    """The principal, or whose it is."""
    return rights.principal or f"the user of connection {rights.conn_id}"


def label(resource: Resource) -> str:
    """``topic orders``, ``group billing``, ``the cluster``."""
    return "the cluster" if resource[0] == "CLUSTER" else f"{resource[0].lower()} {resource[1]}"


def _of(need: Need) -> tuple[Resource, str]:
    return need.resource, need.operation
