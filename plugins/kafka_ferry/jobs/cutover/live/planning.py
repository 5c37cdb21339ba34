"""Reconcile: what a cutover would do, from the live clusters, and what speaks against it. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pendulum

from kafka_ferry.compat import hitl_operator
from kafka_ferry.core.acls import Acl
from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding, Severity, finding_lines, refuse, worst_first
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.plan import PlannedTopic, Side
from kafka_ferry.core.producers import ProducerState
from kafka_ferry.core.rights import CLUSTER
from kafka_ferry.core.streams_application import application_findings
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.exceptions import BadParam, FerryError, TransientError
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.authorized_operations import RightsSurvey
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.cutover.live.foreign_writers import foreign_writers
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.live.webhook import Webhook
from kafka_ferry.jobs.cutover.rules.changes import change_notes, window_changes
from kafka_ferry.jobs.cutover.rules.fence import fence_acls, to_add, without_acls
from kafka_ferry.jobs.cutover.rules.foreign_writers import foreign_writer_findings
from kafka_ferry.jobs.cutover.rules.old_connect import refuse_no_stop
from kafka_ferry.jobs.cutover.rules.plan import (
    OPEN_KEY,
    CutoverPlan,
    first_acls,
    groups_by_halves,
    open_for_long,
    other_waves,
    producers_by_halves,
    seldom_writers,
)
from kafka_ferry.jobs.cutover.rules.spec import Fence
from kafka_ferry.jobs.cutover.rules.standstill import asleep, by_halves, lingering, seldom
from kafka_ferry.jobs.cutover.rules.waves import Waves
from kafka_ferry.jobs.migration.rules.naming import refuse_shared_targets

_NAMED = 50


def make_plan(
    wave: Wave, known: Sequence[Finding] = (), before: Sequence[Change] = (), *, with_waves: bool = True
) -> CutoverPlan:
    """plan.json.

    :param known: what was found already. ``before``: what is changed before the window.
    :param with_waves: tell how far all waves of the source have come.
    :raises BadParam: it cannot work.
    """
    spec, migration = wave.spec, wave.migration
    source, target = wave.source.admin.describe_cluster(), wave.target.admin.describe_cluster()
    if source.cluster_id == target.cluster_id:
        raise BadParam("target_conn_id", "leads to the source cluster", "a connection to another cluster")
    if spec.approval and hitl_operator() is None:
        raise BadParam("approval", "is on, and this Airflow cannot ask a person", "approval: false; or Airflow 3.1")
    for conn_id in filter(None, (spec.fence_webhook_conn_id, spec.handover_webhook_conn_id)):
        Webhook(conn_id)
    refuse_shared_targets(wave.targets, "rename")
    topics, there = migration.topics.topics, migration.target_topics()
    if absent := sorted(name for name in wave.targets.values() if name not in there):
        raise BadParam("topics", f"not on the target: {', '.join(absent[:5])}", "migrate them first (keep_replicating)")
    states = _producers(wave)
    names = wave.transactional_ids()
    groups = migration.groups
    fence, kept = _fence(wave)
    findings = [
        *known,
        *other_waves(wave.journals.all(), (wave.dag_id, wave.run_id), spec.wave, wave.targets),
        *kept,
        *application_findings(migration.applications, topics, groups.committed, spec.target_topic),
        *producers_by_halves(by_halves(states, wave.targets, names)),
        *groups_by_halves(groups.reads, wave.targets),
        *_connector_findings(wave),
        # A way back has refused already what others wrote where it will write.
        *(_written_on_target(wave) if with_waves else []),
    ]
    later, now_ms = wave.producers(states), int(pendulum.now("UTC").timestamp() * 1000)
    gone = asleep(states, later, now_ms)
    mine = {tp: of for tp, of in later.items() if tp[0] in topics}
    wait = spec.transaction_timeout
    if wave.spec.fence is not Fence.ACL:
        findings += seldom_writers(seldom(mine, now_ms, spec.silence), names, spec.silence)
    findings += open_for_long(lingering(states, mine, now_ms, wait, names), wait)
    awake = {tp: [one for one in known if one.producer_id not in gone] for tp, known in states.items()}
    writing = {tp: known for tp, known in awake.items() if tp[0] in topics}
    plan = CutoverPlan(
        planned=pendulum.now("UTC").isoformat(),
        spec=spec.model_dump(mode="json"),
        source=Side(conn_id=spec.source_conn_id, cluster_id=source.cluster_id, brokers=source.brokers),
        target=Side(conn_id=spec.target_conn_id, cluster_id=target.cluster_id, brokers=target.brokers),
        topics=[
            PlannedTopic(source=name, target=wave.targets[name], partitions=topic.partitions)
            for name, topic in topics.items()
        ],
        findings=worst_first(findings),
        notes=[
            f"{number_of(len(topics), 'topic')}, {number_of(len(wave.names), 'partition')}, "
            f"{number_of(len(groups.committed), 'group')}; fence {spec.fence.value}, silence {spec.silence:g} s",
            *([] if wave.tells_producers else ["the source's brokers do not tell who writes (KIP-664, Kafka 2.8): "
                                               "producers are seen by their records alone"]),
            *(_waves(wave, awake, names) if with_waves else []),
            *([f"not named: {number_of(len(gone), 'producer')} that wrote last over ten minutes ago"] if gone else []),
            *change_notes([*before, *window_changes(spec, fence, sorted(groups.committed))]),
        ],
        writers=[f"{who}: {', '.join(of[:5])}" for who, of in _by_producer(writing, names).items()][:_NAMED],
        readers=[f"{shown(group)}: {groups.all_states.get(group, '')}" for group in sorted(groups.committed)][:_NAMED],
        skipped_topics={item.name: item.reason for item in migration.topics.selection.skipped},
        skipped_groups=groups.skipped,
    )  # fmt: skip
    refuse(plan.findings)
    return plan


def _waves(wave: Wave, states: Mapping[Partition, Sequence[ProducerState]], names: Mapping[int, str]) -> list[str]:
    """How far the waves of the source have come, from their journals and from the cluster."""
    groups = wave.migration.groups
    return Waves.of(
        wave.journals.all(), wave.migration.topics.names, groups.reads, groups.all_states, _by_producer(states, names)
    ).lines()


def _written_on_target(wave: Wave) -> list[Finding]:
    return foreign_writer_findings(foreign_writers(wave), wave.journals.all(), wave.source.conn_id, wave.target.conn_id)


def plan_text(plan: CutoverPlan) -> str:
    """For the log."""
    parts = [*plan.notes, *finding_lines(plan.findings)]
    parts += [f"writes: {one}" for one in plan.writers] + [f"reads: {one}" for one in plan.readers]
    return "\n".join(parts)


def _producers(wave: Wave) -> dict[Partition, list[ProducerState]]:
    """Of all topics that may be read, as an application may write beside the wave; nothing where nobody tells."""
    try:
        described = wave.source.admin.topics(name for name in wave.migration.topics.names if not name.startswith("__"))
        places = [(name, number) for name, topic in described.items() for number in range(topic.partitions)]
        return wave.producers(places)
    except FerryError as error:
        if isinstance(error, TransientError):
            raise
        return wave.producers(wave.names)  # others may not be seen


def _by_producer(states: Mapping[Partition, Sequence[ProducerState]], names: Mapping[int, str]) -> dict[str, list[str]]:
    """Producer, in words, to its topics."""
    found: dict[int, set[str]] = {}
    for (topic, _), known in states.items():
        for one in known:
            found.setdefault(one.producer_id, set()).add(topic)
    return {
        f"producer id {number}" + (f", transactional id {names[number]}" if number in names else ""): sorted(of)
        for number, of in sorted(found.items())
    }


def _fence(wave: Wave) -> tuple[list[Acl], list[Finding]]:
    """ACLs that have to be made, and what is said about those that are there already."""
    if wave.spec.fence is not Fence.ACL:
        return [], []
    there = wave.source.admin.acls()
    if there is None:
        raise BadParam("fence", "is acl, and the source has no authorizer, so no ACL stops anybody", "webhook or prove")
    rights, _ = RightsSurvey.of(wave.source).rights([], [])
    if rights.may(CLUSTER, "ALTER") is False:
        who = rights.principal or "its user"
        raise BadParam(
            "fence", f"is acl, and {who} of connection {wave.spec.source_conn_id!r} may make no ACLs there",
            f"kafka-acls --add --allow-principal {who} --operation Alter --cluster; or fence webhook or prove",
        )  # fmt: skip
    added, kept = to_add(fence_acls(wave.targets), there)
    bare = without_acls(wave.targets, there)
    return added, first_acls(bare, may_be_open=bool(bare) and KafkaSurvey.of(wave.source).sets(OPEN_KEY)) + [
        Finding(Severity.WARN, "fence", f"topic {acl.name}", "has a DENY of WRITE for everybody already, which is not "
                "ours and stays", "delete it, if it was left behind")
        for acl in kept
    ]  # fmt: skip


def _connector_findings(wave: Wave) -> list[Finding]:
    if not wave.spec.end_connectors or not wave.spec.connect_conn_id:
        return []
    connect = ConnectHook(wave.spec.connect_conn_id)
    refuse_no_stop(connect.info().version, "end_connectors")
    known = set(connect.connectors())
    return [
        Finding(Severity.REFUSE, "connectors", f"connector {name}", f"is not on {wave.spec.connect_conn_id}",
                f"one of: {', '.join(sorted(known)[:10])}", "end_connectors")
        for name in wave.spec.end_connectors
        if name not in known
    ]  # fmt: skip
