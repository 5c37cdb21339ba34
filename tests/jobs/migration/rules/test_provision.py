"""Parity of topics: what is created, grown, set, and what is refused before anything changes."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.provision import (
    check_provisioning,
    check_replication,
    desired_topics,
    topic_changes,
)
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


def spec(**params: Any) -> MigrationSpec:
    return MigrationSpec.from_params({"topics": ["t"], **params})


def state(name: str = "t", partitions: int = 3, **configs: str) -> TopicState:
    own = {key.replace("_", "."): value for key, value in configs.items()}
    return TopicState(name, "id", partitions, 1, own, {"retention.ms": "604800000", **own})


def want(partitions: int = 3, **configs: str) -> DesiredTopic:
    return DesiredTopic("t", "t", partitions, None, {key.replace("_", "."): value for key, value in configs.items()})


def test_desired_topics_have_the_sources_partitions_and_own_configs() -> None:
    source = state("a.b", 7, cleanup_policy="compact", min_insync_replicas="2")
    (made,) = desired_topics(spec(naming="prefix", source_alias="old", replication_factor=2), [source])
    assert (made.source, made.name, made.partitions, made.replication_factor) == ("a.b", "old.a.b", 7, 2)
    # min.insync.replicas too, which MirrorMaker 2 leaves out; defaults of the source's brokers are not carried.
    assert made.configs == {"cleanup.policy": "compact", "min.insync.replicas": "2"}


def test_configs_that_name_brokers_are_not_carried() -> None:
    source = state(
        leader_replication_throttled_replicas="0:1", follower_replication_throttled_replicas="*", retention_ms="5"
    )
    (made,) = desired_topics(spec(), [source])
    assert made.configs == {"retention.ms": "5"}


def test_create() -> None:
    (change,) = topic_changes([want(retention_ms="5", cleanup_policy="compact")], {})
    assert change.action is Action.CREATE
    assert str(change.change) == (
        "create topic t: 3 partitions, replication factor as the target's default, cleanup.policy=compact, "
        "retention.ms=5"
    )


def test_nothing_to_do() -> None:
    (change,) = topic_changes([want(retention_ms="5")], {"t": state(retention_ms="5", segment_ms="9")})
    assert (change.action, change.grow_to, change.set_configs) == (Action.NONE, None, ())
    assert str(change.change) == "none   topic t"


def test_a_value_in_force_by_the_brokers_default_is_right_already() -> None:
    (change,) = topic_changes([want(retention_ms="604800000")], {"t": state()})
    assert change.action is Action.NONE


def test_grow_and_set() -> None:
    (change,) = topic_changes([want(5, retention_ms="5")], {"t": state(partitions=3, retention_ms="6")})
    assert (change.action, change.grow_to, change.set_configs) == (Action.UPDATE, 5, (("retention.ms", "5"),))
    assert str(change.change) == "update topic t: partitions to 5, retention.ms=5"


def test_partitions_cannot_be_taken_away() -> None:
    with pytest.raises(BadParam, match=r"'t' has 4 partitions.*only 3") as caught:
        topic_changes([want(3)], {"t": state(partitions=4)})
    assert caught.value.param == "topics"
    assert "exclude_topics" in caught.value.fix


def test_more_replicas_than_brokers() -> None:
    with pytest.raises(BadParam, match=r"is 3, but the target has 2 broker") as caught:
        check_replication(spec(replication_factor=3), [], brokers=2, default_factor=1)
    assert caught.value.param == "replication_factor"
    with pytest.raises(BadParam):
        check_replication(spec(), [], brokers=1, default_factor=3)
    check_replication(spec(replication_factor=2), [], brokers=2, default_factor=3)


def test_min_insync_replicas_that_no_write_could_satisfy() -> None:
    with pytest.raises(BadParam, match=r"'t' has min.insync.replicas=2") as caught:
        check_replication(spec(replication_factor=1), [want(min_insync_replicas="2")], brokers=3, default_factor=3)
    assert "at least 2" in caught.value.fix
    check_replication(spec(), [want(min_insync_replicas="2")], brokers=3, default_factor=2)


def test_a_change_reads_and_travels() -> None:
    change = Change(Action.DELETE, "connector", "c")
    assert str(change) == "delete connector c"
    assert change.to_json() == {"action": "delete", "kind": "connector", "name": "c", "detail": ""}


def test_msks_topic_api_needs_a_cluster_and_a_replication_factor() -> None:
    arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1-2"
    check_provisioning(spec())
    check_provisioning(spec(provision_through="msk_api", cluster_arn=arn, replication_factor=3))
    with pytest.raises(BadParam, match="cluster_arn"):
        check_provisioning(spec(provision_through="msk_api", replication_factor=3))
    with pytest.raises(BadParam, match="replication_factor"):
        check_provisioning(spec(provision_through="msk_api", cluster_arn=arn))
    for params in ({"cluster_arn": "orders"}, {"provision_through": "terraform"}):
        with pytest.raises(BadParam, match=next(iter(params))):
            spec(**params)
