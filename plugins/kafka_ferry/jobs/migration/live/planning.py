"""What a migration would do, asked from the live systems. Changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pendulum

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding, finding_lines, refuse, worst_first
from kafka_ferry.core.group_types import by_type
from kafka_ferry.core.java_login import java_login_findings
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.plan import Estimate, PlannedEngine, PlannedTopic, Side
from kafka_ferry.core.topics import TopicState, without_ids
from kafka_ferry.core.words import shown
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.kafka.admin import Cluster
from kafka_ferry.hooks.kafka.authorized_operations import principal_of
from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.live.acls import (
    NoAuthorizer,
    acl_diff,
    policy_notes,
    stopping_acls,
    unmatched_principals,
)
from kafka_ferry.jobs.migration.live.flows import Flows
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.live.handed_over import handed_over
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.permissions import Permissions
from kafka_ferry.jobs.migration.live.preflight import Preflight
from kafka_ferry.jobs.migration.live.quotas import quota_changes
from kafka_ferry.jobs.migration.live.registry import registry_plan
from kafka_ferry.jobs.migration.live.removal import by_hand
from kafka_ferry.jobs.migration.live.schema_ids import refuse_no_registry
from kafka_ferry.jobs.migration.live.scram_users import scram_changes
from kafka_ferry.jobs.migration.rules.around import Acls
from kafka_ferry.jobs.migration.rules.estimate import estimate
from kafka_ferry.jobs.migration.rules.groups_plan import (
    KEPT,
    GroupPlanLine,
    all_groups,
    group_lines,
    groups_in_plan,
    uncommitted,
)
from kafka_ferry.jobs.migration.rules.naming import check_names, refuse_copies_of_copies
from kafka_ferry.jobs.migration.rules.old_brokers import too_old_for_the_engine, too_old_to_change
from kafka_ferry.jobs.migration.rules.plan import MigrationPlan
from kafka_ferry.jobs.migration.rules.provision import (
    check_provisioning,
    check_replication,
    topic_changes,
)
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.report.artifacts import GROUPS_PLAN

log = logging.getLogger(__name__)


def make_plan(
    migration: Migration, keep: Callable[[str, str], Any] | None = None, flows: Flows | None = None
) -> MigrationPlan:
    """What would be done.

    :param keep: writes an artifact beside it, name and text: what is too large for plan.json.
    :param flows: to look for loops, and for other migrations into the same topics.
    :raises BadParam: a wish that cannot be fulfilled; ``BadConnection``, ``TransientError`` as the hooks do.
    """
    planned, spec = pendulum.now("UTC").isoformat(), migration.spec
    check_provisioning(spec)
    permissions = Permissions(migration)
    rights = permissions.findings()
    _tell("rights:", rights)  # first: every later look needs some of them
    refuse(rights)
    source, target = migration.source.admin.describe_cluster(), migration.target.admin.describe_cluster()
    one_cluster = source.cluster_id == target.cluster_id
    if one_cluster and spec.target_topic("topic") == "topic":
        raise BadParam(
            "target_conn_id",
            f"{spec.target_conn_id!r} is the same cluster as {spec.source_conn_id!r} ({source.cluster_id}): with equal "
            "names every topic would be copied into itself",
            "another connection, or naming: prefix, or rename with a format that changes names",
        )
    refuse_no_registry(spec)
    engine = engine_of(migration)
    about = engine.about()
    refuse(old := _old_brokers(migration, engine, about.get("version")))
    check_names(spec, migration.topics.targets(spec))
    if one_cluster:
        refuse_copies_of_copies(spec, migration.topics.selection, migration.topics.targets(spec))
    refuse(handed_over(migration, by_hand))  # before anything that takes what is there for a copy
    schemas, carried, told = registry_plan(spec)
    before = [*carried, *rights, *old, *_java_login(migration, engine), *engine.findings()]
    findings = _preflight(migration, target, permissions, before, flows)
    topics, groups = migration.topics, migration.groups
    desired = migration.desired_topics(topics.topics.values())
    existing = migration.target_topics()
    changes = [change.change for change in topic_changes(desired, existing)]
    users, needless = scram_changes(migration)
    findings = worst_first([*findings, *needless])
    changes += schemas + users + quota_changes(migration) + _acl_changes(migration) + engine.changes()
    begins = migration.source.admin.offsets(topics.partitions, "earliest", spec.isolation_level)
    ends = migration.source.admin.offsets(topics.partitions, "latest", spec.isolation_level)
    sizes = {topic: one.bytes / one.records for topic, one in migration.sampled.items()}
    resumed = engine.resume(existing)
    places: dict[str, list[tuple[str, int]]] = {name: [] for name in topics.topics}
    for tp in ends:
        places[tp[0]].append(tp)
    lines = [_topic_line(spec, name, mine, begins, ends, sizes, resumed) for name, mine in places.items()]
    records, size = sum(line.records or 0 for line in lines), sum(line.bytes or 0 for line in lines)
    left = records - sum(line.already_there or 0 for line in lines)
    commits = plan_groups(migration, ends)
    beside = GROUPS_PLAN if keep and len(commits) > KEPT else None
    if keep and beside:
        keep(beside, all_groups(commits))
    guess = estimate(
        spec.throughput.value, left, round(size * left / records) if records else 0, len(topics.partitions)
    )
    return MigrationPlan(
        planned=planned,
        spec=spec.model_dump(mode="json"),
        source=Side(conn_id=spec.source_conn_id, cluster_id=source.cluster_id, brokers=source.brokers),
        target=Side(conn_id=spec.target_conn_id, cluster_id=target.cluster_id, brokers=target.brokers),
        engine=PlannedEngine(name=spec.engine, **about),
        topics=lines,
        records=records,
        bytes=size,
        skipped_topics={item.name: item.reason for item in topics.selection.skipped},
        groups={group: len(offsets) for group, offsets in groups.committed.items()},
        group_offsets=groups_in_plan(commits, beside),
        skipped_groups=groups.skipped,
        groups_without_commits=groups.bare,
        changes=changes,
        estimate=Estimate(seconds=round(guess.seconds), basis=guess.basis + engine.estimate_note),
        findings=findings,
        notes=[
            *uncommitted(migration.groups.committed, ends, migration.groups.shares),
            *_notes(migration),
            *_without_ids(migration, existing),
            *_for_a_while(migration, engine),
            *policy_notes(migration, keep),
            *told,
        ],
    )


def _old_brokers(migration: Migration, engine: Engine, version: str | None) -> list[Finding]:
    """:param version: of the engine's Kafka, where the plan knows it."""
    spec, found = migration.spec, []
    for cluster, param in ((migration.source, "source_conn_id"), (migration.target, "target_conn_id")):
        if engine.may_be_kafka_4 and not cluster.admin.capabilities.for_kafka_4:
            found += too_old_for_the_engine(cluster.conn_id, param, version)
    if not migration.target.admin.capabilities.changes_configs:
        found.append(too_old_to_change(spec.target_conn_id))
    return found


