"""What kind of MSK cluster a target is: by its ARN, asked from the double, or by its hosts' names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.jobs.migration.live.msk_target import ask_msk_target
from kafka_ferry.jobs.migration.rules.msk_limits import MskKind, MskTarget
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from stack.msk import CLUSTER
from stack.msk.server import MskConnectDouble

SERVERLESS = "boot-abcde1.c2.kafka-serverless.eu-west-1.amazonaws.com:9098"
PROVISIONED = "b-1.demo.abc.c2.kafka.eu-west-1.amazonaws.com:9098"


def asked(servers: str = "kafka.corp:9092", **params: Any) -> MskTarget | None:
    target: Any = SimpleNamespace(extra={"bootstrap.servers": servers})
    return ask_msk_target(MigrationSpec.from_params({"topics": ["x"], **params}), target)


def test_by_its_arn(aws: MskConnectDouble) -> None:
    found = asked(cluster_arn=CLUSTER)
    assert found == MskTarget(MskKind.STANDARD, instance="kafka.m7g.large", brokers=2)
    aws.clusters.instances[CLUSTER] = "express.m7g.large"
    assert asked(cluster_arn=CLUSTER) == MskTarget(MskKind.EXPRESS, instance="express.m7g.large", brokers=2)
    aws.clusters.serverless.add(CLUSTER)
    assert asked(cluster_arn=CLUSTER) == MskTarget(MskKind.SERVERLESS)


def test_a_right_that_lacks_fails_nothing(aws: MskConnectDouble) -> None:
    aws.faults.plan({"errors": [{"operation": "DescribeClusterV2", "code": "ForbiddenException"}]})
    found = asked(cluster_arn=CLUSTER)
    assert found is not None
    assert (found.kind, "ForbiddenException" in found.why) == (None, True)
    aws.faults.plan({"errors": [{"operation": "DescribeClusterV2", "code": "ForbiddenException"}]})
    assert asked(SERVERLESS, cluster_arn=CLUSTER) == MskTarget(MskKind.SERVERLESS)


def test_with_an_arn_the_brokers_connection_is_not_needed(aws: MskConnectDouble) -> None:
    """Topics through MSK's API: Airflow may not reach the brokers at all."""
    nobody: Any = SimpleNamespace()
    spec = MigrationSpec.from_params({"topics": ["x"], "cluster_arn": CLUSTER})
    assert ask_msk_target(spec, nobody) is not None


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        (SERVERLESS, MskTarget(MskKind.SERVERLESS)),
        (PROVISIONED, MskTarget(None, "no cluster_arn is given")),
        ("kafka.corp:9092", None),
    ],
)
def test_by_its_hosts(servers: str, expected: MskTarget | None) -> None:
    assert asked(servers) == expected
