"""Where an engine must resume that puts records into other partitions, when the target already holds records. Pure.

With MirrorMaker 1 the end of a target partition says nothing about a source partition, so the whole topic is read on
both sides: a source partition is done up to its first record that the target lacks, each record counted as often as it
stands there. Cost: every record of such a topic is read and hashed once on each side before the copy resumes (0.3
million a second and process, measured), and in passes where it does not fit in memory, as for the comparison.

Records behind that first missing one are copied again although some may be there: after a kill in mid-copy these are
duplicates, which the comparison names; after an orderly stop there are none.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.rules.resume import ForeignData, Side
from kafka_ferry.records.content import Hashes
from kafka_ferry.records.multiset import compare_topic
from kafka_ferry.records.topic_content import TopicContent
from kafka_ferry.records.topic_job import TopicJob
from kafka_ferry.records.topic_reading import read_topic


def resume_topics(
    source: Side, target: Side, topics: Mapping[str, tuple[TopicState, TopicState]], isolation_level: str
) -> dict[Partition, int]:
    """Next source offset to replicate, by source topic and partition; absent = from the log start.

    :param topics: source topic to (source state, target state), for target topics that exist.
    :raises ForeignData: a target topic holds records that the source does not have, and that cannot have expired.
    """
    found: dict[Partition, int] = {}
    for pair in topics.values():
        job = _job(source, target, pair, isolation_level)
        if any(begin < end for _, begin, end in job.target):
            found |= _resume(job, source, target, refuse=not pair[0].compacted)
    return found


def _job(source: Side, target: Side, pair: tuple[TopicState, TopicState], isolation_level: str) -> TopicJob:
    places = [[(topic.name, number) for number in range(topic.partitions)] for topic in pair]
    target_begins = target.admin.offsets(places[1], "earliest", "read_committed")
    target_ends = target.admin.offsets(places[1], "latest", "read_committed")
    begins = source.admin.offsets(places[0], "earliest", isolation_level)
    ends = source.admin.offsets(places[0], "latest", isolation_level)
    return TopicJob(
        source_topic=pair[0].name,
        target_topic=pair[1].name,
        # Nothing must be there yet: what is missing is only to come.
        source=tuple((tp[1], begins[tp], begins[tp], ends[tp]) for tp in places[0]),
        target=tuple((tp[1], target_begins[tp], target_ends[tp]) for tp in places[1]),
        with_timestamp=all(topic.has_writers_time for topic in pair),
    )


def _resume(job: TopicJob, source: Side, target: Side, refuse: bool) -> dict[Partition, int]:
    missing: dict[int, int] = {}
    there: set[int] = set()
    for number in range(job.passes):
        theirs = read_topic(target.reader, job.target_ranges, job.with_timestamp, number, job.passes)
        ours = read_topic(source.reader, job.source_ranges, job.with_timestamp, number, job.passes)
        if refuse:
            _refuse_foreign(job, ours, theirs)
        first = first_missing(ours, theirs.hashes)
        for partition, (offset, some) in first.items():
            there |= {partition} if some else set()
            if offset is not None:
                missing[partition] = min(offset, missing.get(partition, offset))
    return {
        (job.source_topic, partition): missing.get(partition, end)
        for partition, begin, _, end in job.source
        if partition in there and missing.get(partition, end) > begin
    }


def first_missing(source: TopicContent, target: Hashes) -> dict[int, tuple[int | None, bool]]:
    """By partition the offset of its first record that the target lacks (None: it lacks none), and whether any record
    stands before that.

    A record that the target holds n times accounts for n records of the source, in the order of the partitions. Where
    equal records stand in several partitions this can give one what came from another: then that other one starts
    earlier and copies it, so that none is lost.
    """
    values, left = np.unique(target, return_counts=True)
    result: dict[int, tuple[int | None, bool]] = {}
    for partition in source.begins:
        places = np.flatnonzero(source.partitions == partition)
        hashes = source.hashes[places]
        at = np.minimum(np.searchsorted(values, hashes), max(0, len(values) - 1))
        known = values[at] == hashes if len(values) else np.zeros(len(hashes), dtype=np.bool_)
        enough = known.copy()
        enough[known] = _rank(hashes[known]) < left[at[known]]
        size = len(enough) if enough.all() else int(np.argmin(enough))
        np.subtract.at(left, at[:size], 1)
        result[partition] = (int(source.offsets[places[size]]) if size < len(places) else None, size > 0)
    return result


def _rank(values: Hashes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many equal values stand before each one."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.searchsorted(ordered, ordered)
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(len(values), dtype=np.int64) - starts
    return ranks


def _refuse_foreign(job: TopicJob, source: TopicContent, target: TopicContent) -> None:
    found, _ = compare_topic(source, target, job.frozen_ends, "explain", named=1)
    strange = next((one for one in found.differences if one.kind in ("unexpected", "altered") and one.target), None)
    if strange is not None and strange.target is not None:
        raise ForeignData(
            f"target {job.target_topic}-{strange.target_partition} holds, at offset {strange.target[0]}, a record that "
            f"the source {job.source_topic} does not have, one of {found.unexpected + found.altered:,}: another "
            "producer "
            "writes there, or it expired on the source. Fix: delete the target topic, but not if "
            "an application uses it, as after a cutover; or choose other names (param "
            "naming), or leave the topic out (exclude_topics)"
        )
