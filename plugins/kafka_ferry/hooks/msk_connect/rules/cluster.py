"""What a connector must be told about its cluster, from the cluster's own description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka_ferry.core.msk_iam import java_settings
from kafka_ferry.exceptions import BadParam

IAM, NONE = "IAM", "NONE"
TLS, PLAINTEXT = "TLS", "PLAINTEXT"

_NOT_USABLE = ("CREATING", "DELETING", "FAILED")


@dataclass(frozen=True)
class ConnectorCluster:
    """``kafkaCluster`` and the two security blocks of ``CreateConnector``.

    :param authentication: ``IAM`` or ``NONE``: a worker knows no other.
    :param encryption: ``TLS`` or ``PLAINTEXT``.
    """

    bootstrap_servers: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    authentication: str = IAM
    encryption: str = TLS

    def to_request(self) -> dict[str, Any]:
        """The three members of ``CreateConnector``."""
        vpc: dict[str, Any] = {"subnets": list(self.subnets)}
        if self.security_groups:
            vpc["securityGroups"] = list(self.security_groups)
        apache = {"bootstrapServers": self.bootstrap_servers, "vpc": vpc}
        return {
            "kafkaCluster": {"apacheKafkaCluster": apache},
            "kafkaClusterClientAuthentication": {"authenticationType": self.authentication},
            "kafkaClusterEncryptionInTransit": {"encryptionType": self.encryption},
        }

    def client_settings(self) -> dict[str, str]:
        """Java client settings by which a connector reaches it; by IAM as the worker's role."""
        servers = {"bootstrap.servers": self.bootstrap_servers}
        if self.authentication == IAM:
            return {**servers, "security.protocol": "SASL_SSL", **java_settings()}
        return {**servers, "security.protocol": "SSL" if self.encryption == TLS else "PLAINTEXT"}


def cluster_of(
    description: Mapping[str, Any], brokers: Mapping[str, Any], wanted: str | None = None
) -> ConnectorCluster:
    """How a connector reaches an MSK cluster: IAM where the cluster has it, else TLS, else plaintext.

    :param description: ``ClusterInfo`` of ``kafka:DescribeClusterV2``.
    :param brokers: answer of ``kafka:GetBootstrapBrokers``.
    :param wanted: ``IAM`` or ``NONE`` to choose; None takes the strongest.
    :raises BadParam: the cluster is not there to be used, or has no door that a worker knows.
    """
    state = description.get("State", "ACTIVE")
    if state in _NOT_USABLE:
        raise BadParam("cluster_arn", f"the cluster is {state}", "a cluster that is ACTIVE")
    subnets, groups = _network(description)
    doors = {
        IAM: [("BootstrapBrokerStringSaslIam", TLS)],
        NONE: [("BootstrapBrokerStringTls", TLS), ("BootstrapBrokerString", PLAINTEXT)],
    }
    open_without_login = _unauthenticated(description)
    for authentication in (wanted,) if wanted else (IAM, NONE):
        if authentication not in doors:
            raise BadParam("authentication", f"{authentication!r} is not supported by MSK Connect", "IAM or NONE")
        if authentication == NONE and not open_without_login:
            continue
        for key, encryption in doors[authentication]:
            if found := brokers.get(key):
                return ConnectorCluster(found, subnets, groups, authentication, encryption)
    doors_found = ", ".join(sorted(key for key in brokers if key.startswith("Bootstrap"))) or "none"
    problem = (
        f"no listener for {wanted or 'IAM or NONE'}: it has {doors_found}, and MSK Connect supports "
        "neither SCRAM nor mTLS"
    )
    raise BadParam("cluster_arn", problem, "enable IAM access control in the cluster's security settings")


def _network(description: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if node := description.get("Provisioned", {}).get("BrokerNodeGroupInfo"):
        return tuple(node.get("ClientSubnets", ())), tuple(node.get("SecurityGroups", ()))
    if configs := description.get("Serverless", {}).get("VpcConfigs"):
        # Several VPCs may see a serverless cluster; a connector lives in one.
        return tuple(configs[0].get("SubnetIds", ())), tuple(configs[0].get("SecurityGroupIds", ()))
    raise BadParam("cluster_arn", "its description names no subnets", "the ARN of an MSK cluster")


def _unauthenticated(description: Mapping[str, Any]) -> bool:
    """A cluster without any ClientAuthentication block takes everybody; one with a block says so itself."""
    if "Serverless" in description:
        return False
    block = description.get("Provisioned", {}).get("ClientAuthentication")
    return not block or bool(block.get("Unauthenticated", {}).get("Enabled"))
