"""What MSK's Express brokers and MSK Serverless do not take."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Severity
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.rules.msk_limits import MskKind, MskTarget
from kafka_ferry.jobs.migration.rules.refused_configs import RefusedConfigs
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

EXPRESS = MskTarget(MskKind.EXPRESS, instance="express.m7g.large", brokers=3)
SERVERLESS = MskTarget(MskKind.SERVERLESS)
STANDARD = MskTarget(MskKind.STANDARD, instance="kafka.m7g.large", brokers=3)
REFUSE, WARN, ADVISE = Severity.REFUSE, Severity.WARN, Severity.ADVISE


def topic(name: str = "orders", partitions: int = 1, **configs: str) -> DesiredTopic:
    return DesiredTopic(name, name, partitions, None, {key.replace("_", "."): value for key, value in configs.items()})


def there(name: str = "orders", **effective: str) -> dict[str, TopicState]:
    found = {key.replace("_", "."): value for key, value in effective.items()}
    return {name: TopicState(name, "id", 1, 3, found, found)}


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        ({"Serverless": {"VpcConfigs": []}}, MskKind.SERVERLESS),
        ({"Provisioned": {"BrokerNodeGroupInfo": {"InstanceType": "express.m7g.4xlarge"}}}, MskKind.EXPRESS),
        ({"Provisioned": {"BrokerNodeGroupInfo": {"InstanceType": "kafka.m7g.large"}}}, MskKind.STANDARD),
    ],
)
def test_the_kind_is_in_the_description(described: dict[str, Any], kind: MskKind) -> None:
    assert MskTarget.from_description(described).kind is kind


@pytest.mark.parametrize(
    ("target", "key", "value", "words"),
    [
        (EXPRESS, "retention.ms", "1", ""),
        (EXPRESS, "message.timestamp.before.max.ms", "9223372036854775807", ""),
        (EXPRESS, "min.insync.replicas", "2", ""),  # as all topics there have it
        (EXPRESS, "min.insync.replicas", "1", "protect it from change: it is 2"),
        (EXPRESS, "unclean.leader.election.enable", "true", "it is false"),
        (EXPRESS, "segment.bytes", "52428800", "protect it from change"),  # a Kafka Streams changelog's
        (EXPRESS, "remote.storage.enable", "true", "protect it from change"),
        (EXPRESS, "max.compaction.lag.ms", "604799999", "no less than 604800000"),
        (EXPRESS, "max.compaction.lag.ms", "604800000", ""),
        (SERVERLESS, "retention.bytes", "-1", ""),
        (SERVERLESS, "cleanup.policy", "compact", ""),
        (SERVERLESS, "max.message.bytes", "8388608", ""),
        (SERVERLESS, "max.message.bytes", "8388609", "no more than 8388608"),
        (SERVERLESS, "min.insync.replicas", "2", "no other topic configs than cleanup.policy"),
        (SERVERLESS, "segment.bytes", "52428800", "no other topic configs"),
        (STANDARD, "segment.bytes", "52428800", ""),
        (MskTarget(None, "denied"), "segment.bytes", "52428800", ""),
    ],
)
def test_configs_that_are_known_not_to_be_taken(target: MskTarget, key: str, value: str, words: str) -> None:
    one = DesiredTopic("orders", "orders", 1, None, {key: value, "retention.ms": "5"})
    found = target.refused([one], {})
    assert found.configs == ({"orders": [(key, value)]} if words else {})
    assert words in found.reasons.get((key, value), "")


def test_on_a_topic_that_is_there_only_what_would_be_set_counts() -> None:
    wanted = [topic(cleanup_policy="compact", min_insync_replicas="2")]
    found = SERVERLESS.refused(wanted, there(cleanup_policy="delete", min_insync_replicas="2"))
    assert found.configs == {"orders": [("cleanup.policy", "compact")]}
    assert "only when a topic is created" in found.reasons["cleanup.policy", "compact"]
    assert SERVERLESS.refused(wanted, there(cleanup_policy="compact", min_insync_replicas="2")) == RefusedConfigs()


def test_param_refused_configs_works_with_them() -> None:
    wanted = [topic(segment_bytes="1", retention_ms="5"), topic("bills", segment_bytes="1")]
    asked = RefusedConfigs(configs={"bills": [("x", "y")]}, reasons={("x", "y"): "Unknown topic config name"})
    both = asked.also(SERVERLESS.refused(wanted, {}))
    assert both.configs == {"orders": [("segment.bytes", "1")], "bills": [("x", "y"), ("segment.bytes", "1")]}
    refusals = both.findings("kafka_target", skip=False)
    assert {one.severity for one in refusals} == {REFUSE}
    assert any("set on 2 topics: bills, orders" in one.what for one in refusals)
    assert [dict(one.configs) for one in both.without(wanted)] == [{"retention.ms": "5"}, {}]
    same = RefusedConfigs(configs={"orders": [("segment.bytes", "1")]}, reasons={("segment.bytes", "1"): "policy"})
    assert same.also(SERVERLESS.refused(wanted, {})).reasons["segment.bytes", "1"] == "policy", "the target's own words"


MANY = [topic(f"t{n}", 900) for n in range(3)]
COMPACT = [topic("c", 121, cleanup_policy="compact,delete")]


@pytest.mark.parametrize(
    ("target", "params", "topics", "groups", "expected"),
    [
        (STANDARD, {"replication_factor": 1, "acls": "copy"}, MANY, 999, []),
        (EXPRESS, {}, [topic("t", 1000)], 999, []),
        (EXPRESS, {"replication_factor": 3}, [], 0, []),
        (EXPRESS, {"replication_factor": 1}, [], 0, [(WARN, "replication_factor", "with 3 replicas, not 1")]),
        (EXPRESS, {}, [topic("t", 1001)], 0, [(ADVISE, "topics", "1,001 replicas on each of its 3 brokers")]),
        (EXPRESS, {}, MANY, 0, [(WARN, "topics", "should hold 1,000 and can hold 1,500")]),
        (SERVERLESS, {"acls": "copy"}, [], 0, [(REFUSE, "acls", "no Kafka ACLs")]),
        (SERVERLESS, {"replication_factor": 2}, [], 0, [(WARN, "replication_factor", "not 2")]),
        (SERVERLESS, {}, MANY, 0, [(WARN, "topics", "2,700 partitions, and MSK Serverless has room for 2,400")]),
        (SERVERLESS, {}, COMPACT, 0, [(WARN, "topics", "121 partitions of compacted topics")]),
        (SERVERLESS, {}, [], 501, [(WARN, "groups", "501 consumer groups")]),
        (MskTarget(None, "AccessDenied"), {}, MANY, 0, [(ADVISE, "cluster_arn", "was not told: AccessDenied")]),
    ],
)
def test_limits_are_told_by_name(
    target: MskTarget,
    params: dict[str, Any],
    topics: list[DesiredTopic],
    groups: int,
    expected: list[tuple[Severity, str, str]],
) -> None:
    found = target.findings(MigrationSpec.from_params({"topics": ["x"], **params}), topics, {}, groups)
    assert [(one.severity, one.param) for one in found] == [(severity, param) for severity, param, _ in expected]
    for one, (_, _, words) in zip(found, expected, strict=True):
        assert words in one.what


def test_what_is_there_already_takes_no_more_room() -> None:
    spec = MigrationSpec.from_params({"topics": ["x"]})
    existing = {one.name: TopicState(one.name, "id", one.partitions, 3) for one in MANY}
    assert SERVERLESS.findings(spec, MANY, existing, 0) == []
