"""Groups of each type are asked and written in their own way, and nothing is asked of types that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import AllGroups, OtherGroup
from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions

AT, GONE = ("orders", 0), ("gone", 0)
KINDS = {"s": "share", "k": "streams"}


class FakeAdmin:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    def commits(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        self.asked.append(("commits", list(groups)))
        return {group: {AT: Commit(7, "note")} for group in groups}

    def share_starts(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        self.asked.append(("share_starts", list(groups)))
        return {group: {AT: Commit(40, lag=15), GONE: Commit(1, lag=0)} for group in groups}

    def commit(self, offsets: Mapping[str, Any]) -> dict[str, str]:
        self.asked.append(("commit", dict(offsets)))
        return {group: "no" for group in offsets if group == "bad"}

    def set_share_starts(self, starts: Mapping[str, Any]) -> dict[str, str]:
        self.asked.append(("set_share_starts", dict(starts)))
        return dict.fromkeys(starts, "busy")

    def offsets(self, places: Iterable[Partition], spec: str, level: str) -> dict[Partition, int]:
        self.asked.append(("offsets", list(places), spec, level))
        return dict.fromkeys(places, 60)

    def all_groups(self) -> AllGroups:
        others = {"s": OtherGroup("share", "Stable"), "k": OtherGroup("streams", "Empty")}
        return AllGroups({"g": "STABLE", "h": "EMPTY"}, others, {})


def positions(kinds: Mapping[str, str] = KINDS) -> tuple[GroupPositions, FakeAdmin]:
    admin = FakeAdmin()
    return GroupPositions(cast("KafkaAdmin", admin), kinds), admin


def test_share_groups_have_starts_and_all_others_commits() -> None:
    made, admin = positions()
    assert made.commits(["g", "s", "k"]) == {
        "g": {AT: Commit(7, "note")}, "k": {AT: Commit(7, "note")},
        "s": {AT: Commit(40, lag=15), GONE: Commit(1, lag=0)},
    }  # fmt: skip
    assert admin.asked == [("commits", ["g", "k"]), ("share_starts", ["s"])]
    plain, other = positions({})
    assert plain.commits(["g"]).keys() == {"g"}
    assert plain.write({"g": {AT: Commit(1)}}) == {}
    assert [one[0] for one in other.asked] == ["commits", "commit"], "nobody asks old brokers of share groups"


def test_each_is_written_in_its_own_way_and_every_refusal_is_told() -> None:
    made, admin = positions()
    wanted = {"bad": {AT: Commit(1)}, "k": {AT: Commit(2, "note")}, "s": {AT: Commit(3)}}
    assert made.write(wanted) == {"bad": "no", "s": "busy"}
    assert admin.asked == [
        ("commit", {"bad": {AT: Commit(1)}, "k": {AT: Commit(2, "note")}}), ("set_share_starts", {"s": {AT: 3}}),
    ]  # fmt: skip


def test_groups_of_all_types_may_be_at_work() -> None:
    assert positions()[0].active() == {"g", "s"}


def test_what_is_behind_the_start_is_counted_up_to_the_end_that_share_groups_see() -> None:
    made, admin = positions()
    found = made.acknowledged(made.commits(["g", "s"]), [AT])
    assert found == {"s": {AT: 5}}, "60 - 40 - 15; a topic that is gone has no end to ask for"
    assert admin.asked[-1] == ("offsets", [AT], "latest", "read_uncommitted")
    assert made.acknowledged({"g": {AT: Commit(7)}}, [AT]) == {}
