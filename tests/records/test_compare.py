"""Differences planted in random logs must be found, counted exactly and named."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from kafka_ferry.records.compare import Difference, PartitionComparison, compare
from kafka_ferry.records.content import PartitionContent

FAR = 1 << 62


def log(hashes: Sequence[int], begin: int = 0, step: int = 1, end: int | None = None) -> PartitionContent:
    """A partition whose records stand ``step`` offsets apart, as in a transactional topic with step 2."""
    offsets = begin + step * np.arange(len(hashes), dtype=np.int64)
    stop = end if end is not None else (int(offsets[-1]) + 1 if len(hashes) else begin)
    return PartitionContent(offsets, np.array(hashes, dtype=np.uint64), 0, begin, stop)


def named(result: PartitionComparison, kind: str) -> list[tuple[object, object]]:
    return [(one.source, one.target) for one in result.differences if one.kind == kind]


def counts(result: PartitionComparison) -> dict[str, int]:
    kinds = ("lost", "duplicated", "reordered", "altered", "unexpected", "expired")
    return {kind: getattr(result, kind) for kind in kinds if getattr(result, kind)}


def test_equal_logs_pass_whatever_their_offsets() -> None:
    result = compare(log([1, 2, 3], step=2), log([1, 2, 3], begin=100), FAR)
    assert (result.status, result.source_records, result.target_records, result.differences) == ("pass", 3, 3, ())


@pytest.mark.parametrize("source, target", [([], []), ([1, 1, 1], [1, 1, 1])])
def test_empty_and_repetitive_logs_pass(source: list[int], target: list[int]) -> None:
    assert compare(log(source), log(target), FAR).status == "pass"


def test_a_lost_record_is_named_by_its_source_offset() -> None:
    result = compare(log([1, 2, 3, 4], begin=10, step=2), log([1, 3, 4]), FAR)
    assert result.status == "fail"
    assert counts(result) == {"lost": 1}
    assert named(result, "lost") == [((12, 12), None)]
    assert str(result.differences[0]) == "1 lost: source offset 12"


def test_a_duplicate_is_named_with_what_it_repeats() -> None:
    result = compare(log([1, 2, 3]), log([1, 2, 3, 2]), FAR)
    assert result.status == "fail"
    assert named(result, "duplicated") == [((1, 1), (3, 3))]
    assert compare(log([1, 2, 3]), log([1, 2, 3, 2]), FAR, duplicates="explain").status == "explained"


def test_a_duplicate_before_its_original_place_is_no_reordering() -> None:
    result = compare(log([1, 2, 3, 4]), log([1, 3, 2, 3, 4]), FAR)
    assert counts(result) == {"duplicated": 1}
    assert named(result, "duplicated") == [((2, 2), (1, 1))]


def test_a_block_sent_twice_is_one_run() -> None:
    result = compare(log(range(100)), log([*range(60), *range(40, 100)]), FAR)
    assert counts(result) == {"duplicated": 20}
    assert len(result.differences) == 1
    assert result.differences[0].records == 20


def test_swapped_neighbours_are_reordered_not_lost_and_duplicated() -> None:
    result = compare(log([1, 2, 3, 4, 5, 6]), log([1, 2, 4, 3, 5, 6]), FAR)
    assert result.status == "fail"
    assert counts(result) == {"reordered": 1}
    assert named(result, "reordered") in ([((2, 2), (3, 3))], [((3, 3), (2, 2))])


def test_a_record_moved_far_away_is_reordered() -> None:
    assert counts(compare(log(range(9)), log([1, 2, 3, 4, 5, 6, 7, 8, 0]), FAR)) == {"reordered": 1}


def test_an_altered_record_is_paired_with_its_original() -> None:
    result = compare(log([1, 2, 3, 4]), log([1, 77, 3, 4], begin=5), FAR)
    assert result.status == "fail"
    assert counts(result) == {"altered": 1}
    assert named(result, "altered") == [((1, 1), (6, 6))]


def test_each_altered_record_is_named_on_its_own() -> None:
    result = compare(log([1, 2, 3]), log([71, 72, 73]), FAR)
    assert counts(result) == {"altered": 3}
    assert named(result, "altered") == [((i, i), (i, i)) for i in range(3)]


def test_an_unexpected_record_is_named_by_its_target_offset() -> None:
    result = compare(log([1, 2, 3]), log([1, 2, 99, 3]), FAR)
    assert (result.status, counts(result)) == ("fail", {"unexpected": 1})
    assert named(result, "unexpected") == [(None, (2, 2))]


def test_live_traffic_after_the_frozen_end_is_no_fault() -> None:
    result = compare(log([1, 2, 3, 4, 5, 6]), log([1, 2, 3, 4]), frozen_end=3)
    assert (result.status, result.in_flight, result.accounted, counts(result)) == ("pass", 2, 4, {})


def test_a_hole_in_live_traffic_is_a_loss() -> None:
    result = compare(log([1, 2, 3, 4, 5, 6]), log([1, 2, 3, 5]), frozen_end=3)
    assert counts(result) == {"lost": 1}
    assert named(result, "lost") == [((3, 3), None)]
    assert result.in_flight == 1


def test_a_record_below_the_frozen_end_must_be_there() -> None:
    result = compare(log([1, 2, 3, 4]), log([1, 2]), frozen_end=3)
    assert (counts(result), result.in_flight) == ({"lost": 1}, 1)
    assert named(result, "lost") == [((2, 2), None)]


def test_a_head_that_expired_on_the_source_is_explained() -> None:
    result = compare(log([4, 5, 6], begin=3), log([1, 2, 3, 4, 5, 6]), FAR)
    assert (result.status, counts(result)) == ("explained", {"expired": 3})
    assert named(result, "expired") == [(None, (0, 2))]
    assert "log start moved on to 3" in result.detail


def test_an_expired_head_hides_no_loss_and_no_alteration() -> None:
    assert counts(compare(log([4, 5, 6, 7], begin=3), log([1, 2, 3, 4, 5, 7]), FAR)) == {"expired": 3, "lost": 1}
    assert counts(compare(log([4, 5, 6], begin=3), log([1, 2, 3, 44, 5, 6]), FAR)) == {"expired": 3, "altered": 1}


def test_expired_records_sent_twice_are_duplicates() -> None:
    result = compare(log([4, 5, 6], begin=3), log([2, 3, 4, 5, 3, 6]), FAR)
    assert (result.status, counts(result)) == ("fail", {"expired": 2, "duplicated": 1})
    assert named(result, "duplicated") == [(None, (4, 4))]


def test_all_expired_on_the_source_is_explained() -> None:
    assert compare(log([], begin=3), log([1, 2, 3]), FAR).status == "explained"


def test_strangers_before_a_log_that_starts_at_0_are_not_expired() -> None:
    assert counts(compare(log([4, 5]), log([1, 4, 5]), FAR)) == {"unexpected": 1}


def test_a_head_cut_on_the_target_is_lost_and_says_why() -> None:
    result = compare(log([1, 2, 3, 4]), log([3, 4], begin=2), FAR)
    assert counts(result) == {"lost": 2}
    assert named(result, "lost") == [((0, 1), None)]
    assert "target's log start is 2" in result.detail


@pytest.mark.parametrize("target", [[1, 2, 3] * 3, [1, 1, 1, 2, 2, 2, 3, 3, 3], [1, 2, 3, 1, 1, 2, 2, 3, 3]])
def test_three_replicators_are_recognised(target: list[int]) -> None:
    result = compare(log([1, 2, 3]), log(target), FAR)
    assert (result.factor, result.duplicated, result.lost) == (3, 6, 0)
    assert "holds each record 3 times" in result.detail


def test_no_factor_is_claimed_when_copies_are_uneven() -> None:
    assert compare(log([1, 2, 3]), log([1, 2, 3, 3, 3, 3]), FAR).factor == 1


def test_naming_is_bounded_and_counting_is_not() -> None:
    kept = [value for value in range(1000) if value % 2]
    result = compare(log(range(1000)), log(kept), FAR)
    assert result.lost == 500
    assert len(named(result, "lost")) == 20
    assert named(result, "lost")[:2] == [((0, 0), None), ((2, 2), None)]


def test_a_long_loss_is_one_range() -> None:
    result = compare(log(range(10_000)), log([*range(100), *range(9_900, 10_000)]), FAR)
    assert result.differences == (Difference("lost", 9_800, (100, 9_899), None),)


def test_survives_json() -> None:
    result = compare(log([1, 2, 3, 4, 5]), log([1, 99, 4, 3, 3]), FAR)
    assert PartitionComparison.from_json(json.loads(json.dumps(result.to_json()))) == result


@pytest.mark.parametrize("seed", range(300))
def test_planted_differences_are_counted_exactly(seed: int) -> None:
    """Faults far enough apart not to touch: the counts and the named offsets must be exactly those planted."""
    pick = random.Random(seed)
    size = pick.randint(40, 400)
    begin, step = pick.randint(0, 5) * 10, pick.randint(1, 3)
    source = [pick.getrandbits(64) for _ in range(size)]
    target, planted = [], Counter[str]()
    lost, altered = [], []
    position = 0
    while position < size:
        fault = pick.choice(["none"] * 6 + ["lost", "duplicated", "reordered", "altered", "unexpected"])
        here = source[position]
        if position in (0, size - 1) or position + 4 >= size:
            fault = "none"
        if fault == "lost":
            lost.append(begin + position * step)
        elif fault == "duplicated":
            target += [here, here]
        elif fault == "reordered":
            target += [source[position + 1], here]
            position += 1
        elif fault == "altered":
            target.append(here ^ 1)
            altered.append(begin + position * step)
        elif fault == "unexpected":
            target += [here, pick.getrandbits(64)]
        else:
            target.append(here)
        planted[fault] += 1
        if fault != "none":
            target.append(source[position + 1])  # a sound record keeps the faults apart
        position += 2 if fault != "none" else 1
    del planted["none"]
    result = compare(log(source, begin, step), log(target), FAR, named=size)
    assert counts(result) == dict(planted)
    assert [span[0] for span, _ in named(result, "lost")] == lost  # type: ignore[index]
    assert [span[0] for span, _ in named(result, "altered")] == altered  # type: ignore[index]
    assert (result.status == "pass") == (not planted)


@pytest.mark.parametrize("seed", range(300))
def test_counts_add_up_on_any_pair_of_logs(seed: int) -> None:
    """Few distinct hashes, swapped, cut and repeated at will: the multiset decides what is missing and extra."""
    pick = random.Random(seed)
    source = [pick.randint(0, 12) for _ in range(pick.randint(0, 40))]
    target = list(source)
    for _ in range(pick.randint(0, 6)):
        at = pick.randint(0, len(target))
        change = pick.choice(["cut", "repeat", "strange", "swap"])
        if change == "cut":
            del target[at : at + pick.randint(1, 4)]
        elif change == "repeat":
            target[at:at] = target[max(0, at - 3) : at]
        elif change == "strange":
            target.insert(at, 1000 + pick.randint(0, 3))
        elif at + 1 < len(target):
            target[at], target[at + 1] = target[at + 1], target[at]
    result = compare(log(source), log(target), FAR)
    ours, theirs = Counter(source), Counter(target)
    missing = sum((ours - theirs).values())
    strange = sum(count for value, count in theirs.items() if value not in ours)
    repeated = sum(max(0, count - ours[value]) for value, count in theirs.items() if value in ours)
    assert result.lost + result.altered == missing
    assert result.unexpected + result.altered == strange
    assert result.duplicated == repeated
    assert (result.status == "pass") == (source == target)


def test_a_million_records_with_faults_take_seconds() -> None:
    source = np.random.default_rng(1).integers(0, 1 << 63, 1_000_000, dtype=np.int64).astype(np.uint64)
    target = np.delete(source, [5_000])
    target[[100, 101]] = target[[101, 100]]
    target[900_000] += np.uint64(1)
    target = np.append(target, target[400_000:400_500])
    offsets = np.arange(len(target), dtype=np.int64)
    start = time.process_time()
    result = compare(
        PartitionContent(np.arange(1_000_000, dtype=np.int64), source, 0, 0, 1_000_000),
        PartitionContent(offsets, target, 0, 0, len(target)),
        FAR,
    )
    took = time.process_time() - start
    assert counts(result) == {"lost": 1, "reordered": 1, "altered": 1, "duplicated": 500}
    assert took < 10, f"took {took:.1f} s of CPU"
