"""An end of a replicator: a cluster, and how the replicator reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka_ferry.core.arns import account_of, region_of
from kafka_ferry.exceptions import BadParam

_LEAST_SUBNETS = 2  # developer guide: "a minimum of two subnets"
MTLS = "mTLS"


@dataclass(frozen=True)
class ReplicatorCluster:
    """One of the two ``KafkaClusters`` of ``CreateReplicator``: an MSK cluster, or a Kafka of yours as the source.

    :param arn: of an MSK cluster.
    :param cluster_id, bootstrap_servers: of a Kafka of yours, or of MSK in another account; the id is what Kafka tells
        (``cluster.id``).
    :param authentication: ``ClientAuthentication`` of such a one, see :func:`client_authentication`.
    :param root_ca: ARN of the secret that has the certificate of its CA; empty: a public one.
    """

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    arn: str = ""
    cluster_id: str = ""
    bootstrap_servers: str = ""
    authentication: Mapping[str, Any] = field(default_factory=dict)
    root_ca: str = ""

    def __post_init__(self) -> None:
        if bool(self.arn) == bool(self.cluster_id and self.bootstrap_servers):
            raise BadParam(
                "cluster", "is neither an MSK cluster nor a Kafka cluster", "an ARN, or an id and its brokers"
            )
        if self.arn:
            check_arn("cluster", self.arn)
        if len(self.subnets) < _LEAST_SUBNETS:
            raise BadParam("subnets", f"of {self.name}: {len(self.subnets)}", f"at least {_LEAST_SUBNETS}")

    @property
    def name(self) -> str:
        """What it is known by."""
        return self.arn or self.cluster_id

    def to_request(self) -> dict[str, Any]:
        """A member of ``KafkaClusters``."""
        vpc: dict[str, Any] = {"SubnetIds": list(self.subnets)}
        if self.security_groups:
            vpc["SecurityGroupIds"] = list(self.security_groups)
        if self.arn:
            return {"AmazonMskCluster": {"MskClusterArn": self.arn}, "VpcConfig": vpc}
        apache = {"ApacheKafkaClusterId": self.cluster_id, "BootstrapBrokerString": self.bootstrap_servers}
        found: dict[str, Any] = {
            "ApacheKafkaCluster": apache,
            "VpcConfig": vpc,
            "EncryptionInTransit": {
                "EncryptionType": "TLS",
                **({"RootCaCertificate": self.root_ca} if self.root_ca else {}),
            },
        }
        return found | ({"ClientAuthentication": dict(self.authentication)} if self.authentication else {})

    def side(self, side: str) -> dict[str, str]:
        """The member by which ``ReplicationInfoList`` and updates call it.

        :param side: ``Source`` or ``Target``.
        """
        if self.arn:
            return {f"{side}KafkaClusterArn": self.arn}
        return {f"{side}KafkaClusterId": self.cluster_id}


def client_authentication(login: str, secret_arn: str) -> dict[str, Any]:
    """``ClientAuthentication`` of a Kafka that is not MSK's, by botocore's model.

    :param login: ``SCRAM-SHA-256``, ``SCRAM-SHA-512`` (the secret has ``username``, ``password``) or ``mTLS``
        (``certificate``, ``privateKey``): developer guide, "Store credentials in AWS Secrets Manager".
    """
    if login == MTLS:
        return {"MTLS": {"SecretArn": secret_arn}}
    return {"SaslScram": {"Mechanism": login.replace("SCRAM-SHA-", "SHA"), "SecretArn": secret_arn}}


def cluster_end(param: str, description: Mapping[str, Any]) -> ReplicatorCluster:
    """An MSK cluster as an end of a replicator, from its description alone.

    :param param: which the cluster was named by.
    :param description: ``ClusterInfo`` of ``DescribeClusterV2``.
    :raises BadParam: a replicator cannot use the cluster: it is not ACTIVE, or has no IAM access control, by which a
        replicator logs in (developer guide, "Requirements and considerations").
    """
    state, arn = description.get("State", "ACTIVE"), description["ClusterArn"]
    if state != "ACTIVE":
        raise BadParam(param, f"the cluster is {state}", "a cluster that is ACTIVE")
    if configs := description.get("Serverless", {}).get("VpcConfigs"):  # which knows nothing but IAM
        first = configs[0]
        return ReplicatorCluster(tuple(first["SubnetIds"]), tuple(first.get("SecurityGroupIds", ())), arn)
    provisioned = description.get("Provisioned", {})
    if not provisioned.get("ClientAuthentication", {}).get("Sasl", {}).get("Iam", {}).get("Enabled"):
        fix = "enable IAM access control in the cluster's security settings"
        raise BadParam(param, "the cluster has no IAM access control, by which a replicator logs in", fix)
    nodes = provisioned.get("BrokerNodeGroupInfo", {})
    return ReplicatorCluster(tuple(nodes.get("ClientSubnets", ())), tuple(nodes.get("SecurityGroups", ())), arn)


def check_arn(param: str, arn: str) -> str:
    """:raises BadParam: it is not the ARN of an MSK cluster."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "kafka" or not parts[5].startswith("cluster/"):
        raise BadParam(param, f"{arn!r} is not an MSK cluster", "arn:aws:kafka:<region>:<account>:cluster/<name>/<id>")
    return arn


def check_pair(source: str, target: str, region: str | None) -> None:
    """Whether one replicator can stand between two MSK clusters.

    :param region: where it would be made; None when the connection says no region.
    :raises BadParam: one cluster, two accounts, or another region than the target's.
    """
    if source == target:
        raise BadParam("cluster_arn", "is the source", "two clusters")
    if account_of(source) != account_of(target):
        problem = f"is in account {account_of(source)}, the target in {account_of(target)}"
        fix = (
            "a replicator takes ARNs of one account; reach the other's brokers by SCRAM or mTLS: source_bootstrap in "
            "place of source_cluster_arn"
        )
        raise BadParam("source_cluster_arn", problem, fix)
    check_region(target, region)


def check_region(target: str, region: str | None) -> None:
    """:raises BadParam: the connection's region is not that of the target, in which a replicator lives."""
    if region and region != region_of(target):
        problem = f"is {region}, but a replicator lives in the region of its target, {region_of(target)}"
        raise BadParam("region_name", problem, f"{region_of(target)}, or nothing")
