"""Where replication goes on: never past a record the target lacks, and not at all on top of someone else's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.rules.resume import TAIL, ForeignData, Side, find_tail, resume_offsets
from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.parts import Record

SOURCE, TARGET = ("a", 0), ("x.a", 0)


class FakeSide:
    """One partition: offset to hash; offsets without a record are transaction markers or compacted holes."""

    def __init__(self, tp: Partition, records: dict[int, int], begin: int = 0, end: int | None = None) -> None:
        self.tp, self.records, self.begin = tp, records, begin
        self.end = max(records, default=begin - 1) + 1 if end is None else end
        self.read_ranges: list[PartitionRange] = []
        self.windows: list[PartitionRange] = []
        self.stamps: set[bool] = set()

    def offsets(self, partitions: Iterable[Partition], which: str, isolation_level: str) -> dict[Partition, int]:
        assert set(partitions) <= {self.tp}
        return dict.fromkeys(partitions, self.begin if which == "earliest" else self.end)

    def read(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool = True, with_keys: bool = False
    ) -> dict[tuple[str, int], PartitionContent]:
        self.read_ranges += ranges
        return self.contents(ranges, with_timestamp)

    def contents(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool
    ) -> dict[tuple[str, int], PartitionContent]:
        self.stamps.add(with_timestamp)
        return {wanted.key: self.content(wanted.begin, wanted.end) for wanted in ranges}

    def content(self, begin: int, end: int) -> PartitionContent:
        found = {offset: value for offset, value in sorted(self.records.items()) if begin <= offset < end}
        offsets, hashes = np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.uint64)
        return PartitionContent(offsets, hashes, 0, begin, end)

    def read_records(self, wanted: Mapping[Partition, Sequence[int]]) -> dict[tuple[str, int, int], Record]:
        raise NotImplementedError

    def probe(self, ranges: Sequence[PartitionRange]) -> dict[Partition, int | None]:
        raise NotImplementedError


class Few(FakeSide):
    """The same partition, by small fetches."""

    def __init__(self, side: FakeSide) -> None:
        self.side = side

    def read(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool = True, with_keys: bool = False
    ) -> dict[tuple[str, int], PartitionContent]:
        self.side.windows += ranges
        return self.side.contents(ranges, with_timestamp)


def resume(source: FakeSide, target: FakeSide, known: int | None = None, **effective: str) -> int | None:
    configs = {key.replace("_", "."): value for key, value in effective.items()}
    pair = TopicState("a", "1", 1, 1, {}, configs), TopicState("x.a", "2", 1, 1, {}, configs)
    sides = [Side(side, side, Few(side)) for side in (source, target)]
    before = {} if known is None else {SOURCE: known}
    found = resume_offsets(*sides, {"a": pair}, "read_committed", before, [SOURCE])
    assert found.keys() <= {SOURCE}
    return found.get(SOURCE)


def plain(count: int, shift: int = 0, first: int = 0) -> dict[int, int]:
    """Record i has the hash 1000 + i and stands at offset i + shift."""
    return {i + shift: 1000 + i for i in range(first, count)}


def test_an_empty_target_starts_from_the_log_start() -> None:
    source = FakeSide(SOURCE, plain(500))
    assert resume(source, FakeSide(TARGET, {})) is None
    assert source.read_ranges == []


def test_equal_offsets_are_found_without_reading_the_source_whole() -> None:
    source, target = FakeSide(SOURCE, plain(100_000)), FakeSide(TARGET, plain(700))
    assert resume(source, target) == 700
    assert (source.read_ranges, target.read_ranges) == ([], []), "a quota is for what is asked for"
    for side in (source, target):
        assert sum(asked.end - asked.begin for asked in side.windows) == TAIL


def test_a_complete_target_goes_on_at_the_end() -> None:
    assert resume(FakeSide(SOURCE, plain(700)), FakeSide(TARGET, plain(700))) == 700


@pytest.mark.parametrize("there", [1, 3, TAIL, TAIL + 1, 333])
def test_markers_shift_the_sources_offsets(there: int) -> None:
    # A marker after every second record.
    source = FakeSide(SOURCE, {i + i // 2: 1000 + i for i in range(400)})
    assert resume(source, FakeSide(TARGET, plain(there))) == (there - 1) + (there - 1) // 2 + 1


def test_the_sources_head_has_expired() -> None:
    assert resume(FakeSide(SOURCE, plain(400, first=250), begin=250), FakeSide(TARGET, plain(300))) == 300


def test_the_target_was_filled_after_the_head_had_expired() -> None:
    source = FakeSide(SOURCE, plain(400, first=250), begin=250)
    assert resume(source, FakeSide(TARGET, plain(300, shift=-250, first=250))) == 300


def test_a_target_whose_last_offsets_are_markers() -> None:
    source, target = FakeSide(SOURCE, plain(400)), FakeSide(TARGET, plain(300), end=300 + 2 * TAIL)
    assert resume(source, target) == 300


def test_repeated_records_are_told_apart_by_what_stands_before_them() -> None:
    # Hash 7 everywhere, but for the record before the target's last.
    records = dict.fromkeys(range(400), 7) | {199: 5}
    source = FakeSide(SOURCE, {offset + 10: value for offset, value in records.items()}, begin=10)
    assert resume(source, FakeSide(TARGET, {i: records[i] for i in range(201)})) == 211


def test_records_that_are_all_the_same_may_be_sent_again_and_are_never_skipped() -> None:
    same = dict.fromkeys(range(0, 800, 2), 7)  # markers between them
    found = resume(FakeSide(SOURCE, same), FakeSide(TARGET, dict.fromkeys(range(100), 7)))
    assert found is not None
    sent = sum(offset < found for offset in same)
    assert sent <= 100


def test_foreign_data_is_refused_by_name() -> None:
    target = FakeSide(TARGET, plain(300) | {300: 9})
    with pytest.raises(ForeignData, match=r"x\.a-0 ends, at offset 300.* a-0 does not have") as caught:
        resume(FakeSide(SOURCE, plain(400)), target)
    assert not caught.value.retriable
    assert "exclude_topics" in str(caught.value)


def test_data_without_any_source_is_foreign() -> None:
    with pytest.raises(ForeignData):
        resume(FakeSide(SOURCE, {}), FakeSide(TARGET, plain(3)))


def test_a_compacted_topic_starts_over_where_the_record_was_cleaned_away() -> None:
    source, target = FakeSide(SOURCE, plain(400) | {299: 8}), FakeSide(TARGET, plain(300))
    assert resume(source, target, cleanup_policy="compact") is None
    with pytest.raises(ForeignData):
        resume(source, target)


def test_a_compacted_target_with_holes_is_found() -> None:
    source = FakeSide(SOURCE, plain(400))
    target = FakeSide(TARGET, {offset: value for offset, value in plain(300).items() if offset % 3 == 2})
    assert resume(source, target, cleanup_policy="compact") == 300


def test_timestamps_are_left_out_where_the_broker_sets_them() -> None:
    source, target = FakeSide(SOURCE, plain(10)), FakeSide(TARGET, plain(5))
    assert resume(source, target, message_timestamp_type="LogAppendTime") == 5
    assert source.stamps == target.stamps == {False}
    source, target = FakeSide(SOURCE, plain(10)), FakeSide(TARGET, plain(5))
    assert resume(source, target) == 5
    assert source.stamps == target.stamps == {True}


def content(*hashes: int) -> PartitionContent:
    return FakeSide(SOURCE, dict(enumerate(hashes))).content(0, len(hashes))


def test_find_tail() -> None:
    assert find_tail(content(1, 2, 3), content(9, 1, 2, 3, 4), whole_tail=True) == 3
    assert find_tail(content(1, 2, 3), content(9, 9), whole_tail=False) is None
    assert find_tail(content(1, 2, 3), content(), whole_tail=False) is None
    # The source begins within the tail.
    assert find_tail(content(1, 2, 3), content(2, 3, 4), whole_tail=True) == 1
    # Only the last record agrees: good enough for a full search, not for the quick one.
    assert find_tail(content(1, 2, 3), content(8, 9, 3), whole_tail=True) is None
    assert find_tail(content(1, 2, 3), content(8, 9, 3), whole_tail=False) == 2


def test_find_tail_takes_the_longest_run_and_of_equals_the_first() -> None:
    assert find_tail(content(1, 2, 3), content(3, 9, 1, 2, 3), whole_tail=False) == 4
    assert find_tail(content(5, 5), content(5, 5, 5, 5), whole_tail=False) == 1


def test_a_record_that_merely_looks_the_same_does_not_skip_what_is_missing() -> None:
    # The target has 300 foreign-looking extra offsets before; the source's record at the window's edge equals its last.
    source = FakeSide(SOURCE, plain(1000) | {400 - TAIL + 1: 1099, 99: 1099})
    target = FakeSide(TARGET, {i + 301: 1000 + i for i in range(99)} | {400: 1099}, begin=301)
    assert resume(source, target) == 100


def test_a_place_that_was_known_spares_what_stands_before_it() -> None:
    source, target = FakeSide(SOURCE, plain(10_000)), FakeSide(TARGET, plain(9_000, shift=5))
    assert resume(source, target, known=8_900) == 9_000
    assert sum(asked.end - asked.begin for asked in source.read_ranges) < 2_000


def test_a_place_before_the_known_one_is_still_found() -> None:
    """Records were sent again, from further back than the place that was known."""
    source = FakeSide(SOURCE, plain(10_000))
    assert resume(source, FakeSide(TARGET, plain(5_000, shift=5)), known=9_000) == 5_000


def test_only_what_is_asked_for_is_read() -> None:
    source, target = FakeSide(SOURCE, plain(100)), FakeSide(TARGET, plain(50))
    pair = TopicState("a", "1", 1, 1), TopicState("x.a", "2", 1, 1)
    sides = Side(source, source, source), Side(target, target, target)
    assert resume_offsets(*sides, {"a": pair}, "read_committed", only=[("a", 1)]) == {}
    assert target.read_ranges == []
