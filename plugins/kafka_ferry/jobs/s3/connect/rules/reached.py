"""How far a connector has come: in the manifests of a sink, in the offsets of a source. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.jobs.backup.rules.manifest import GAPS_NAMED, Manifest, PartitionBackup, Segment, TopicBackup, Totals

SINK: Final = "sink-"
"""Ids of manifests that our sink writes begin with this."""


@dataclass(frozen=True)
class Look:
    """:param left: partitions that are not done. ``moved``: grows while there is progress. ``text``: for people.
    :param behind: offsets that are not done, at most so many records.
    """

    left: int
    moved: int
    text: str
    behind: int = 0


def sink_manifests(complete: Mapping[str, Manifest]) -> list[Manifest]:
    """Those of a sink, oldest first: each continues the one before it."""
    return [one for key, one in sorted(complete.items()) if key.startswith(SINK)]


def check_own(export: str, complete: Mapping[str, Manifest], planned: Manifest) -> None:
    """:raises BadParam: a sink would find others' objects in its way, or would go on from what this run cannot."""
    others = [key for key in complete if not key.startswith(SINK)]
    fix = "another export name; or transport: engine"
    if others:
        raise BadParam("export", f"{export!r} has exports that our S3 sink did not write, such as {others[-1]}", fix)
    if complete and planned.parent is None:
        raise BadParam("export", f"{export!r} cannot be continued: {'; '.join(planned.notes[:3])}", fix)


def uncovered(frozen: Manifest, newest: Manifest | None) -> dict[Partition, range]:
    """Of each partition that is not in manifests up to its frozen end: what is not.

    :param newest: of the sink.
    :raises FerryError: a topic was recreated since its ends were frozen, or the sink reads otherwise than asked for.
    """
    if newest and newest.isolation_level != frozen.isolation_level:
        raise FerryError(
            f"the sink's manifests say that it reads {newest.isolation_level}, and {frozen.isolation_level} was asked "
            "for: its workers have not kept to consumer.override.isolation.level. Fix: another export name with "
            f"isolation_level: {newest.isolation_level}; or transport: engine"
        )
    there = {topic.name: topic for topic in newest.topics} if newest else {}
    found = {}
    for topic in frozen.topics:
        own = there.get(topic.name)
        if own and own.topic_id != topic.topic_id:
            raise FerryError(
                f"topic {topic.name} was deleted and recreated since its ends were frozen: {own.topic_id} is in the "
                f"export, {topic.topic_id} was frozen. Fix: start a new run"
            )
        ends = {one.partition: one.end for one in own.partitions} if own else {}
        for one in topic.partitions:
            begin = max(ends.get(one.partition, 0), one.begin)
            if begin < one.end:
                found[topic.name, one.partition] = range(begin, one.end)
    return found


def merged(frozen: Manifest, written: Sequence[Manifest]) -> Manifest:
    """One manifest of what a run has exported: its topics and begins, with what the sink wrote since.

    :param written: the sink's manifests behind the frozen one's parent, in order.
    """
    topics = [_merged(topic, written) for topic in frozen.topics]
    segments = [segment for topic in topics for one in topic.partitions for segment in one.segments]
    totals = Totals(
        records=sum(one.records for one in segments),
        bytes=sum(one.bytes for one in segments),
        size=sum(one.size for one in segments),
        objects=sum(1 for one in segments if one.key),
        puts=sum(one.totals.puts for one in written),
    )
    last = written[-1] if written else None
    about: dict[str, Any] = {"backup_id": last.backup_id, "completed": last.completed} if last else {}
    return frozen.model_copy(update={**about, "topics": topics, "totals": totals})


