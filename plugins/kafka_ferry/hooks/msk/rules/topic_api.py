"""MSK's topic API: which clusters have it, and its topic configs: lines ``key=value`` in base64.

Developer guide, "Describe a topic".
"""

from __future__ import annotations

import base64
import binascii
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
        raise TransientError(f"the cluster is {state}: MSK creates topics on an ACTIVE cluster only")
    if state != "ACTIVE":
        raise BadParam("cluster_arn", f"the cluster is {state}", "a cluster that is ACTIVE")
    if "Serverless" in description:
        raise _not_there("serverless")
    version = description.get("Provisioned", {}).get("CurrentBrokerSoftwareInfo", {}).get("KafkaVersion", "")
    found = re.match(r"(\d+)\.(\d+)", version)  # 3.8.x, 4.1.x.kraft
    if found and tuple(map(int, found.groups())) < OLDEST:
        raise _not_there(f"on Kafka {version}")


def _not_there(what: str) -> BadParam:
    problem = f"is msk_api, but the cluster is {what}, and such clusters have no topic API"
    return BadParam("provision_through", problem, "kafka; or a provisioned cluster of Kafka 3.6 or newer")


def encoded_configs(configs: Mapping[str, str]) -> str:
    """``Configs`` of ``CreateTopic`` and ``UpdateTopic``."""
    return base64.b64encode("\n".join(f"{key}={value}" for key, value in sorted(configs.items())).encode()).decode()


def decoded_configs(content: str | None) -> dict[str, str]:
    """Configs of ``DescribeTopic``; empty when it tells none.

    :raises TransientError: not base64 of text: this is not the API that we know.
    """
    try:
        text = base64.b64decode(content or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise TransientError(f"the topic's Configs are not base64 text: {error}") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
