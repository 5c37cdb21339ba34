"""Names, selections, and what an offset becomes."""

from __future__ import annotations

import numpy as np
import pytest

from kafka_ferry.core.retention import HELD_SIZE
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.manifest import GroupOffset, PartitionBackup, Segment, TopicBackup
from kafka_ferry.jobs.backup.rules.restore_plan import (
    OffsetMap,
    configs_to_hold,
    configs_to_put_back,
    held_configs,
    select_topics,
    takes_part,
    target_name,
    translate_groups,
    whole,
)


def topic(name: str, partitions: int = 2) -> TopicBackup:
    parts = [PartitionBackup(partition=number, begin=0, end=0) for number in range(partitions)]
    return TopicBackup(name=name, topic_id=name, replication_factor=1, partitions=parts)


TOPICS = [topic("orders"), topic("orders.late"), topic("users")]


def test_names():
    rename = {"orders": "o", r"(.*)\.late": r"late.\1"}
    assert [target_name(name, rename) for name in ("orders", "orders.late", "users")] == ["o", "late.orders", "users"]
    with pytest.raises(BadParam, match="rename"):
        target_name("x", {"x(": "y"})


def test_selection():
    assert [one.name for one in select_topics(TOPICS, [], {})] == ["orders", "orders.late", "users"]
    assert [one.source.name for one in select_topics(TOPICS, ["orders.*"], {})] == ["orders", "orders.late"]
    (one,) = select_topics(TOPICS, ["users"], {"users": "people"}, {"users": [1]})
    assert (one.name, [part.partition for part in one.partitions]) == ("people", [1])
    with pytest.raises(BadParam, match="'typo' is not in the backup"):
        select_topics(TOPICS, ["typo"], {})
    with pytest.raises(BadParam, match="would both be 'x'"):
        select_topics(TOPICS, [], {"orders.*": "x"})


@pytest.mark.parametrize(
    ("offset", "expected"), [(0, 100), (5, 100), (6, 101), (8, 103), (9, 103), (12, 103), (13, 104), (99, 105)]
)
def test_an_offset_goes_on_at_the_next_restored_record(offset, expected):
    # Records at 5, 6, 7, 12 and 20 stand at 100 to 104.
    mapped = OffsetMap.of(100, [range(5, 7), np.array([7, 12]), range(12, 12), np.array([20])])
    assert mapped.records == 5
    assert mapped.translate(offset) == expected
    assert mapped.translate(offset) == 100 + sum(own < offset for own in (5, 6, 7, 12, 20))


def test_an_empty_partition_maps_to_its_base():
    assert OffsetMap.of(7, []).translate(1000) == 7


def test_groups_are_translated_where_the_topic_is_restored():
    groups = {"g": [GroupOffset(topic="a", partition=0, offset=6), GroupOffset(topic="b", partition=0, offset=1)],
              "h": [GroupOffset(topic="b", partition=0, offset=1)]}  # fmt: skip
    assert translate_groups(groups, {"a": "a2"}, {("a", 0): OffsetMap.of(0, [range(5, 9)])}) == {"g": {("a2", 0): 1}}


def test_segments_by_time():
    one = Segment(begin=0, end=2, records=2, min_timestamp=10, max_timestamp=20)
    assert [takes_part(one, at) for at in (None, 9, 10)] == [True, False, True]
    assert [whole(one, at) for at in (None, 19, 20)] == [True, False, True]
    assert not whole(one.model_copy(update={"min_timestamp": 0}), None), "librdkafka takes 0 for now"
    assert not whole(one.model_copy(update={"min_timestamp": -9}), None), "0 may be among them"
    assert whole(one.model_copy(update={"min_timestamp": -9, "max_timestamp": -1}), None)
    assert not takes_part(Segment(begin=0, end=2), None)


def test_what_is_held_is_put_back():
    own = {"cleanup.policy": "compact", "retention.ms": "5", "max.message.bytes": "9"}
    held = held_configs(own)
    assert (held["cleanup.policy"], held["max.message.bytes"], held["message.timestamp.type"]) == (
        "delete", HELD_SIZE, "CreateTime",
    )  # fmt: skip
    assert "segment.bytes" not in held
    assert held_configs({"segment.bytes": "1048576"})["segment.bytes"] == HELD_SIZE
    assert configs_to_hold({"segment.bytes": "1048576", "min.insync.replicas": "1"}) == {
        **held_configs({}), "segment.bytes": HELD_SIZE,
    }  # fmt: skip
    assert configs_to_put_back({}, {"segment.bytes": HELD_SIZE})["segment.bytes"] is None
    back = configs_to_put_back(own, held)
    assert (back["cleanup.policy"], back["retention.ms"], back["message.timestamp.type"]) == ("compact", "5", None)
    assert back["max.message.bytes"] == "9"
    assert configs_to_put_back(own, own) == {}


def test_a_name_that_is_there_means_only_itself():
    topics = [TopicBackup(name=name, topic_id=name, replication_factor=1) for name in ("a.b", "a-b", "aXb")]
    assert [one.name for one in select_topics(topics, ["a.b"], {})] == ["a.b"]
    assert [one.name for one in select_topics(topics, ["a[.]b|aX."], {})] == ["a.b", "aXb"]
    assert [one.name for one in select_topics(topics, [], {"a.b": "x"})] == ["x", "a-b", "aXb"]
    assert [one.name for one in select_topics(topics[1:], ["a.b"], {"a.b": "\\g<0>.new"})] == ["a-b.new", "aXb.new"]