def _merged(topic: TopicBackup, written: Sequence[Manifest]) -> TopicBackup:
    parts = {one.partition: one.model_copy(deep=True) for one in topic.partitions}
    for manifest in written:
        for other in manifest.topics:
            if (other.name, other.topic_id) != (topic.name, topic.topic_id):
                continue
            for one in other.partitions:
                own = parts.setdefault(one.partition, PartitionBackup(partition=one.partition, begin=0, end=0))
                known = {(gap.begin, gap.end) for gap in own.gaps}
                own.gaps = [*own.gaps, *(gap for gap in one.gaps if (gap.begin, gap.end) not in known)]
                own.segments = [*own.segments, *one.segments]
                own.end = max(own.end, one.end)
    return topic.model_copy(update={"partitions": [parts[number] for number in sorted(parts)]})


# --- of a source ------------------------------------------------------------------------------------------------------

#: Topic, topic id and partition of the source cluster.
Place = tuple[str, str, int]


def last_offset(segment: Segment) -> int | None:
    """Offset of a segment's last record, as far as the manifest tells; None: the object has to be asked."""
    end = segment.end
    if segment.missing == 0:
        return end - 1
    if len(segment.gaps) >= GAPS_NAMED:
        return None
    for gap in sorted(segment.gaps, key=lambda gap: -gap.end):
        end = gap.begin if gap.end >= end else end
    return end - 1


def with_repeated(lines: Sequence[Mapping[str, Any]], later: Mapping[Partition, int]) -> list[dict[str, Any]]:
    """Lines of a comparison; records behind the export's last one are no difference if later exports have as many.

    :param later: target partition to the records that exports behind the compared one have of it.
    """
    found = []
    for line in map(dict, lines):
        more = line["behind"] - later.get((line["topic"], line["partition"]), 0)
        if more > 0 and not line["detail"]:
            line |= {
                "actual": line["actual"] + more,
                "duplicated": line["duplicated"] + more,
                "detail": f"{more:,} record(s) behind the export's last one, from offset {line['end']} on, are not the "
                "export's: a worker that was killed has repeated some, or somebody else writes to the topic",
            }
        found.append(line)
    return found


def would_repeat(known: int, proven: int, segments: Sequence[Segment]) -> bool:
    """Whether a connector that goes on behind ``known`` would write again what is proven.

    :param known: source offset that it has committed. ``proven``: all below it is in the target.
    """
    taken = [one for one in segments if one.records and one.end <= proven]
    last = last_offset(taken[-1]) if taken else -1
    return known < (taken[-1].begin if last is None else last)


def source_partition(export: str, place: Place) -> dict[str, str]:
    """What our source calls a partition in Kafka Connect's offsets.

    :param export: location and name of the export.
    """
    topic, topic_id, number = place
    return {"export": export, "topic": topic, "topic_id": topic_id, "partition": str(number)}


def positions(export: str, offsets: Iterable[Mapping[str, Any]]) -> dict[Place, int]:
    """Partition to the source offset that its connector committed last."""
    found = {}
    for entry in offsets:
        where, at = entry["partition"], entry.get("offset") or {}
        if where.get("export") == export and "offset" in at:
            found[str(where["topic"]), str(where["topic_id"]), int(where["partition"])] = int(at["offset"])
    return found


def look_at(wanted: Mapping[Place, int], there: Mapping[Place, int], begins: Mapping[Place, int]) -> Look:
    """
    :param wanted: partition to the offset of its last record in the export. ``there``: committed.
    :param begins: where the export begins.
    """
    left = [place for place, last in wanted.items() if there.get(place, -1) < last]
    moved = sum(min(there.get(place, -1), last) + 1 for place, last in wanted.items())
    done = f"{len(wanted) - len(left)} of {len(wanted)} partitions are in the target"
    more = ""
    if left:
        topic, _, number = left[0]
        more = f"; {topic}-{number} is at offset {there.get(left[0], 'none')} of {wanted[left[0]]}"
    behind = sum(wanted[place] - max(there.get(place, -1), begins.get(place, 0) - 1) for place in left)
    return Look(len(left), moved, done + more, behind)
