"""Which offsets a backup covers, where a killed export resumes, and when it is complete. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import DataLossError, FerryError
from kafka_ferry.jobs.backup.rules.manifest import Gap, Manifest, PartitionBackup, Segment, TopicBackup


class IncompleteBackup(FerryError):
    """Segments do not cover what the backup promised."""


@dataclass(frozen=True)
class Reached:
    """Where the chain of backups before this one stands on a topic.

    :param ends: partition to the end of what is backed up.
    """

    topic_id: str
    ends: Mapping[int, int]


def reached(chain: Iterable[Manifest]) -> dict[str, Reached]:
    """Where a chain ends, by topic.

    :param chain: manifests from the full one on, in order. A topic that a later one leaves out stands where it stood.
    """
    found: dict[str, Reached] = {}
    for manifest in chain:
        for topic in manifest.topics:
            before = found.get(topic.name)
            kept = dict(before.ends) if before and before.topic_id == topic.topic_id else {}
            found[topic.name] = Reached(
                topic.topic_id, kept | {partition.partition: partition.end for partition in topic.partitions}
            )
    return found


def plan_topic(
    topic: TopicState, begins: Mapping[Partition, int], ends: Mapping[Partition, int], before: Reached | None
) -> TopicBackup:
    """The ranges of one topic, without segments.

    :param begins: log start offsets. ``ends``: frozen ends, by the isolation level of the backup.
    :param before: what the parent holds; None for a full backup.
    :raises DataLossError: a log ends before what the parent has of it.
    """
    same = before is not None and before.topic_id == topic.topic_id
    partitions = []
    for number in range(topic.partitions):
        at = topic.name, number
        wanted = before.ends.get(number, 0) if before and same else 0
        if ends[at] < wanted:
            raise DataLossError(
                f"{topic.name}-{number}: its log ends at {ends[at]}, the last backup reaches to {wanted}: records "
                "that were backed up are gone from the cluster (an unclean leader election, or a restored disk). "
                "Fix: find the cause, then back up with mode full"
            )
        begin = max(wanted, begins[at])
        gone = [Gap(begin=wanted, end=begin, reason="retention")] if begin > wanted else []
        # An end below the begin: everything was deleted up to a log start that lies in an open transaction.
        partitions.append(PartitionBackup(partition=number, begin=begin, end=max(begin, ends[at]), gaps=gone))
    return TopicBackup(
        name=topic.name,
        topic_id=topic.topic_id,
        replication_factor=topic.replication_factor,
        configs=dict(topic.configs),
        compacted=topic.compacted,
        log_append_time=topic.log_append_time,
        recreated=before.topic_id if before is not None and not same else None,
        partitions=partitions,
    )


def chain_segments(begin: int, end: int, found: Iterable[Segment]) -> tuple[list[Segment], int]:
    """The segments that cover a range from its begin on without a hole, and how far they come.

    Two tries of an export may have written overlapping ones: those are taken that come farthest.
    """
    by_begin: dict[int, list[Segment]] = {}
    for segment in found:
        if begin <= segment.begin < segment.end <= end:
            by_begin.setdefault(segment.begin, []).append(segment)
    farthest: dict[int, tuple[int, Segment]] = {}
    for start in sorted(by_begin, reverse=True):
        ways = [(farthest[one.end][0] if one.end in farthest else one.end, one) for one in by_begin[start]]
        farthest[start] = max(ways, key=lambda way: (way[0], way[1].end))
    chain, at = [], begin
    while at in farthest:
        chain.append(farthest[at][1])
        at = chain[-1].end
    return chain, at


def completed(manifest: Manifest, journal: Mapping[Partition, Sequence[Segment]], now: str) -> Manifest:
    """The manifest with its segments, ready to be declared COMPLETE; its state is for the caller to set.

    :param journal: finished segments by partition.
    :raises IncompleteBackup: a partition is not covered to its end.
    """
    topics = []
    for topic in manifest.topics:
        partitions = []
        for partition in topic.partitions:
            at = topic.name, partition.partition
            segments, end = chain_segments(partition.begin, partition.end, journal.get(at, ()))
            if end < partition.end:
                raise IncompleteBackup(
                    f"{topic.name}-{partition.partition}: exported up to offset {end}, of [{partition.begin}, "
                    f"{partition.end}). Fix: run the export again, it resumes there"
                )
            partitions.append(partition.model_copy(update={"segments": segments}))
        topics.append(topic.model_copy(update={"partitions": partitions}))
    result = manifest.model_copy(update={"topics": topics, "completed": now})
    stored = [segment for _, _, segment in result.segments()]
    totals = manifest.totals.model_copy(
        update={
            "records": sum(segment.records for segment in stored),
            "bytes": sum(segment.bytes for segment in stored),
            "size": sum(segment.size for segment in stored),
            "objects": sum(segment.key is not None for segment in stored),
        }
    )
    return result.model_copy(update={"totals": totals})


def lineage(manifests: Mapping[str, Manifest], backup_id: str) -> list[Manifest]:
    """A backup with all it builds on, the full one first.

    :param manifests: COMPLETE ones by id.
    :raises IncompleteBackup: one of them is not there.
    """
    chain: list[Manifest] = []
    wanted: str | None = backup_id
    while wanted is not None:
        manifest = manifests.get(wanted)
        if manifest is None or any(one.backup_id == wanted for one in chain):
            known = ", ".join(sorted(manifests)[-5:]) or "none"
            raise IncompleteBackup(
                f"backup {wanted!r}"
                + (f", on which {chain[-1].backup_id!r} builds," if chain else "")
                + f" is missing or not COMPLETE; the last COMPLETE ones: {known}"
            )
        chain.append(manifest)
        wanted = manifest.parent
    return chain[::-1]


def assemble(chain: Sequence[Manifest]) -> list[TopicBackup]:
    """All that a chain of backups holds, as if it were one: the topics of its last one, with all their segments.

    Of a topic that was recreated only the last life is in it.

    :raises IncompleteBackup: ranges of one partition do not follow on one another.
    """
    result = []
    for last in chain[-1].topics:
        lives = [topic for manifest in chain for topic in manifest.topics if topic.name == last.name]
        parts: dict[int, PartitionBackup] = {}
        for topic in lives:
            if topic.topic_id != last.topic_id:
                continue
            for own in topic.partitions:
                _, reach = chain_segments(own.begin, own.end, own.segments)
                if reach < own.end:
                    place = f"{last.name}-{own.partition} offsets {reach} to {own.end - 1}"
                    raise IncompleteBackup(f"{place}: no segment of the manifest covers them")
                parts[own.partition] = _joined(last.name, parts.get(own.partition), own)
        result.append(last.model_copy(update={"partitions": [parts[number] for number in sorted(parts)]}))
    return result


def _joined(topic: str, before: PartitionBackup | None, after: PartitionBackup) -> PartitionBackup:
    if before is None:
        return after
    at = before.end
    for gap in after.gaps:
        at = gap.end if gap.begin <= at else at
    if at != after.begin:
        raise IncompleteBackup(
            f"{topic}-{after.partition}: one backup ends at offset {before.end}, the next begins at {after.begin}"
        )
    # A gap between two backups is a segment without records: the ranges stay whole.
    between = [Segment(begin=gap.begin, end=gap.end, missing=gap.end - gap.begin, gaps=[gap]) for gap in after.gaps]
    return before.model_copy(update={"end": after.end, "segments": [*before.segments, *between, *after.segments]})
