"""Compacted topics: what counts is the last value of each key."""

from __future__ import annotations

import numpy as np
import pytest

from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.content import KeyColumns, PartitionContent
from kafka_ferry.records.last_value import LastValues, compare_last_values, without_keys_written_again
from kafka_ferry.records.record_hash import key_hash, record_hash

FAR = 1 << 62
Entry = tuple[str, str | None]


def log(*entries: Entry, begin: int = 0, offsets: list[int] | None = None) -> PartitionContent:
    """Each entry is a key and its value; None is a tombstone."""
    places = list(range(begin, begin + len(entries))) if offsets is None else offsets
    raw = [(key.encode(), None if value is None else value.encode()) for key, value in entries]
    return PartitionContent(
        np.array(places, dtype=np.int64),
        np.array([record_hash(0, None, key, value) for key, value in raw], dtype=np.uint64),
        0,
        begin,
        places[-1] + 1 if places else begin,
        KeyColumns(
            np.array([key_hash(key) for key, _ in raw], dtype=np.uint64),
            np.array([value is None for _, value in raw], dtype=np.bool_),
        ),
    )


def counts(result: PartitionComparison) -> dict[str, int]:
    kinds = ("lost", "altered", "stale", "unexpected", "expired", "in_flight")
    return {kind: getattr(result, kind) for kind in kinds if getattr(result, kind)}


@pytest.mark.parametrize(
    "source, target",
    [
        ([], []),
        ([("a", "1"), ("a", "2"), ("b", "1")], [("a", "2"), ("b", "1")]),
        ([("a", "2"), ("b", "1")], [("a", "1"), ("a", "2"), ("b", "1")]),  # the source was compacted after the copy
        ([("a", "1"), ("b", "1")], [("b", "1"), ("a", "1")]),
        ([("a", "1"), ("a", None)], []),  # the target's cleaner removed the tombstone
        ([], [("a", "1"), ("a", None)]),  # the source's did
        ([("a", "1"), ("a", None)], [("a", None)]),
        ([("a", ""), ("b", "1")], [("a", ""), ("b", "1")]),  # empty is a value, not a tombstone
    ],
)
def test_same_last_values_pass(source: list[Entry], target: list[Entry]) -> None:
    result = compare_last_values(log(*source), log(*target), FAR)
    assert (result.status, counts(result)) == ("pass", {})


@pytest.mark.parametrize(
    "source, target, kind",
    [
        ([("a", "1"), ("b", "1")], [("a", "1")], "lost"),
        ([("a", "1")], [("a", "1"), ("a", None)], "lost"),
        ([("a", "1"), ("a", "2")], [("a", "1")], "stale"),
        ([("a", "1"), ("a", None)], [("a", "1")], "stale"),
        ([("a", None)], [("a", "0")], "stale"),
        ([("a", "1")], [("a", "x")], "altered"),
        ([("a", "1")], [("a", "1"), ("z", "1")], "unexpected"),
    ],
)
def test_a_wrong_last_value_is_named(source: list[Entry], target: list[Entry], kind: str) -> None:
    result = compare_last_values(log(*source), log(*target), FAR)
    assert (result.status, counts(result)) == ("fail", {kind: 1})
    assert [one.kind for one in result.differences] == [kind]


def test_offsets_of_the_two_versions_are_named() -> None:
    result = compare_last_values(log(("a", "1"), ("b", "1"), ("a", "2")), log(("b", "1"), ("a", "1"), begin=50), FAR)
    assert [(one.source, one.target) for one in result.differences] == [((2, 2), (51, 51))]


def test_live_keys_count_without_tombstones() -> None:
    result = compare_last_values(log(("a", "1"), ("b", None)), log(("a", "0"), ("a", "1")), FAR)
    assert (result.source_records, result.target_records) == (1, 1)


@pytest.mark.parametrize(
    "target, status",
    [
        ([("a", "1")], "pass"),  # the value before
        ([("a", "2")], "pass"),  # one of the values since
        ([("a", "3")], "pass"),  # the newest
        ([("a", None)], "fail"),  # never deleted
        ([("a", "x")], "fail"),
        ([("a", "0")], "fail"),  # older than the frozen one
        ([], "fail"),
    ],
)
def test_a_key_written_since_the_frozen_end_may_lag(target: list[Entry], status: str) -> None:
    source = log(("a", "0"), ("a", "1"), ("a", "2"), ("a", "3"))
    assert compare_last_values(source, log(*target), frozen_end=2).status == status


@pytest.mark.parametrize("target", [[], [("a", "1")], [("a", "1"), ("a", None)]])
def test_a_key_deleted_since_the_frozen_end_may_lag(target: list[Entry]) -> None:
    assert compare_last_values(log(("a", "1"), ("a", None)), log(*target), frozen_end=1).status == "pass"


def test_a_key_that_first_came_after_the_frozen_end_may_be_missing() -> None:
    result = compare_last_values(log(("a", "1"), ("b", "1")), log(("a", "1")), frozen_end=1)
    assert (result.status, counts(result)) == ("pass", {"in_flight": 1})


def test_keys_that_expired_on_the_source_are_explained_only_at_the_head() -> None:
    source = log(("b", "1"), ("c", "1"), begin=5)
    result = compare_last_values(source, log(("a", "1"), ("b", "1"), ("c", "1")), FAR)
    assert (result.status, counts(result)) == ("explained", {"expired": 1})
    result = compare_last_values(source, log(("b", "1"), ("a", "1"), ("c", "1")), FAR)
    assert (result.status, counts(result)) == ("fail", {"unexpected": 1})


def test_key_columns_are_required() -> None:
    with pytest.raises(ValueError, match="key columns"):
        LastValues.of(PartitionContent(np.zeros(0, np.int64), np.zeros(0, np.uint64), 0, 0, 0))


def test_keys_that_others_wrote_again_are_left_out() -> None:
    source = log(("a", "1"), ("b", "1"), ("c", "1"))
    target = log(("b", "1"), ("c", "2"), ("a", "9"), ("d", "1"))
    here, there, again = without_keys_written_again(source, target, 2)
    assert again == 2
    found = compare_last_values(here, there, 3)
    assert counts(found) == {"altered": 1}, "c, which nobody wrote again"
    assert found.source_records == 2
    assert there.end == 2
