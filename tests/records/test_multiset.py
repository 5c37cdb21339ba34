"""Differences planted in topics whose records went to other partitions must be found, counted exactly and named."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import numpy as np
import pytest

from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.content import KeyColumns, PartitionContent
from kafka_ferry.records.multiset import Unordered, compare_topic
from kafka_ferry.records.record_hash import key_hash, record_hash
from kafka_ferry.records.topic_content import TopicContent

Entry = tuple[str | None, str]
FAR = 1 << 62


def log(entries: Sequence[Entry], begin: int = 0) -> PartitionContent:
    raw = [(None if key is None else key.encode(), value.encode()) for key, value in entries]
    return PartitionContent(
        begin + np.arange(len(raw), dtype=np.int64),
        np.array([record_hash(0, None, *one) for one in raw], dtype=np.uint64),
        sum(len(key or b"") + len(value) for key, value in raw),
        begin,
        begin + len(raw),
        KeyColumns(np.array([key_hash(key) for key, _ in raw], dtype=np.uint64), np.zeros(len(raw), dtype=np.bool_)),
    )


def topic(*partitions: Sequence[Entry], begins: Sequence[int] = ()) -> TopicContent:
    starts = begins or [0] * len(partitions)
    pairs = zip(partitions, starts, strict=True)
    return TopicContent.of({number: log(entries, begin) for number, (entries, begin) in enumerate(pairs)})


def against(
    source: TopicContent, target: TopicContent, frozen: dict[int, int] | None = None, **more: str
) -> PartitionComparison:
    ends = frozen if frozen is not None else dict.fromkeys(source.begins, FAR)
    return compare_topic(source, target, ends, **more)[0]  # type: ignore[arg-type]


def counts(result: PartitionComparison) -> dict[str, int]:
    kinds = ("lost", "duplicated", "reordered", "altered", "unexpected", "expired")
    return {kind: getattr(result, kind) for kind in kinds if getattr(result, kind)}


def said(result: PartitionComparison) -> list[str]:
    return [str(one) for one in result.differences]


# Two keys in each of two partitions.
A = [("a", "1"), ("b", "1"), ("a", "2"), ("b", "2"), ("a", "3")]
C = [("c", "1"), ("d", "1"), ("c", "2"), ("d", "2")]


@pytest.mark.parametrize(
    "target",
    [
        ([*A], [*C]),
        ([*C], [*A]),
        ([], [*A, *C]),
        # Other keys in between: no order between records of different keys was ever promised.
        (
            [("a", "1"), ("d", "1"), ("d", "2"), ("a", "2"), ("a", "3")],
            [("c", "1"), ("b", "1"), ("c", "2"), ("b", "2")],
        ),
    ],
)
def test_the_same_records_in_other_partitions_pass(target: tuple[list[Entry], list[Entry]]) -> None:
    result = against(topic(A, C), topic(*target))
    assert (result.status, counts(result), result.source_records, result.target_records) == ("pass", {}, 9, 9)


def test_a_topic_without_records_or_partitions_passes() -> None:
    assert against(topic([], []), topic([], [])).status == "pass"
    assert against(topic(), topic()).status == "pass"


def test_a_lost_record_is_named_by_its_source_partition() -> None:
    result = against(topic(A, C), topic(A, [C[0], C[1], C[3]]))
    assert (result.status, counts(result)) == ("fail", {"lost": 1})
    assert said(result) == ["1 lost: source partition 1 offset 2"]


def test_a_duplicate_is_named_with_what_it_repeats() -> None:
    result = against(topic(A, C), topic([*C, C[2]], A))
    assert (result.status, counts(result)) == ("fail", {"duplicated": 1})
    assert said(result) == ["1 duplicated: source partition 1 offset 2, target partition 0 offset 4"]
    assert against(topic(A, C), topic([*C, C[2]], A), duplicates="explain").status == "explained"


def test_two_swapped_records_of_one_key_are_reordered() -> None:
    result = against(topic(A, C), topic([A[0], A[1], A[4], A[3], A[2]], C))
    assert (result.status, counts(result)) == ("fail", {"reordered": 1})
    assert "source partition 0 offset" in said(result)[0]


def test_a_changed_value_is_altered_as_its_key_tells() -> None:
    result = against(topic(A, C), topic([A[0], ("b", "x"), *A[2:]], C))
    assert (result.status, counts(result)) == ("fail", {"altered": 1})
    assert said(result) == ["1 altered: source partition 0 offset 1, target partition 0 offset 1"]


def test_a_changed_key_is_one_lost_and_one_unexpected() -> None:
    result = against(topic(A, C), topic([A[0], ("x", "1"), *A[2:]], C))
    assert (result.status, counts(result)) == ("fail", {"lost": 1, "unexpected": 1})


def test_records_without_a_key_are_a_multiset() -> None:
    keyless: list[Entry] = [(None, str(i)) for i in range(20)]
    shuffled = random.Random(1).sample(keyless, 20)
    assert against(topic(keyless, []), topic(shuffled[:7], shuffled[7:])).status == "pass"
    lost = against(topic(keyless, []), topic(shuffled[:7], shuffled[8:]))
    assert counts(lost) == {"lost": 1}
    twice = against(topic(keyless, []), topic(shuffled[:7], [*shuffled[7:], shuffled[0]]))
    assert counts(twice) == {"duplicated": 1}
    changed = against(topic(keyless, []), topic(shuffled[:7], [*shuffled[8:], (None, "x")]))
    assert counts(changed) == {"lost": 1, "unexpected": 1}


def test_an_empty_key_is_a_key() -> None:
    ordered: list[Entry] = [("", "1"), ("", "2")]
    assert against(topic(ordered), topic(ordered[::-1])).reordered == 1
    keyless: list[Entry] = [(None, "1"), (None, "2")]
    assert against(topic(keyless), topic(keyless[::-1])).status == "pass"


def test_a_key_in_two_source_partitions_has_no_order_but_is_counted() -> None:
    one, two = [("k", "1"), ("k", "2")], [("k", "3")]
    source = topic(one, two)
    result, unordered = compare_topic(source, topic([("k", "3"), ("k", "2"), ("k", "1")]), {0: FAR, 1: FAR})
    assert (result.status, unordered) == ("pass", Unordered(apart=1))
    assert "1 keys in several source partitions" in unordered.notes()[0]
    assert counts(against(source, topic([("k", "3"), ("k", "2")]))) == {"lost": 1}


def test_a_key_spread_over_target_partitions_has_lost_its_order() -> None:
    result, unordered = compare_topic(topic(A), topic(A[:4], A[4:]), {0: FAR})
    assert (result.status, counts(result), unordered.scattered) == ("fail", {"reordered": 1}, 1)
    assert said(result) == ["1 reordered: target partition 1 offset 0"]


def test_three_copies_are_named_as_such_also_in_several_partitions() -> None:
    result = against(topic(A, C), topic([*A, *C, *A, *C], [*A, *C]))
    assert (result.status, result.factor, counts(result)) == ("fail", 3, {"duplicated": 18})


def test_live_traffic_is_in_flight_not_lost() -> None:
    result = against(topic(A, C), topic(A[:3], C), frozen={0: 3, 1: 4})
    assert (result.status, result.in_flight, result.source_records) == ("pass", 2, 7)


def test_what_a_later_record_of_its_key_overtook_is_lost() -> None:
    result = against(topic(A, C), topic([*A[:2], A[4]], C), frozen={0: 2, 1: 4})
    assert (result.status, counts(result), result.in_flight) == ("fail", {"lost": 1}, 1)
    assert said(result) == ["1 lost: source partition 0 offset 2"]


def test_what_expired_on_the_source_is_explained_only_at_the_head() -> None:
    source = topic(A[2:], C, begins=[2, 0])
    assert counts(against(source, topic([*C, *A], []))) == {"expired": 2}
    assert against(source, topic([*C, *A], [])).status == "explained"
    late = against(source, topic([*C, *A[2:], ("a", "1")], []))
    assert (late.status, counts(late)) == ("fail", {"unexpected": 1})
    assert against(topic(A[2:], C), topic(A, C)).unexpected == 2, "nothing has expired where the log starts at 0"


def test_random_topics_with_random_faults_are_counted_exactly() -> None:
    rng = random.Random(7)
    for _ in range(200):
        keys = [f"k{i}" for i in range(rng.randint(1, 8))]
        partitions = [[] for _ in range(3)]  # type: list[list[Entry]]
        for number in range(rng.randint(5, 60)):
            key = rng.choice([*keys, None])
            place = rng.randrange(3) if key is None else int(key[1:]) % 3
            partitions[place].append((key, str(number)))
        copied: list[list[Entry]] = [[], []]
        waiting = [list(part) for part in partitions]
        while any(waiting):  # an interleaving that keeps each source partition's order
            part = rng.choice([one for one in waiting if one])
            entry = part.pop(0)
            copied[rng.randrange(2) if entry[0] is None else key_hash(entry[0].encode()) % 2].append(entry)
        assert against(topic(*partitions), topic(*copied)).status == "pass"
        full = [number for number, part in enumerate(copied) if part]
        place = rng.choice(full)
        at = rng.randrange(len(copied[place]))
        fault = rng.choice(["lost", "duplicated"])
        if fault == "lost":
            del copied[place][at]
        else:
            copied[place].append(copied[place][at])
        assert counts(against(topic(*partitions), topic(*copied))) == {fault: 1}


def test_millions_of_records_with_faults_take_seconds() -> None:
    rng = np.random.default_rng(3)
    count, parts = 1_000_000, 5
    keys = rng.integers(1, 200_000, count, dtype=np.uint64)
    hashes = rng.integers(1, 1 << 63, count, dtype=np.uint64)

    def side(places: np.ndarray, wanted: np.ndarray) -> TopicContent:  # type: ignore[type-arg]
        return TopicContent.of(
            {
                number: PartitionContent(
                    np.arange(len(mine), dtype=np.int64), hashes[mine], 0, 0, len(mine),
                    KeyColumns(keys[mine], np.zeros(len(mine), dtype=np.bool_)),
                )
                for number in range(parts)
                for mine in [wanted[places[wanted] == number]]
            }
        )  # fmt: skip

    every = np.arange(count)
    source = side((keys % parts).astype(int), every)
    wanted = np.delete(every, [5, 500_000])
    target = side((keys * 7 // 3 % parts).astype(int), np.concatenate((wanted, wanted[-30_000:])))
    began = time.monotonic()
    result = against(source, target)
    assert counts(result) == {"lost": 2, "duplicated": 30_000}
    assert time.monotonic() - began < 30, "3 s on an idle machine"
