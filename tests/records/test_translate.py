"""The exact target offset of a group, against the definition written out as a slow search."""

from __future__ import annotations

import json
import random
from collections import Counter

import numpy as np
import pytest

from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.translate import GroupLine, GroupMark, translate


def log(
    hashes: list[int], offsets: list[int] | None = None, begin: int = 0, end: int | None = None
) -> PartitionContent:
    places = np.array(range(begin, begin + len(hashes)) if offsets is None else offsets, dtype=np.int64)
    stop = end if end is not None else (int(places[-1]) + 1 if len(places) else begin)
    return PartitionContent(places, np.array(hashes, dtype=np.uint64), 0, begin, stop)


def line(source: PartitionContent, target: PartitionContent, committed: int, on_target: int | None = None) -> GroupLine:
    return translate(source, target, [GroupMark("g", committed, on_target)])[0]


@pytest.mark.parametrize("committed", [0, 1, 3, 4])
def test_plain_copy_is_position_arithmetic(committed: int) -> None:
    found = line(log([1, 2, 3, 4]), log([1, 2, 3, 4], begin=10), committed, committed + 10)
    assert (found.expected_offset, found.status, found.redelivered, found.skipped) == (committed + 10, "exact", 0, 0)


def test_lag_is_told_in_records() -> None:
    found = line(log([1, 2, 3], [0, 5, 9]), log([1, 2, 3]), 5, 2)
    assert (found.source_lag, found.target_lag) == (2, 1)


def test_transaction_markers_shift_offsets() -> None:
    source = log([1, 2, 3, 4], [0, 1, 3, 4], end=6)  # markers at 2 and 5
    assert line(source, log([1, 2, 3, 4]), 2).expected_offset == 2
    assert line(source, log([1, 2, 3, 4]), 3).expected_offset == 2
    assert line(source, log([1, 2, 3, 4]), 6).expected_offset == 4  # behind the last marker = at the end
    assert line(source, log([1, 2, 3, 4], [0, 2, 4, 6], end=8), 5).expected_offset == 8  # exactly-once target


def test_a_target_offset_in_a_gap_is_as_good_as_the_next_record() -> None:
    target = log([1, 2, 3], [0, 1, 3], end=5)
    assert line(log([1, 2, 3]), target, 2, 2).status == "exact"
    assert line(log([1, 2, 3]), target, 3, 4).status == "exact"


def test_a_group_behind_is_told_what_it_gets_again() -> None:
    found = line(log([1, 2, 3, 4]), log([1, 2, 3, 4]), 3, 1)
    assert (found.status, found.redelivered, found.skipped, found.is_loss) == ("redelivered", 2, 0, False)


def test_a_group_ahead_is_a_loss() -> None:
    found = line(log([1, 2, 3, 4]), log([1, 2, 3, 4]), 1, 3)
    assert (found.status, found.redelivered, found.skipped, found.is_loss) == ("skipped", 0, 2, True)


def test_no_commit_on_the_target_has_its_own_status() -> None:
    found = line(log([1, 2]), log([1, 2]), 1, None)
    assert (found.status, found.expected_offset, found.target_lag, found.is_loss) == ("missing", 1, None, False)


def test_records_sent_twice_are_not_delivered_again_without_need() -> None:
    source, target = log([1, 2, 3]), log([1, 2, 3, 2, 3])
    assert line(source, target, 1).expected_offset == 3  # 2 and 3 are ahead, once each
    assert line(source, target, 1, 1).redelivered == 2
    assert line(source, target, 0).expected_offset == 0
    assert line(source, target, 3, 5).status == "exact"


def test_reordered_records_are_waited_for() -> None:
    found = line(log([1, 2, 3]), log([2, 1, 3]), 1, 1)
    assert (found.expected_offset, found.status, found.skipped) == (0, "skipped", 1)


def test_head_that_expired_on_the_source() -> None:
    source, target = log([4, 5, 6], begin=3), log([1, 2, 3, 4, 5, 6])
    assert [line(source, target, committed).expected_offset for committed in (0, 3, 4, 6)] == [3, 3, 4, 6]


def test_head_cut_on_the_target() -> None:
    source, target = log([1, 2, 3, 4]), log([3, 4], begin=2)
    assert [line(source, target, committed).expected_offset for committed in (0, 2, 3, 4)] == [2, 2, 3, 4]
    found = line(source, target, 2, 0)
    assert (found.status, found.is_loss) == ("before_start", True)


@pytest.mark.parametrize("committed", [0, 7, 99])
def test_empty_partitions(committed: int) -> None:
    found = line(log([], begin=7), log([], begin=2), committed, 2)
    assert (found.expected_offset, found.status) == (2, "exact")


def test_beyond_the_end_of_the_target() -> None:
    found = line(log([1, 2]), log([1, 2]), 2, 9)
    assert (found.status, found.is_loss) == ("beyond_end", True)


def test_records_in_flight_bind_no_group_not_even_when_an_equal_one_is_there() -> None:
    source, target = log([1, 2, 1]), log([1, 2])
    assert translate(source, target, [GroupMark("g", 2, 2)], accounted=2)[0].status == "exact"


def test_only_copies_needed_count_as_skipped() -> None:
    source, target = log([8, 8, 8, 9]), log([8, 8, 8, 9])
    assert line(source, target, 1, 3).skipped == 2
    assert line(source, target, 1, 1).status == "exact"


def test_lines_keep_the_order_of_the_marks_and_survive_json() -> None:
    marks = [GroupMark("b", 2, 0), GroupMark("a", 0, None), GroupMark("c", 1, 1)]
    lines = translate(log([1, 2]), log([1, 2]), marks)
    assert [one.group for one in lines] == ["b", "a", "c"]
    assert [GroupLine.from_json(json.loads(json.dumps(one.to_json()))) for one in lines] == lines


def by_definition(source: list[int], target: list[int], start: int) -> int:
    """The largest position from which all that is needed, as far as the target has it, is still ahead."""
    there = Counter(target)
    needed = Counter({value: min(count, there[value]) for value, count in Counter(source[start:]).items()})
    return max(
        place
        for place in range(len(target) + 1)
        if all(Counter(target[place:])[value] >= count for value, count in needed.items())
    )


@pytest.mark.parametrize("seed", range(300))
def test_agrees_with_the_definition_on_random_logs(seed: int) -> None:
    pick = random.Random(seed)
    source = [pick.randint(0, 9) for _ in range(pick.randint(0, 14))]
    target = list(source)
    for _ in range(pick.randint(0, 4)):
        at = pick.randint(0, len(target))
        if pick.random() < 0.5:
            target[at:at] = target[max(0, at - 2) : at]
        else:
            del target[at : at + 1]
    offsets = sorted(pick.sample(range(60), len(target)))
    there = log(target, offsets, end=60)
    for start in range(len(source) + 1):
        place = by_definition(source, target, start)
        reached = pick.randint(0, len(target))
        found = line(log(source), there, start, offsets[reached] if reached < len(target) else 60)
        assert found.expected_offset == (offsets[place] if place < len(target) else 60)
        needed, ahead, have = Counter(source[start:]), Counter(target[reached:]), Counter(target)
        skipped = sum(max(0, min(count, have[value]) - ahead[value]) for value, count in needed.items())
        assert found.skipped == skipped
        assert found.redelivered == max(0, place - reached)
        assert (found.skipped > 0) == (reached > place)
