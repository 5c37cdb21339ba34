"""What a migration means on a live source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.group_types import OtherGroup, other_group_findings, others_among
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

    def all_groups(self) -> tuple[dict[str, str], dict[str, OtherGroup]]:
        return self.states, self.others

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
    commits: ClassVar[dict[str, dict[Partition, int]]] = {"": {("a.b", 0): 3}, "app": {("a.b", 0): 5}}
    others: ClassVar = {"s": OtherGroup("share", "Stable"), "k": OtherGroup("streams", ""), "c": OtherGroup("connect")}


def test_groups_of_other_types_are_named_with_type_and_state() -> None:
    source = ManyKinds()
    topics = source.topics(["a.b"])
    found = resolve_groups(spec(topics=["a.b"]), source, topics)
    assert found.committed == {"": {("a.b", 0): 3}, "app": {("a.b", 0): 5}}
    assert "share group" in found.skipped["s"]
    assert "state Stable" in found.skipped["s"]
    assert "streams group" in found.skipped["k"]
    assert "state unknown" in found.skipped["k"]
    assert "Kafka Connect" in found.skipped["c"]
    (check,) = check_groups_left_out(found)
    assert check.status is Status.EXPLAINED
    assert [text.partition(":")[0] for text in check.differences] == ["k", "s", "c"]
    named = [item.subject for item in other_group_findings(found.others)]
    assert named == ["group 'k'", "group 's'", "group 'c'"]
    only = resolve_groups(spec(topics=["a.b"], groups=["s"]), source, topics)
    assert (only.committed, only.selection.unmatched, list(only.skipped)) == ({}, (), ["s"])
    assert only.unasked == ["", "app", "c", "k"]
    left = resolve_groups(spec(topics=["a.b"], exclude_groups=["[sk]"]), source, topics)
    assert left.skipped["s"] == "param exclude_groups"
    assert check_groups_left_out(left)[0].status is Status.PASS


def test_the_empty_id_is_skipped_where_nobody_can_name_it() -> None:
    source = ManyKinds()
    source.nameless = False
    found = resolve_groups(spec(topics=["a.b"]), source, source.topics(["a.b"]))
    assert found.committed == {"app": {("a.b", 0): 5}}
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
