from __future__ import annotations

import pytest

from kafka_ferry.jobs.runtimes.service_role.rules.roles import (
    Kind,
    missing,
    permission_policy,
    statements_of,
    trust_policy,
)

CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/demo/0000-1"
TOPIC = "arn:aws:kafka:eu-west-1:123456789012:topic/demo/0000-1/"
GROUP = "arn:aws:kafka:eu-west-1:123456789012:group/demo/0000-1/"


def actions_on(kind: Kind, resource: str) -> set[str]:
    policy = permission_policy(kind, CLUSTER, "orders", ["shop.*", "history"])
    found = {a for s in policy["Statement"] if resource in s["Resource"] for a in s["Action"]}
    return {action.removeprefix("kafka-cluster:") for action in found}


def test_trust_is_for_one_account_and_connector() -> None:
    (statement,) = trust_policy("123456789012", "orders", "eu-west-1")["Statement"]
    assert statement["Principal"] == {"Service": "kafkaconnect.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    source = "arn:aws:kafkaconnect:eu-west-1:123456789012:connector/orders/*"
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": source}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_may_connect_and_keep_its_own_topics(kind: Kind) -> None:
    assert {"Connect", "DescribeCluster"} <= actions_on(kind, CLUSTER)
    assert actions_on(kind, f"{TOPIC}__amazon_msk_connect_*") == {
        "CreateTopic",
        "DescribeTopic",
        "ReadData",
        "WriteData",
    }
    assert actions_on(kind, f"{GROUP}connect-orders") == {"AlterGroup", "DescribeGroup"}
    assert actions_on(kind, f"{GROUP}__amazon_msk_connect_*") == {"AlterGroup", "DescribeGroup"}


def test_least_rights_on_topics() -> None:
    assert actions_on(Kind.SINK, f"{TOPIC}shop.*") == {"DescribeTopic", "ReadData"}
    assert actions_on(Kind.SOURCE, f"{TOPIC}shop.*") == {"CreateTopic", "DescribeTopic", "WriteData"}
    # Our S3 connectors: topics are there already, their configs go into manifests, and producers are idempotent.
    assert actions_on(Kind.S3_SINK, f"{TOPIC}shop.*") == {
        "DescribeTopic", "DescribeTopicDynamicConfiguration", "ReadData"
    }  # fmt: skip
    assert actions_on(Kind.S3_SOURCE, f"{TOPIC}shop.*") == {"DescribeTopic", "WriteData"}
    assert "WriteDataIdempotently" in actions_on(Kind.S3_SOURCE, CLUSTER)
    assert "WriteDataIdempotently" not in actions_on(Kind.SOURCE, CLUSTER)
    assert "ReadData" in actions_on(Kind.DEBEZIUM, f"{TOPIC}history")
    assert "DescribeClusterDynamicConfiguration" in actions_on(Kind.DEBEZIUM, CLUSTER)
    assert "DescribeClusterDynamicConfiguration" not in actions_on(Kind.SINK, CLUSTER)
    assert "AlterTopic" in actions_on(Kind.MIRROR_MAKER2, f"{TOPIC}shop.*")


def test_secrets_of_a_config_provider() -> None:
    policy = permission_policy(Kind.SINK, CLUSTER, "orders", [], secrets=["arn:secret"])
    assert policy["Statement"][-1] == {
        "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": ["arn:secret"]
    }  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
def test_the_policy_generated_covers_what_is_needed(kind: Kind) -> None:
    needed = statements_of(kind, CLUSTER, "orders", ("shop.*",))
    assert missing(needed, [permission_policy(kind, CLUSTER, "orders", ["shop.*"])]) == []
    assert missing(needed, []) != []


def test_what_is_missing_is_named() -> None:
    needed = statements_of(Kind.SINK, CLUSTER, "orders", ("shop",))
    everything = {"Effect": "Allow", "Action": "kafka-cluster:*", "Resource": "*"}
    assert missing(needed, [{"Statement": everything}]) == []
    assert missing(needed, [{"Statement": {**everything, "Condition": {"Bool": {"x": "true"}}}}]) != []
    deny = {"Effect": "Deny", "Action": "Kafka-Cluster:readdata", "Resource": f"{TOPIC}shop"}
    assert missing(needed, [{"Statement": [everything, deny]}]) == [f"kafka-cluster:ReadData on {TOPIC}shop"]
    deny_all_but = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}
    assert missing(needed, [{"Statement": [everything, deny_all_but]}]) != []
