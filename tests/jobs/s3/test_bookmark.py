"""Where an import goes on: behind what was proven, whatever the target has lost to retention since."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.s3.bookmark import Bookmark, Mark, unread

SEGMENTS = [Segment(begin=at, end=at + 10, key=f"{at}", records=8) for at in (0, 10, 20)]


def never(segment: Segment, offset: int) -> int:
    raise AssertionError("no segment is cut")


def test_the_first_import_begins_at_the_log_start() -> None:
    found = unread("t-0", SEGMENTS, None, (5, 5), never)
    assert (found.base, found.segments) == (5, tuple(SEGMENTS))


def test_a_later_one_goes_on_behind_the_mark_though_old_records_are_gone() -> None:
    found = unread("t-0", SEGMENTS, Mark(20, 16), (16, 16), never)
    assert (found.base, found.segments) == (16, tuple(SEGMENTS[2:]))
    assert unread("t-0", SEGMENTS, Mark(30, 24), (0, 24), never).segments == ()


def test_an_export_that_was_cut_elsewhere_goes_on_within_a_segment() -> None:
    found = unread("t-0", SEGMENTS, Mark(15, 12), (0, 12), lambda segment, offset: 4 if segment.begin == 10 else 0)
    assert (found.base, found.segments) == (8, tuple(SEGMENTS[1:])), "its first four records are there: 8 + 4 = 12"


def test_a_sink_that_lost_its_end_is_told() -> None:
    with pytest.raises(DataLossError, match=r"t-0: its log ends at 10.*verified it up to 16"):
        unread("t-0", SEGMENTS, Mark(20, 16), (0, 10), never)


def test_a_topic_made_anew_is_another_topic() -> None:
    book = Bookmark("target", "source", {"retention.ms": "1"}, {0: Mark(20, 16)})
    assert Bookmark.from_json(book.to_json()) == book
    assert book.of("target", "source") is book
    assert book.of("target", "other") == Bookmark("target", "other", {"retention.ms": "1"}), "what is held is put back"
    assert book.of("other", "source") == Bookmark("other", "source"), "nothing of that topic is held"
    assert book.with_mark(1, Mark(3, 3)).marks == {0: Mark(20, 16), 1: Mark(3, 3)}


@pytest.mark.parametrize(
    "data", [{}, [], {"marks": []}, {"marks": {"x": [1, 2]}}, {"marks": {"0": [1]}}, {"marks": {"0": ["1", 2]}},
             {"marks": {"0": [-1, 2]}}, {"marks": {"0": [1, 2**63]}}, {"marks": {}, "surprise": 1},
             {"marks": {}, "topic_id": 7}, {"marks": {}, "configs": {"a": 1}}, {"marks": {}, "configs": 3}]
)  # fmt: skip
def test_what_is_no_bookmark_is_refused(data: Any):
    with pytest.raises(ValueError):  # its caller names the file
        Bookmark.from_json(data)
