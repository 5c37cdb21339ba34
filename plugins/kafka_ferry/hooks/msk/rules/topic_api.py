"""Which clusters have MSK's topic API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kafka_ferry.exceptions import BadParam, TransientError

#: Kafka of the brokers (developer guide, "Topic operations").
OLDEST = (3, 6)
_PASSING = ("CREATING", "HEALING", "MAINTENANCE", "REBOOTING_BROKER", "UPDATING")


def check_topic_api(description: Mapping[str, Any]) -> None:
    """Whether topics of a cluster can be made through MSK.

    :param description: ``ClusterInfo`` of ``DescribeClusterV2``.
    :raises BadParam: it is serverless, or too old, or on its way out. ``TransientError``: it is not ACTIVE now.
    """
    state = description.get("State", "ACTIVE")
    if state in _PASSING:
        raise TransientError(f"the cluster is {state}: MSK makes topics on an ACTIVE one only")
    if state != "ACTIVE":
        raise BadParam("cluster_arn", f"the cluster is {state}", "a cluster that is ACTIVE")
    if "Serverless" in description:
        raise _not_there("serverless")
    version = description.get("Provisioned", {}).get("CurrentBrokerSoftwareInfo", {}).get("KafkaVersion", "")
    found = re.match(r"(\d+)\.(\d+)", version)  # 3.8.x, 4.1.x.kraft
    if found and tuple(map(int, found.groups())) < OLDEST:
        raise _not_there(f"on Kafka {version}")


def _not_there(what: str) -> BadParam:
    problem = f"is msk_api, but the cluster is {what}, and such ones have no topic API"
    return BadParam("provision_through", problem, "kafka; or a provisioned cluster of Kafka 3.6 or newer")
