"""Judge one partition from its two readings: fingerprints, comparison, groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from kafka_ferry.records.compare import Difference, PartitionComparison, compare
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import PartitionJob, PartitionResult
from kafka_ferry.records.last_value import compare_last_values, without_keys_written_again
from kafka_ferry.records.parts import Record, differing_parts
from kafka_ferry.records.reader import RecordReader
from kafka_ferry.records.translate import translate

#: Records between two anchors: as many are read again, at most, to find one place.
ANCHOR_STEP = 10_000


def judge(job: PartitionJob, source: PartitionContent, target: PartitionContent) -> PartitionResult:
    """Return the result for one job; altered records are named, their parts are not with_parts apart yet."""
    again = 0
    if job.mode == "last_value" and job.target_fence is not None:
        source, target, again = without_keys_written_again(source, target, job.target_fence)
    if job.mode == "last_value":
        comparison = compare_last_values(source, target, job.frozen_end)
        if again:
            told = f"{again:,} keys were written again on the target since, and not compared"
            comparison = replace(comparison, detail="; ".join(filter(None, (comparison.detail, told))))
    else:
        comparison = compare(source, target, job.frozen_end, job.duplicates)
    frozen = comparison.accounted
    shown = replace(source, offsets=source.offsets[:frozen], hashes=source.hashes[:frozen])
    if np.array_equal(shown.hashes, target.hashes):
        shown = replace(shown, bytes=target.bytes)  # the same records: now without those in flight
    return PartitionResult(
        source_topic=job.source_topic,
        target_topic=job.target_topic,
        partition=job.partition,
        source=Fingerprint.of(shown),
        target=Fingerprint.of(target),
        comparison=comparison,
        groups=tuple(translate(source, target, job.marks, comparison.accounted)),
        anchors=anchors(source, target, comparison.accounted, ordered=job.mode == "ordered"),
    )


def anchors(
    source: PartitionContent, target: PartitionContent, accounted: int, *, ordered: bool
) -> tuple[tuple[int, int], ...]:
    """See ``PartitionResult.anchors``: one in ``ANCHOR_STEP`` records where the two are equal, else begin and end; of a
    compacted partition whose cleaners differ there is none but the begin.

    :param accounted: as the comparison has it.
    """
    begin = (source.begin, target.begin)
    equal = np.array_equal(source.hashes[: len(target)], target.hashes)
    if not equal and not ordered:
        return (begin,)
    accounted = len(target) if equal else accounted
    reached = int(source.offsets[accounted]) if accounted < len(source) else source.end
    between = range(ANCHOR_STEP, accounted, ANCHOR_STEP) if equal else ()
    return (begin, *((int(source.offsets[at]), int(target.offsets[at])) for at in between), (reached, target.end))


def explain(job: PartitionJob, result: PartitionResult, source: RecordReader, target: RecordReader) -> PartitionResult:
    """Tell for each named altered record which part differs; reads these few records again on both sides."""
    altered = [one for one in result.comparison.differences if one.kind in ("altered", "stale")]
    if not altered:
        return result
    ours = source.read_records({job.source_range.key: [one.source[0] for one in altered if one.source]})
    theirs = target.read_records({job.target_range.key: [one.target[0] for one in altered if one.target]})
    return replace(result, comparison=_with_parts(job, result.comparison, ours, theirs))


def _with_parts(
    job: PartitionJob,
    comparison: PartitionComparison,
    ours: Mapping[tuple[str, int, int], Record],
    theirs: Mapping[tuple[str, int, int], Record],
) -> PartitionComparison:
    def with_parts(one: Difference) -> Difference:
        if one.kind not in ("altered", "stale") or not one.source or not one.target:
            return one
        before = ours.get((*job.source_range.key, one.source[0]))
        after = theirs.get((*job.target_range.key, one.target[0]))
        if before is None or after is None:
            return replace(one, parts=("deleted before it could be read again",))
        return replace(one, parts=differing_parts(before, after, job.with_timestamp))

    return replace(comparison, differences=tuple(map(with_parts, comparison.differences)))
