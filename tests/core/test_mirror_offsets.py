"""Last replicated and next: one apart, told in one place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kafka_ferry.core.mirror_offsets import kept_key, kept_offset, next_offset, next_offsets, offset_changes, place_of


def entry(offset: int | None = 41, **key: Any) -> dict[str, Any]:
    place = {"cluster": "src", "topic": "a.b", "partition": 0} | key
    return {"partition": place, "offset": None if offset is None else {"offset": offset}}


@pytest.mark.parametrize("following", [0, 1, 2**62])
def test_what_is_kept_is_one_less_and_comes_back(following: int) -> None:
    assert kept_offset(following) == {"offset": following - 1}
    assert next_offset(kept_offset(following)) == following


def test_a_place_comes_back_and_its_keys_stand_as_connect_writes_them() -> None:
    key = kept_key(("t16", 4), "src")
    assert json.dumps(key, separators=(",", ":")) == '{"cluster":"src","partition":4,"topic":"t16"}'  # measured
    assert place_of(key, "src") == ("t16", 4)
    assert place_of(key, "other") is None


def test_only_entries_of_this_cluster_that_are_a_partition_and_have_an_offset_count() -> None:
    entries = [
        entry(),
        entry(0, partition=1),
        entry(5, cluster="other", partition=2),
        entry(None, partition=3),
        {"partition": {"cluster": "src"}, "offset": {"offset": 1}},
        {"partition": {"cluster": "src", "topic": "a.b"}, "offset": {"offset": 1}},
    ]
    assert next_offsets(entries, "src") == {("a.b", 0): 42, ("a.b", 1): 1}
    assert next_offsets([], "src") == {}


def test_only_what_differs_is_changed_and_what_is_not_wanted_is_forgotten() -> None:
    changes = offset_changes({("a", 0): 5, ("b", 1): 7}, {("a", 0): 5, ("c", 2): 9}, "src")
    assert changes == [
        {"partition": kept_key(("b", 1), "src"), "offset": {"offset": 6}},
        {"partition": kept_key(("c", 2), "src"), "offset": None},
    ]
