"""What a migration means on a live source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.migration.convergence import Partition
from kafka_ferry.migration.resolve import resolve_groups, resolve_topics
from kafka_ferry.migration.spec import MigrationSpec
from kafka_ferry.migration.topics import TopicState


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

    def consumer_groups(self) -> dict[str, str]:
        return self.states

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
    assert caught.value.cure == "topics there: a.b, aXb, other"


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
