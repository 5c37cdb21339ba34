"""Begin a backup: ask the cluster what there is, freeze the ranges, and write the manifest before the first object."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Literal

from kafka_ferry.core.group_types import SHARE, STREAMS
from kafka_ferry.core.streams_application import StreamsApplication, applications, halves
from kafka_ferry.core.topics import mm2_group_refusal, select, without_ids
from kafka_ferry.core.unmatched import did_you_mean
from kafka_ferry.core.unnamed_groups import NO_COMMIT, without_unnamed
from kafka_ferry.core.words import shown
from kafka_ferry.exceptions import BadParam, FerryError, NotAuthorized
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.backup.rules.manifest import GroupOffset, Manifest, State
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup, lineage, plan_topic, reached
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.backup.store.around import Around
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.schemas import keep_schemas
from kafka_ferry.jobs.backup.store.store_clock import clock_problem

log = logging.getLogger(__name__)


def begin_backup(
    admin: KafkaAdmin,
    catalogue: Catalogue,
    spec: BackupSpec,
    backup_id: str,
    now: str,
    look_around: Callable[[], Around] = Around,
) -> Manifest:
    """The manifest of a backup: the one that is there, so that a retry resumes, or a new one, written IN_PROGRESS.

    :param now: ISO 8601, UTC. ``look_around``: what it has beside topics, groups and ACLs.
    :raises BadParam: nothing matches ``topics``.
    :raises DataLossError: a log ends before what the parent has of it.
    """
    known = catalogue.read(backup_id)
    if known is not None:
        if known.state is not State.COMPLETE:
            check_topic_ids(admin, known)
        return known
    manifest = plan_backup(admin, catalogue, spec, backup_id, now)
    around = look_around()  # after the ends: a schema is registered before the first record that has its id
    if around.schemas:  # before the manifest, or a retry would find one that names what nobody has any more
        keep_schemas(catalogue.store, around.schemas, around.packed)
    manifest = around.added_to(manifest)
    catalogue.write(manifest)
    return manifest


_WHY = {SHARE: "a backup holds committed offsets only"}
_HALVES = 20  # notes about applications that are in a backup by half

_INSTEAD_OF_IDS = (
    "a topic that is deleted and recreated between two backups is noticed only when its log ends before the last "
    "backup's end. Fix: after recreating a topic, back up with mode full"
)


def plan_backup(admin: KafkaAdmin, catalogue: Catalogue, spec: BackupSpec, backup_id: str, now: str) -> Manifest:
    """What a backup begun now would cover. Writes nothing."""
    cluster_id = admin.describe_cluster().cluster_id
    there = admin.topic_names()
    selection = select("topics", there, spec.topics, spec.exclude_topics, never=_never, by_default=lambda _: None)
    names = selection.names
    if not names:
        hint = "".join(did_you_mean(entry, there) for entry in spec.topics[:3])
        seen = ", ".join(name for name in there if not name.startswith("__"))[:500] or "none"
        raise BadParam("topics", f"nothing on the cluster matches {spec.topics}{hint}", f"topics there: {seen}")
    complete = catalogue.complete()
    mode, chain, notes = _parent(complete, spec, cluster_id)
    notes += [
        f"topics entry {entry!r} matches nothing on the cluster{did_you_mean(entry, there)}"
        for entry in selection.unmatched
    ]
    before = reached(chain)
    topics = admin.topics(names)
    # Before the ends: a group at work must not stand behind them.
    groups, left_out, halved = _groups(admin, spec, set(topics), there)
    partitions = [(topic.name, number) for topic in topics.values() for number in range(topic.partitions)]
    ends = admin.offsets(partitions, "latest", spec.isolation_level)
    begins = admin.offsets(partitions, "earliest", spec.isolation_level)
    planned = [plan_topic(topic, begins, ends, before.get(name)) for name, topic in sorted(topics.items())]
    notes += [
        f"topic {topic.name} was recreated (topic id {topic.recreated} became {topic.topic_id}): backed up from its "
        "beginning"
        for topic in planned
        if topic.recreated
    ]
    notes += without_ids(admin.name, [topic.topic_id for topic in topics.values()], _INSTEAD_OF_IDS)
    wrong = clock_problem(catalogue.store, datetime.now(UTC))
    notes += [wrong] if wrong else []
    acls, note = _acls(admin) if spec.acls else (None, None)
    return Manifest(
        backup=spec.backup,
        backup_id=backup_id,
        mode=mode,
        parent=chain[-1].backup_id if chain else None,
        follows=next(reversed(list(complete)), None),
        created=now,
        cluster_id=cluster_id,
        isolation_level=spec.isolation_level,
        topics=planned,
        groups=groups,
        groups_left_out=left_out,
        acls=acls,
        notes=[*notes, *(admin.metadata_note() if groups else []), *([note] if note else []), *halved],
    )


def check_topic_ids(admin: KafkaAdmin, manifest: Manifest) -> None:
    """:raises FerryError: a topic was deleted or recreated since its ranges were frozen."""
    ids = admin.topic_ids([topic.name for topic in manifest.topics])
    changed = [topic.name for topic in manifest.topics if ids.get(topic.name) != topic.topic_id]
    if changed:
        raise FerryError(
            f"backup {manifest.backup_id!r} cannot be finished: deleted or recreated since it began: "
            f"{', '.join(changed[:20])}. Fix: start a new one"
        )


def _parent(
    complete: Mapping[str, Manifest], spec: BackupSpec, cluster_id: str
) -> tuple[Literal["full", "incremental"], list[Manifest], list[str]]:
    if spec.mode == "full" or not complete:
        return "full", [], [] if spec.mode == "full" else ["the first one of its name: full"]
    try:
        chain = lineage(complete, next(reversed(list(complete))))
    except IncompleteBackup as error:
        return "full", [], [f"the last backup cannot be restored: {error}: full"]
    last = chain[-1]
    if last.cluster_id != cluster_id:
        return "full", [], [f"the last backup is of another cluster ({last.cluster_id}): full"]
    if last.isolation_level != spec.isolation_level:
        return "full", [], [f"the last backup was read {last.isolation_level}: full"]
    if spec.full_every is not None and len(chain) > spec.full_every:
        return "full", [], [f"{len(chain) - 1} incremental backups since the last full one: full"]
    return "incremental", chain, []


def _never(name: str) -> str | None:
    return "Kafka's own topics hold the state of one cluster" if name.startswith("__") else None


def _groups(
    admin: KafkaAdmin, spec: BackupSpec, topics: set[str], there: list[str]
) -> tuple[dict[str, list[GroupOffset]], dict[str, str], list[str]]:
    """The groups' committed offsets; why each of the others that the params mean is left out; and what is said of Kafka
    Streams applications that are in it by half.

    :param there: all topics of the cluster.
    """
    if not spec.groups:
        return {}, {}, []
    consumers, listed, types = admin.all_groups()
    # Offsets of streams groups (KIP-1071) are committed and read as those of consumer groups are.
    streams = {name: group.state for name, group in listed.items() if group.type == STREAMS and "\0" not in name}
    states = {**consumers, **streams}
    others = {
        name: replace(group, why=_WHY.get(group.type, "")) for name, group in listed.items() if name not in streams
    }
    selection = select(
        "groups",
        states,
        spec.groups,
        spec.exclude_groups,
        never=lambda _: None,
        by_default=mm2_group_refusal,
        others=others,
    )
    chosen = without_unnamed(selection, admin.can_name)
    committed = admin.commits(chosen.names)
    found = {
        group: [
            GroupOffset(topic=topic, partition=number, offset=commit.offset, metadata=commit.metadata)
            for (topic, number), commit in sorted(commits.items())
            if topic in topics
        ]
        for group, commits in committed.items()
    }
    left_out = {item.name: item.reason for item in chosen.skipped} | {n: str(others[n]) for n in chosen.others}
    left_out |= {group: NO_COMMIT for group, offsets in found.items() if not offsets}
    kept = {group: offsets for group, offsets in sorted(found.items()) if offsets}
    ids = {**states, **{name: group.state for name, group in others.items() if group.type not in (SHARE, "connect")}}
    reads = {group: {topic for topic, _ in commits} for group, commits in committed.items()}
    known = applications(there, ids, {**types, **dict.fromkeys(streams, STREAMS)}, reads)
    return kept, dict(sorted(left_out.items())), _halved(known, topics, kept)


def _halved(known: list[StreamsApplication], topics: set[str], groups: Mapping[str, Any]) -> list[str]:
    said = [
        f"Kafka Streams application {shown(one.id)} is in this backup by half: {text}"
        for one in known
        for text in halves(one, topics, groups)
    ]
    more = len(said) - _HALVES
    return [*said[:_HALVES], *([f"{more:,} more such notes about Kafka Streams applications"] if more > 0 else [])]


def _acls(admin: KafkaAdmin) -> tuple[list[dict[str, str]] | None, str | None]:
    try:
        acls = admin.acls()
    except NotAuthorized as error:
        return None, f"ACLs are not in this backup: {error}"
    if acls is None:
        return None, "the cluster has no authorizer: there are no ACLs"
    return [asdict(acl) for acl in acls], None
