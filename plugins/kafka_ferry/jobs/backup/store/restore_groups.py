"""Where the groups of a restore stand on the target, and what they would get. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.backup.rules.groups_plan import RestoreGroupLine, restore_group_lines
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.backup.rules.restore_plan import OffsetMap, translate_groups, whole
from kafka_ferry.jobs.backup.store.restore import restore_ranges
from kafka_ferry.jobs.backup.store.restore_run import RestoreRun


def exact_lines(restore_run: RestoreRun) -> list[RestoreGroupLine]:
    """Once the records are there: what is done about each group, and why. Reads segments that have holes."""
    return _lines(restore_run, restore_run.groups(), frozenset())


def planned_lines(restore_run: RestoreRun) -> list[RestoreGroupLine]:
    """Before anything is there: the same from the manifests alone. Where these do not say which offsets of a segment
    hold no record, what a group would get is an upper bound."""
    groups = restore_run.chosen_groups()
    names = {topic.source.name: topic.name for topic in restore_run.topics}
    parts = {(topic.name, one.partition): one.segments for topic in restore_run.topics for one in topic.partitions}
    existing = restore_run.admin.topics(names.values())
    there = [at for at in parts if at[0] in existing and at[1] < existing[at[0]].partitions]
    bases = {**dict.fromkeys(parts, 0), **restore_run.admin.offsets(there, "earliest", "read_uncommitted")}
    ranges = {one.at: one for one in restore_ranges(parts, bases, restore_run.point_in_time)}
    maps, about = {}, set()
    for source, name in names.items():
        for at, one in ranges.items():
            if at[0] == name:
                pieces = [(segment, _offsets(segment, restore_run.point_in_time)) for segment in one.segments]
                maps[source, at[1]] = OffsetMap.of(one.base, (run for _, runs in pieces for run in runs))
                about |= {at for segment, runs in pieces if sum(map(len, runs)) != segment.records}
    return _lines(restore_run, translate_groups(groups, names, maps), frozenset(about))


def _offsets(segment: Segment, point_in_time: int | None) -> list[range]:
    """Offsets that hold records, as far as the manifest tells; with those that hold none where it does not."""
    if segment.missing == 0 or not whole(segment, point_in_time):
        return [range(segment.begin, segment.end)]
    return list(_between(segment))


def _between(segment: Segment) -> Iterator[range]:
    at = segment.begin
    for gap in sorted(segment.gaps, key=lambda one: one.begin):
        if gap.begin > at:
            yield range(at, gap.begin)
        at = max(at, gap.end)
    if segment.end > at:
        yield range(at, segment.end)


def _lines(
    restore_run: RestoreRun, offsets: Mapping[str, Mapping[Partition, int]], about: frozenset[Partition]
) -> list[RestoreGroupLine]:
    names = {topic.source.name: topic.name for topic in restore_run.topics}
    kept = {
        group: {(names[one.topic], one.partition): one for one in own if one.topic in names}
        for group, own in restore_run.manifest.groups.items()
    }
    # What a group noted of records that a point in time leaves out would be wrong of those that are there.
    noted = restore_run.point_in_time is None
    wanted = {
        group: {at: Commit(offset, kept[group][at].metadata if noted else "") for at, offset in places.items()}
        for group, places in offsets.items()
    }
    if not wanted:
        return []
    before = {group: {at: kept[group][at].offset for at in places} for group, places in offsets.items()}
    admin = restore_run.admin
    active = admin.all_groups().at_work
    there = admin.commits(wanted)
    return restore_group_lines(wanted, before, there, active, rewind=restore_run.spec.rewind_groups, about=about)