def _java_login(migration: Migration, engine: Engine) -> list[Finding]:
    clusters = {"source_conn_id": migration.source, "target_conn_id": migration.target}
    return [
        finding
        for param, cluster in clusters.items()
        if param in engine.logs_in_to
        for finding in java_login_findings(cluster.conn_id, param, cluster.extra)
    ]


def _preflight(
    migration: Migration, target: Cluster, permissions: Permissions, known: list[Finding], flows: Flows | None
) -> list[Finding]:
    """What would go wrong; told at once, so that a later refusal does not hide it.

    :param known: what was found before.
    """
    desired = migration.desired_topics(migration.topics.topics.values())
    found = Preflight(migration, permissions=permissions).findings()
    findings = worst_first(
        [
            *known,
            *found,
            *_stopping_acls(migration),
            *unmatched_principals(migration),
            *(flows.findings() if flows else []),
        ]
    )
    _tell("preflight:", findings)
    check_replication(migration.spec, desired, target.brokers, target.default_replication_factor)
    refuse(findings)
    return findings


def _tell(title: str, findings: list[Finding]) -> None:
    if findings:
        log.info("\n".join([title, *finding_lines(findings)]))


def _acl_changes(migration: Migration) -> list[Change]:
    if migration.spec.acls is not Acls.COPY:
        return []
    if migration.spec.delete_acls_of and principal_of(migration.target.extra) is None:
        raise BadParam(
            "delete_acls_of",
            f"is given, and connection {migration.spec.target_conn_id!r} does not tell as whom it logs in: its own "
            "ACLs could not be spared",
            "leave it out, and kafka-acls --remove",
        )  # fmt: skip
    with _needs_authorizer():
        return acl_diff(migration, migration.topics.targets(migration.spec)).changes()


