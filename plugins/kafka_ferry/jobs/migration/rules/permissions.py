"""Which rights a migration needs on both clusters. Pure.

The table is docs/security.md's, found by taking one right after the other away.
"""

from __future__ import annotations

from collections.abc import Iterable

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.needs import CODE, Need, grant_command, label, principal_name
from kafka_ferry.core.retention import SIZES, to_hold
from kafka_ferry.core.rights import CLUSTER, Resource, Rights
from kafka_ferry.jobs.migration.rules.around import Acls, Quotas, ScramUsers
from kafka_ferry.jobs.migration.rules.preflight import TopicFacts
from kafka_ferry.jobs.migration.rules.provision import topic_changes
from kafka_ferry.jobs.migration.rules.spec import GroupOffsets, MigrationSpec, ProvisionThrough

_OFFSET_SYNCS = "mm2-offset-syncs."
_LIFTED = "to lift {} during the copy: without it a batch that compresses worse than on the source stops the copy"
_CANARY_SKIPPED = "without it the checks new_topics and new_records are skipped"


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
    if spec.quotas is Quotas.COPY:
        needs.append(Need(CLUSTER, "ALTER_CONFIGS", "to set quotas (param quotas is copy)"))
    if spec.scram_users is ScramUsers.CREATE:
        needs.append(Need(CLUSTER, "ALTER", "to make SCRAM users (param scram_users is create)"))
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
    if spec.scram_users is ScramUsers.CREATE:
        needs.append(Need(CLUSTER, "DESCRIBE", "to list SCRAM users (param scram_users is create)"))
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


def idempotent_needs() -> list[Need]:
    """Of an engine that writes idempotently, on a target of before Kafka 2.8."""
    return [Need(CLUSTER, "IDEMPOTENT_WRITE", "without it brokers before Kafka 2.8 refuse the engine's producer")]


def canary_needs(spec: MigrationSpec, canary: str, source: Rights) -> tuple[list[Need], list[Need]]:
    """What the canary needs on source and target. Who may not make it there, or delete it, does without.

    :param canary: its name on the source.
    """
    if not spec.canary:
        return [], []
    here, there = (("TOPIC", name) for name in (canary, spec.target_topic(canary)))
    skips = [Need(here, operation, _CANARY_SKIPPED, Severity.WARN) for operation in ("CREATE", "DELETE")]
    if any(source.may(need.resource, need.operation) is False for need in skips):
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


def invisible(rights: Rights, resources: Iterable[Resource], param: str, severity: Severity) -> list[Finding]:
    """Topics or groups that the user named and that the connection's user cannot see. Absent ones look the same."""
    return [
        Finding(
            severity, CODE, f"{label(resource)} on {rights.conn_id}",
            f"does not exist, or {principal_name(rights)} lacks DESCRIBE on it (Kafka does not say which): not copied",
            grant_command(rights, resource, ["READ"] if resource[0] == "TOPIC" else ["DESCRIBE"]), param,
        )
        for resource in resources
    ]  # fmt: skip
