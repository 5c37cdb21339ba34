"""Which calls of AWS's are tried, and the actions that IAM calls them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from kafka_ferry.exceptions import FerryError


@dataclass(frozen=True)
class Call:
    """A call that changes nothing.

    :param service, operation: as boto3 calls them. ``action``: as IAM does.
    :param given: arguments. ``of_cluster``: whether it takes the cluster's ARN.
    """

    service: str
    operation: str
    action: str
    given: Mapping[str, Any] = field(default_factory=dict)
    of_cluster: bool = False

    def arguments(self, cluster_arn: str | None) -> dict[str, Any]:
        return {**self.given, **({"ClusterArn": cluster_arn} if self.of_cluster else {})}


CLUSTER_CALLS: Final = (
    Call("kafka", "describe_cluster_v2", "kafka:DescribeClusterV2", of_cluster=True),
    Call("kafka", "get_bootstrap_brokers", "kafka:GetBootstrapBrokers", of_cluster=True),
)
CALLS: Final[Mapping[str, tuple[Call, ...]]] = MappingProxyType(
    {
        "msk_connect": (
            Call("kafkaconnect", "list_connectors", "kafkaconnect:ListConnectors", {"maxResults": 1}),
            Call("kafkaconnect", "list_custom_plugins", "kafkaconnect:ListCustomPlugins", {"maxResults": 1}),
            Call(
                "kafkaconnect", "list_worker_configurations", "kafkaconnect:ListWorkerConfigurations", {"maxResults": 1}
            ),
        ),
        "msk_replicator": (Call("kafka", "list_replicators", "kafka:ListReplicators", {"MaxResults": 1}),),
    }
)


def refused(action: str, where: str | None, error: FerryError) -> str:
    """An action that did not work, in one line."""
    return f"{action} on {where or '*'} did not work: {error}. Fix: allow {action} to it, or correct what is named"
