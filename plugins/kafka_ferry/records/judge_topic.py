"""Judge one topic over all its partitions: read it, once or a part of its keys at a time, and compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
from xxhash import xxh64_intdigest

from kafka_ferry.records.compare import NAMED, Difference, PartitionComparison, Status
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import ALL_PARTITIONS, PartitionResult
from kafka_ferry.records.multiset import Unordered, compare_topic
from kafka_ferry.records.parts import Record, differing_parts
from kafka_ferry.records.reader import RecordReader
from kafka_ferry.records.topic_content import TopicContent
from kafka_ferry.records.topic_job import TopicJob
from kafka_ferry.records.topic_last_value import compare_topic_last_values
from kafka_ferry.records.topic_reading import read_topic

_COUNTS = ("lost", "duplicated", "reordered", "altered", "unexpected", "expired", "stale")
_SEVERITY: dict[Status, int] = {"pass": 0, "explained": 1, "fail": 2}


@dataclass(frozen=True)
class _Pass:
    comparison: PartitionComparison
    unordered: Unordered
    source: Fingerprint
    target: Fingerprint


def judge_topic(job: TopicJob, source: RecordReader, target: RecordReader) -> PartitionResult:
    """Return the result for one topic, as of the partition ``ALL_PARTITIONS``.

    The fingerprints' ``ordered`` digest is over sorted hashes, as there is no order over partitions; with several
    passes over one digest a pass.

    :raises TransientError: as the readers do.
    """
    parts = [_compare(job, number, source, target) for number in range(job.passes)]
    comparison = _merged(job, [part.comparison for part in parts], reduce(add, (part.unordered for part in parts)))
    return PartitionResult(
        source_topic=job.source_topic,
        target_topic=job.target_topic,
        partition=ALL_PARTITIONS,
        source=reduce(_and, (part.source for part in parts)),
        target=reduce(_and, (part.target for part in parts)),
        comparison=_explained(job, comparison, source, target),
    )


def _compare(job: TopicJob, number: int, source: RecordReader, target: RecordReader) -> _Pass:
    theirs = read_topic(target, job.target_ranges, job.with_timestamp, number, job.passes)
    ours = read_topic(source, job.source_ranges, job.with_timestamp, number, job.passes)
    if job.mode == "last_value":
        comparison, unordered = compare_topic_last_values(ours, theirs, job.frozen_ends)
    else:
        comparison, unordered = compare_topic(ours, theirs, job.frozen_ends, job.duplicates)
    return _Pass(comparison, unordered, _fingerprint(ours), _fingerprint(theirs))


def _fingerprint(content: TopicContent) -> Fingerprint:
    """Of all that was read, what is in flight included."""
    hashes = np.sort(content.hashes)
    return Fingerprint.of(PartitionContent(content.offsets, hashes, content.bytes, 0, len(hashes)))


def _and(one: Fingerprint, other: Fingerprint) -> Fingerprint:
    digests = one.ordered.to_bytes(8, "little") + other.ordered.to_bytes(8, "little")
    return Fingerprint(
        count=one.count + other.count,
        bytes=one.bytes + other.bytes,
        sum=(one.sum + other.sum) % (1 << 64),
        ordered=xxh64_intdigest(digests, 0),
        first=one.first if one.first is not None else other.first,
        last=other.last if other.last is not None else one.last,
    )


def _merged(job: TopicJob, parts: Sequence[PartitionComparison], unordered: Unordered) -> PartitionComparison:
    counts = {kind: sum(getattr(part, kind) for part in parts) for kind in _COUNTS}
    factors = {part.factor for part in parts if part.target_records}
    factor = factors.pop() if len(factors) == 1 else 1
    named: list[Difference] = []
    for kind in ("lost", "altered", "stale", "reordered", "unexpected", "duplicated", "expired"):
        named += [one for part in parts for one in part.differences if one.kind == kind][:NAMED]
    unit = " keys" if job.mode == "last_value" else ""
    said = [f"{count:,}{unit} {kind}" for kind, count in counts.items() if count]
    if factor > 1:
        said.append(f"the target holds each record {factor} times")
    status: Status = max((part.status for part in parts), key=_SEVERITY.__getitem__)
    return PartitionComparison(
        status=status,
        source_records=sum(part.source_records for part in parts),
        target_records=sum(part.target_records for part in parts),
        in_flight=sum(part.in_flight for part in parts),
        factor=factor,
        accounted=sum(part.accounted for part in parts),
        detail="; ".join([*said, *unordered.notes()]),
        differences=tuple(named),
        **counts,
    )


def _explained(
    job: TopicJob, comparison: PartitionComparison, source: RecordReader, target: RecordReader
) -> PartitionComparison:
    """Tell for each named altered record which part differs; reads these few records again on both sides."""
    changed = [one for one in comparison.differences if one.kind in ("altered", "stale") and one.source and one.target]
    if not changed:
        return comparison
    ours = source.read_records(_wanted(job.source_topic, [(one.source_partition, one.source) for one in changed]))
    theirs = target.read_records(_wanted(job.target_topic, [(one.target_partition, one.target) for one in changed]))

    def with_parts(one: Difference) -> Difference:
        if one not in changed or one.source is None or one.target is None:
            return one
        before = _find(ours, job.source_topic, one.source_partition, one.source)
        after = _find(theirs, job.target_topic, one.target_partition, one.target)
        if before is None or after is None:
            return replace(one, parts=("deleted before it could be read again",))
        return replace(one, parts=differing_parts(before, after, job.with_timestamp))

    return replace(comparison, differences=tuple(map(with_parts, comparison.differences)))


def _wanted(
    topic: str, places: Sequence[tuple[int | None, tuple[int, int] | None]]
) -> dict[tuple[str, int], list[int]]:
    wanted: dict[tuple[str, int], list[int]] = {}
    for partition, span in places:
        if partition is not None and span is not None:
            wanted.setdefault((topic, partition), []).append(span[0])
    return wanted


def _find(
    records: Mapping[tuple[str, int, int], Record], topic: str, partition: int | None, span: tuple[int, int]
) -> Record | None:
    return None if partition is None else records.get((topic, partition, span[0]))
