"""Positions that are equal on both sides, and what adds up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kafka_ferry.jobs.cutover.rules.groups import marks_by_segment
from kafka_ferry.jobs.cutover.rules.tails import Segment, grown, most_behind, segments_of, sent_again, summed
from kafka_ferry.records.compare import PartitionComparison, compare
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.judge import ANCHOR_STEP, anchors
from kafka_ferry.records.translate import GroupMark, translate

ANCHORS = ((0, 0), (100, 90), (200, 180))


def content(hashes: list[int] | range, begin: int = 0, end: int | None = None) -> PartitionContent:
    offsets = np.arange(begin, begin + len(hashes), dtype=np.int64)
    last = begin + len(hashes) if end is None else end
    return PartitionContent(offsets, np.array(hashes, dtype=np.uint64), 0, begin, last)


@pytest.mark.parametrize(
    ("offset", "segment"),
    [(0, ((0, 100), (0, 90))), (99, ((0, 100), (0, 90))), (100, ((100, 200), (90, 180))),
     (200, ((100, 200), (90, 180))), (900, ((100, 200), (90, 180)))],
)  # fmt: skip
def test_an_offset_stands_in_one_segment(offset: int, segment: tuple[tuple[int, int], tuple[int, int]]) -> None:
    assert segments_of(ANCHORS, [offset]) == [Segment(*segment)]


def test_segments_are_read_once() -> None:
    assert len(segments_of(ANCHORS, [1, 2, 99])) == 1
    assert len(segments_of(ANCHORS, [1, 150])) == 2
    assert [len(some) for _, some in marks_by_segment(ANCHORS, [GroupMark("a", 1), GroupMark("b", 2)])] == [2]


def test_an_empty_partition_has_a_segment() -> None:
    assert segments_of(((5, 0), (5, 0)), [5]) == [Segment((5, 5), (0, 0))]


def test_a_group_is_found_in_a_segment_as_in_the_whole() -> None:
    """Whatever place: source offsets run ahead of the target's by ten, as transactions leave markers."""
    hashes = list(range(1, 3 * ANCHOR_STEP))
    source, target = content(hashes, begin=10), content(hashes)
    places = anchors(source, target, len(target), ordered=True)
    assert places == ((10, 0), (ANCHOR_STEP + 10, ANCHOR_STEP), (2 * ANCHOR_STEP + 10, 2 * ANCHOR_STEP),
                      (source.end, target.end))  # fmt: skip
    for offset in (10, 11, 5_000, ANCHOR_STEP + 10, ANCHOR_STEP + 9, 2 * ANCHOR_STEP + 77, source.end):
        mark = GroupMark("g", offset)
        (segment,) = segments_of(places, [offset])
        ours = content(hashes[segment.source[0] - 10 : segment.source[1] - 10], segment.source[0])
        theirs = content(hashes[segment.target[0] : segment.target[1]], segment.target[0])
        (found,), (whole,) = translate(ours, theirs, [mark]), translate(source, target, [mark])
        assert found.expected_offset == whole.expected_offset == offset - 10


def test_anchors_end_where_both_are_equal() -> None:
    source, target = content([1, 2, 3, 4], end=6), content([1, 2, 3])
    assert anchors(source, target, 3, ordered=True) == ((0, 0), (3, 3)), "one is on its way"
    assert anchors(source, content([1, 2, 3, 4]), 4, ordered=True) == ((0, 0), (6, 4)), "markers at the end are passed"
    assert anchors(source, content([1, 3]), 3, ordered=True) == ((0, 0), (3, 2)), "as far as was compared"
    assert anchors(source, content([1, 3]), 3, ordered=False) == ((0, 0),), "cleaners differ: no place is equal"
    assert anchors(source, content([1, 2]), 4, ordered=False) == ((0, 0), (2, 2)), "whatever was accounted for"
    assert anchors(content([]), content([]), 0, ordered=True) == ((0, 0), (0, 0))


def test_only_what_moved_is_added() -> None:
    assert grown(ANCHORS, 200, 180) is ANCHORS
    assert grown(ANCHORS, 201, 180)[-1] == (201, 180)


def test_what_came_since_adds_up() -> None:
    base = PartitionComparison("pass", 10, 10, accounted=10)
    tail = PartitionComparison("explained", 3, 4, duplicated=1, accounted=3, detail="1 duplicated")
    whole = summed(base, tail)
    assert (whole.status, whole.source_records, whole.target_records, whole.duplicated) == ("explained", 13, 14, 1)
    assert whole.detail == "1 duplicated"
    assert summed(tail, base).status == "explained"


def test_who_is_most_behind() -> None:
    behind = {("a", 0): 5, ("b", 1): 7, ("c", 0): 0, ("d", 0): 1}
    assert most_behind(behind, 2) == "b-1: 7 records, a-0: 5 records and 1 more partitions"


@pytest.mark.parametrize(
    ("duplicates", "status"), [("explain", "explained"), ("fail", "fail")]
)  # fmt: skip
def test_what_was_sent_again_from_before_a_tail_is_duplicated_and_not_expired(duplicates: Any, status: str) -> None:
    source, before = content(range(352, 357), begin=352), content(range(300, 352), begin=300)
    target = content([*range(342, 352), *range(352, 357)], begin=315)
    found = compare(source, target, source.begin, duplicates)
    assert found.expired == 10, "as it looks from the tail alone"
    told = sent_again(found, source, target, before, duplicates)
    assert (told.status, told.duplicated, told.expired, told.unexpected) == (status, 10, 0, 0)
    assert told.detail == "10 duplicated"
    assert [one.kind for one in told.differences] == ["duplicated"]
    assert (told.accounted, told.in_flight) == (found.accounted, found.in_flight)


def test_others_records_before_a_tail_are_unexpected_whatever_the_params_allow() -> None:
    source, before = content(range(352, 357), begin=352), content(range(300, 352), begin=300)
    target = content([9_001, 9_002, 351, *range(352, 357)], begin=315)
    told = sent_again(compare(source, target, source.begin, "explain"), source, target, before, "explain")
    assert (told.status, told.duplicated, told.unexpected) == ("fail", 1, 2)
    assert [one.kind for one in told.differences] == ["unexpected"]
