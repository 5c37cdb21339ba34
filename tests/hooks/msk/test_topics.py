from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.exceptions import BadParam, FerryError, NotAuthorized, TransientError
from kafka_ferry.hooks.msk.topics import MskTopicsHook
from kafka_ferry.hooks.msk_connect.rules.errors import MskConnectError, MskConnectUnavailable, NotSupported
from stack.msk.cluster import ARN as CLUSTER
from stack.msk.server import MskConnectDouble


@pytest.fixture
def topics(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> MskTopicsHook:
    monkeypatch.setattr(MskTopicsHook, "delay", 0.0)
    return MskTopicsHook(CLUSTER)


def wish(name: str = "orders", partitions: int = 2, factor: int | None = 2, **configs: str) -> DesiredTopic:
    return DesiredTopic(
        name, name, partitions, factor, {key.replace("_", "."): value for key, value in configs.items()}
    )


def usable(topics: MskTopicsHook, name: str, partitions: int) -> None:
    topics.wait_until_usable([(name, number) for number in range(partitions)], 30)


def test_a_topic_is_made_grown_and_set(aws: MskConnectDouble, topics: MskTopicsHook) -> None:
    assert topics.topics(["orders"]) == {}
    topics.create_topics([wish(cleanup_policy="compact"), wish("bills", 1)])
    usable(topics, "orders", 2)
    topics.create_topics([wish()])  # by another one, meanwhile
    topics.grow_partitions({"orders": 4})
    topics.set_configs({"orders": {"retention.ms": "1000"}})  # waits until it has grown
    usable(topics, "orders", 4)
    found = topics.topics(["orders", "no-such"])
    assert found.keys() == {"orders"}
    assert (found["orders"].partitions, found["orders"].replication_factor) == (4, 2)
    # What it had stays, although what is sent replaces all.
    assert found["orders"].configs == found["orders"].effective == {"cleanup.policy": "compact", "retention.ms": "1000"}
    assert aws.requests.count("CreateTopic") == 3


def test_many_are_listed_in_pages(topics: MskTopicsHook, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"t{number}" for number in range(5)]
    topics.create_topics([wish(name) for name in names])
    real = topics.call

    def by_two(operation: str, **params: Any) -> dict[str, Any]:
        return real(operation, **params, **({"MaxResults": 2} if operation == "list_topics" else {}))

    monkeypatch.setattr(topics, "call", by_two)
    assert topics.topics(names).keys() == set(names)


def test_clusters_without_the_api_are_refused_before_any_call(aws: MskConnectDouble) -> None:
    aws.clusters.states[CLUSTER] = "FAILED"
    with pytest.raises(BadParam, match="cluster_arn"):
        MskTopicsHook(CLUSTER).create_topics([wish()])
    aws.clusters.states[CLUSTER] = "MAINTENANCE"
    with pytest.raises(TransientError, match="MAINTENANCE"):
        MskTopicsHook(CLUSTER).topics(["orders"])
    assert set(aws.requests) == {"DescribeClusterV2"}


def test_what_never_becomes_active_is_told(aws: MskConnectDouble, topics: MskTopicsHook) -> None:
    aws.account.looks = 1_000_000
    topics.create_topics([wish()])
    with pytest.raises(TransientError, match="'orders' is CREATING, not ACTIVE"):
        topics.wait_until_usable([("orders", 0)], 0.01)
    with pytest.raises(TransientError, match="'other' is not there yet"):
        topics.wait_until_usable([("other", 0)], 0.01)
    next(iter(aws.account.topics.values())).state = "DELETING"
    with pytest.raises(FerryError, match="is being deleted"):
        topics.grow_partitions({"orders": 3})


@pytest.mark.parametrize(
    ("code", "error", "retriable"),
    [
        ("TooManyRequestsException", MskConnectUnavailable, True),
        ("KafkaTimeoutException", MskConnectUnavailable, True),
        ("ClusterConnectivityException", MskConnectUnavailable, True),
        ("ForbiddenException", NotAuthorized, False),
        ("KafkaRequestException", MskConnectError, False),
    ],
)
def test_errors_say_whether_to_try_again(
    aws: MskConnectDouble, topics: MskTopicsHook, code: str, error: type[FerryError], retriable: bool
) -> None:
    aws.faults.plan({"errors": [{"operation": "CreateTopic", "code": code}]})
    with pytest.raises(error) as caught:
        topics.create_topics([wish()])
    assert caught.value.retriable is retriable


def test_a_wish_that_brokers_refuse_keeps_its_words(topics: MskTopicsHook) -> None:
    with pytest.raises(MskConnectError, match="larger than available brokers"):
        topics.create_topics([wish(factor=3)])


def test_a_boto3_without_the_api_is_told_so(topics: MskTopicsHook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "supports", lambda operation: operation != "create_topic")
    with pytest.raises(NotSupported, match="newer boto3"):
        topics.create_topics([wish()])
