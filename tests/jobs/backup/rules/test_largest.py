"""The largest of what is restored, by what segments note of theirs; and which segments are left to restore."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.largest_record import Batch, Record
from kafka_ferry.jobs.backup.rules.largest import Largest, largest_of
from kafka_ferry.jobs.backup.rules.manifest import LargestBatch, LargestRecord, Segment
from kafka_ferry.jobs.backup.rules.restore_plan import not_there_yet


def segment(begin: int, end: int, size: int | None = None, packed: int = 0, batch: int | None = None, **about: Any):
    return Segment(
        begin=begin, end=end, records=end - begin, key="k",
        largest_record=None if size is None else LargestRecord(offset=begin, bytes=size, packed=packed or size),
        largest_batch=None if batch is None else LargestBatch(offset=begin, bytes=batch), **about,
    )  # fmt: skip


def test_the_largest_of_all_partitions() -> None:
    found = largest_of(
        {0: [segment(0, 10, 500, 90), segment(10, 20, 400, 300, batch=700)], 1: [segment(0, 5, 100, 100, batch=900)]},
        None,
    )
    assert found.record == Record(0, 0, 500, 90)
    assert found.packed == Record(0, 10, 400, 300)
    assert found.batch == Batch(1, 0, 900)
    assert (found.certain, found.segments, found.unknown) == (True, 3, 0)


def test_what_segments_do_not_tell_is_counted() -> None:
    found = largest_of({0: [segment(0, 10), segment(10, 20, 5), Segment(begin=20, end=25)]}, None)
    assert (found.record, found.segments, found.unknown) == (Record(0, 10, 5, 5), 2, 1)
    assert largest_of({}, None) == Largest()
    assert largest_of({0: []}, None).record is None


def test_of_a_segment_that_is_cut_nobody_knows_whether_it_is_sent() -> None:
    parts = {0: [segment(0, 10, 5, min_timestamp=1000, max_timestamp=2000)]}
    assert [largest_of(parts, at).certain for at in (2000, 1999)] == [True, False]


@pytest.mark.parametrize(("there", "left"), [(0, [0, 10, 20]), (9, [0, 10, 20]), (10, [10, 20]), (29, [20]), (30, [])])
def test_segments_whose_records_are_there_are_not_sent_again(there: int, left: list[int]) -> None:
    segments = [segment(0, 10), segment(10, 20), segment(20, 30), Segment(begin=30, end=33)]
    assert [one.begin for one in not_there_yet(segments, there, None)] == left


def test_behind_a_segment_that_is_cut_the_count_tells_nothing() -> None:
    segments = [
        segment(0, 10, min_timestamp=1, max_timestamp=5),
        segment(10, 20, min_timestamp=1, max_timestamp=50),
        segment(20, 30, min_timestamp=40, max_timestamp=50),
    ]
    assert [one.begin for one in not_there_yet(segments, 15, 10)] == [10]