def _stopping_acls(migration: Migration) -> list[Finding]:
    with _needs_authorizer():
        return stopping_acls(migration)


@contextmanager
def _needs_authorizer() -> Iterator[None]:
    try:
        yield
    except NoAuthorizer as error:
        raise BadParam("acls", f"is copy, but {error}", "acls: check, or skip") from error


def _topic_line(
    spec: MigrationSpec,
    name: str,
    mine: list[tuple[str, int]],
    begins: dict[tuple[str, int], int],
    ends: dict[tuple[str, int], int],
    sizes: dict[str, float],
    resumed: dict[tuple[str, int], int],
) -> PlannedTopic:
    records = sum(ends[tp] - begins[tp] for tp in mine)
    return PlannedTopic(
        source=name,
        target=spec.target_topic(name),
        partitions=len(mine),
        records=records,
        bytes=round(records * sizes.get(name, 0)),
        already_there=sum(max(0, resumed[tp] - begins[tp]) for tp in mine if tp in resumed),
    )


def _for_a_while(migration: Migration, engine: Engine) -> list[str]:
    """What the run changes beside its ``changes`` and takes back at its end."""
    spec, notes = migration.spec, []
    when = "left there with keep_replicating" if spec.keep_replicating else "deleted at the end"
    if own := engine.own_topics():
        notes.append(f"the engine's own topics are created on the target and {when}: {', '.join(own)}")
    if spec.canary:
        names = f"{migration.canary} on the source, {spec.target_topic(migration.canary)} on the target"
        notes.append(f"a canary topic is created, and deleted at the end: {names}")
    if spec.hold_retention and not spec.keep_replicating:
        notes.append(
            "age and size limits that would affect these records are lifted on the target's topics during the copy, "
            "and restored at the end (hold_retention); the log of deploy names them"
        )
    return notes


def _notes(migration: Migration) -> list[str]:
    groups, notes = migration.groups, []
    if any(groups.types.values()):
        notes.append(f"groups of the source by type: {by_type(groups.types.values())}")
    if bare := groups.bare:
        more = f" and {len(bare) - 10} more, see groups_without_commits in plan.json" if len(bare) > 10 else ""
        notes.append(
            f"groups without a commit on these topics, nothing to copy: {', '.join(map(shown, bare[:10]))}{more}"
        )
    if unasked := groups.unasked:
        more = f" and {len(unasked) - 10} more" if len(unasked) > 10 else ""
        notes.append(f"groups not selected by param groups: {', '.join(map(shown, unasked[:10]))}{more}")
    if groups.committed:
        notes += [*migration.source.admin.metadata_note(), *migration.target.admin.metadata_note()]
    advice = PROFILES[migration.spec.throughput].advice
    return notes + ([advice] if advice else [])


def _without_ids(migration: Migration, existing: Mapping[str, TopicState]) -> list[str]:
    instead = (
        "a topic that is deleted and recreated during the copy is noticed when its log ends earlier than before, and "
        "by the comparison of records"
    )
    spec, sides = migration.spec, (migration.topics.topics, existing)
    return [
        note
        for conn_id, topics in zip((spec.source_conn_id, spec.target_conn_id), sides, strict=True)
        for note in without_ids(conn_id, [topic.topic_id for topic in topics.values()], instead)
    ]


def plan_groups(migration: Migration, ends: Mapping[Partition, int]) -> list[GroupPlanLine]:
    """The dry table of group offsets.

    :param ends: log ends of the source's partitions.
    """
    committed = migration.groups.committed
    if not committed:
        return []
    positions = GroupPositions(migration.target.admin, migration.groups.kinds)
    active = positions.active()
    there = {
        group: {tp: commit.offset for tp, commit in own.items()} for group, own in positions.commits(committed).items()
    }
    return group_lines(migration.spec, committed, ends, there, active)
