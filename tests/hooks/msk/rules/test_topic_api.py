from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.hooks.msk.rules.topic_api import check_topic_api


def described(version: str = "3.8.x", **changes: Any) -> dict[str, Any]:
    return {"State": "ACTIVE", "Provisioned": {"CurrentBrokerSoftwareInfo": {"KafkaVersion": version}}, **changes}


@pytest.mark.parametrize("version", ["3.6.0", "3.8.x", "3.9.x.kraft", "4.1.x.kraft", ""])
def test_clusters_that_have_it(version: str) -> None:
    check_topic_api(described(version))


@pytest.mark.parametrize(
    ("cluster", "problem"),
    [
        (described("3.5.1"), r"on Kafka 3\.5\.1"),
        (described("2.8.1"), r"on Kafka 2\.8\.1"),
        ({"State": "ACTIVE", "Serverless": {}}, "serverless"),
        (described(State="DELETING"), "is DELETING"),
    ],
)
def test_clusters_that_have_it_not(cluster: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadParam, match=problem):
        check_topic_api(cluster)


def test_a_cluster_that_is_busy_is_worth_another_try() -> None:
    with pytest.raises(TransientError, match="is UPDATING"):
        check_topic_api(described(State="UPDATING"))
