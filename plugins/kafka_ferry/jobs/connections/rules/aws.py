"""Which calls of AWS's are tried, and the actions that IAM calls them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from kafka_ferry.exceptions import FerryError

#: Error codes of S3, STS and other services (their API references, "Common errors").
_BAD_KEYS: Final = re.compile(
    "SignatureDoesNotMatch|InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClient|ExpiredToken|InvalidSignature"
)


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
    fix = f"allow {action} to it, or correct what is named"
    return f"{action} on {where or '*'} did not work: {str(error).rstrip('.')}. Fix: {fix}"


def keys_refused(error: FerryError) -> str:
    """That the keys are wrong, so that no action is allowed; empty: it is about something else."""
    if not _BAD_KEYS.search(str(error)):
        return ""
    return f"its keys are not taken: {str(error).rstrip('.')}. Fix: access key and secret as they are today"
