"""What a migration means on a live source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import AllGroups, OtherGroup, by_type, other_group_findings, others_among
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.judge import check_groups_left_out
from kafka_ferry.jobs.migration.rules.resolve import resolve_groups, resolve_topics
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


class FakeSource:
    states: ClassVar = {"app": "STABLE", "old": "EMPTY", "connect-x": "STABLE"}
    commits: ClassVar[dict[str, dict[Partition, int]]] = {
        "app": {("a.b", 0): 5, ("other", 0): 1},
        "old": {("other", 0): 1},
        "connect-x": {("a.b", 0): 1},
    }

    def topic_names(self) -> list[str]:
        return ["__consumer_offsets", "a.b", "aXb", "other"]

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]:
        return {name: TopicState(name, name, 2, 1) for name in names}

    others: ClassVar[dict[str, OtherGroup]] = {}
    nameless = True

    no_share_starts = ""
    starts: ClassVar[dict[str, dict[Partition, Commit]]] = {}

    def all_groups(self) -> AllGroups:
        return AllGroups(self.states, self.others, dict.fromkeys(self.states, "classic"))

    def share_starts(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        return {group: self.starts.get(group, {}) for group in groups}

    def can_name(self, group: str) -> bool:
        return bool(group) or self.nameless

    def committed(self, groups: Iterable[str]) -> dict[str, dict[Partition, int]]:
        return {group: self.commits[group] for group in groups}


def spec(**params: Any) -> MigrationSpec:
    return MigrationSpec.from_params(params)


def test_topics_partitions_and_targets() -> None:
    made = spec(topics=["a.b"], naming="prefix", source_alias="old")
    found = resolve_topics(made, FakeSource())
    assert found.partitions == [("a.b", 0), ("a.b", 1)]
    assert found.targets(made) == {"a.b": "old.a.b"}


def test_nothing_matches_is_refused_with_what_is_there() -> None:
    with pytest.raises(BadParam, match="nothing on the source matches") as caught:
        resolve_topics(spec(topics=["c.*"]), FakeSource())
    assert caught.value.param == "topics"
    assert caught.value.fix == "topics there: a.b, aXb, other"


def test_nothing_left_is_refused_with_why() -> None:
    with pytest.raises(BadParam, match=r"a\.b: param exclude_topics"):
        resolve_topics(spec(topics=["a.b"], exclude_topics=["a.*"]), FakeSource())


def test_groups_with_a_commit_on_the_topics_and_only_those_commits() -> None:
    source = FakeSource()
    topics = source.topics(["a.b"])
    found = resolve_groups(spec(topics=["a.b"]), source, topics)
    assert found.committed == {"app": {("a.b", 0): 5}}
    assert found.selection.names == ("app", "old")
    assert [item.name for item in found.selection.skipped] == ["connect-x"]
    assert resolve_groups(spec(topics=["a.b"], groups=[]), source, topics).committed == {}
    assert found.bare == ["old"]


class ManyKinds(FakeSource):
    states: ClassVar = {"": "EMPTY", "app": "STABLE"}
    commits: ClassVar[dict[str, dict[Partition, int]]] = {
        "": {("a.b", 0): 3}, "app": {("a.b", 0): 5}, "k": {("a.b", 0): 7, ("other", 0): 8},
    }  # fmt: skip
    starts: ClassVar = {"s": {("a.b", 0): Commit(9, lag=1), ("other", 1): Commit(4)}}
    no_share_starts = "s: its brokers cannot"
    others: ClassVar = {"s": OtherGroup("share", "Stable"), "k": OtherGroup("streams", ""), "c": OtherGroup("connect")}


def test_groups_of_other_types_are_named_with_type_and_state() -> None:
    source = ManyKinds()
    topics = source.topics(["a.b"])
    found = resolve_groups(spec(topics=["a.b"], group_offsets="mm2"), source, topics)
    assert found.committed == {"app": {("a.b", 0): 5}}
    assert "share group" in found.skipped["s"]
    assert "state Stable" in found.skipped["s"]
    assert "streams group" in found.skipped["k"]
    assert "state unknown" in found.skipped["k"]
    assert "group_offsets is mm2" in found.skipped["k"]
    assert {"group_offsets: exact copies it; or leave it out (exclude_groups)"} == {
        item.fix for item in other_group_findings(found.others) if item.subject != "group 'c'"
    }
    assert "Kafka Connect" in found.skipped["c"]
    (check,) = check_groups_left_out(found)
    assert check.status is Status.EXPLAINED
    assert [text.partition(":")[0] for text in check.differences] == ["k", "s", "''", "c"]
    named = [item.subject for item in other_group_findings(found.others)]
    assert named == ["group 'k'", "group 's'", "group 'c'"]
    only = resolve_groups(spec(topics=["a.b"], groups=["s"]), source, topics)
    assert (only.committed, only.selection.unmatched, list(only.skipped)) == ({}, (), ["s"])
    assert "(s: its brokers cannot)" in only.skipped["s"]
    assert only.unasked == ["", "app", "c", "k"]
    left = resolve_groups(spec(topics=["a.b"], exclude_groups=["[sk]"]), source, topics)
    assert left.skipped["s"] == left.skipped["k"] == "param exclude_groups"
    assert check_groups_left_out(left)[0].status is Status.PASS


def test_streams_groups_and_share_groups_are_carried_where_brokers_can() -> None:
    source = ManyKinds()
    source.no_share_starts = ""
    topics = source.topics(["a.b"])
    found = resolve_groups(spec(topics=["a.b"]), source, topics)
    assert found.committed == {
        "": {("a.b", 0): 3}, "app": {("a.b", 0): 5}, "k": {("a.b", 0): 7}, "s": {("a.b", 0): 9},
    }  # fmt: skip
    assert found.kinds == {"s": "share", "k": "streams"}
    assert (found.consumers, found.shares) == (["app"], ["s"]), "what MirrorMaker 2 sees, and what it does not"
    assert found.states == {"": "EMPTY", "app": "STABLE", "s": "STABLE", "k": ""}
    assert found.reads["k"] == found.reads["s"] == {"a.b", "other"}
    assert list(found.skipped) == ["c"], "a Connect cluster's workers stand nowhere"
    assert by_type(found.types.values()) == (
        "2 classic consumer, 1 share (KIP-932), 1 streams (KIP-1071), 1 Kafka Connect's workers"
    )
    # The target cannot set starts: the share group alone is left behind, and the reason told.
    old = resolve_groups(spec(topics=["a.b"]), source, topics, lambda: "t: its brokers are old")
    assert old.committed.keys() == {"", "app", "k"}
    assert "its start is not copied (t: its brokers are old)" in old.skipped["s"]
    (warned,) = [item for item in other_group_findings(old.others) if item.subject == "group 's'"]
    assert "kafka-share-groups --group s --reset-offsets" in warned.fix


def test_nobody_asks_the_target_about_share_groups_where_there_are_none() -> None:
    def never() -> str:
        raise AssertionError

    source = FakeSource()
    found = resolve_groups(spec(topics=["a.b"]), source, source.topics(["a.b"]), never)
    assert found.committed == {"app": {("a.b", 0): 5}}


def test_a_streams_group_whose_name_nobody_can_write_is_named() -> None:
    class Nul(FakeSource):
        others: ClassVar = {"k\0": OtherGroup("streams", "Empty")}

    source = Nul()
    found = resolve_groups(spec(topics=["a.b"]), source, source.topics(["a.b"]))
    assert "streams group" in found.skipped["k\0"]


def test_the_empty_id_is_skipped_where_nobody_can_name_it() -> None:
    source = ManyKinds()
    source.nameless = False
    found = resolve_groups(spec(topics=["a.b"]), source, source.topics(["a.b"]))
    assert found.committed == {"app": {("a.b", 0): 5}, "k": {("a.b", 0): 7}}
    assert "empty group id" in found.skipped[""]


def test_others_are_what_is_left_of_all_groups() -> None:
    listed = {
        "app": OtherGroup("classic", "Empty"), "gone": OtherGroup("consumer", "Stable"), "s": OtherGroup("share"),
        "a\0b": OtherGroup("classic", "Empty"), "?": OtherGroup(""),
    }  # fmt: skip
    found = others_among(listed, ["app", "a"])
    assert found.keys() == {"s", "a\0b", "?"}, "a consumer group that went meanwhile is nobody's loss"
    assert "NUL" in str(found["a\0b"])
    assert "type is unknown" in str(found["?"])


def test_twenty_findings_at_most_and_how_many_more() -> None:
    others = {f"s{number:03}": OtherGroup("share") for number in range(50)} | {"c": OtherGroup("connect")}
    found = other_group_findings(others)
    assert len(found) == 21
    assert "31 more groups" in found[-1].subject
