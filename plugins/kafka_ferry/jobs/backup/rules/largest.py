"""The largest record and batch of what is restored, out of what segments note of theirs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.largest_record import Batch, Record
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.backup.rules.restore_plan import whole


@dataclass(frozen=True)
class Largest:
    """Of one topic.

    :param record: the largest uncompressed. ``packed``: the largest packed, of those that are the largest of a segment.
    :param batch: None: none is known. ``certain``: whether the segment of ``packed`` is restored whole.
    :param segments: how many with records. ``unknown``: those of them that do not tell.
    """

    record: Record | None = None
    packed: Record | None = None
    batch: Batch | None = None
    certain: bool = True
    segments: int = 0
    unknown: int = 0


def largest_of(partitions: Mapping[int, Sequence[Segment]], point_in_time: int | None) -> Largest:
    """:param partitions: what is restored of a topic, by partition."""
    known = [(number, one) for number, segments in partitions.items() for one in segments if one.records]
    records = [
        (Record(number, one.largest_record.offset, one.largest_record.bytes, one.largest_record.packed), one)
        for number, one in known
        if one.largest_record
    ]
    record = max((one for one, _ in records), key=lambda one: one.bytes, default=None)
    packed = max(records, key=lambda one: one[0].packed, default=None)
    return Largest(
        record=record,
        packed=packed[0] if packed else None,
        batch=_batch(known),
        certain=packed is None or whole(packed[1], point_in_time),
        segments=len(known),
        unknown=sum(one.largest_record is None for _, one in known),
    )


def _batch(known: Iterable[tuple[int, Segment]]) -> Batch | None:
    found = [Batch(number, one.largest_batch.offset, one.largest_batch.bytes) for number, one in known
             if one.largest_batch]  # fmt: skip
    return max(found, key=lambda one: one.bytes, default=None)
