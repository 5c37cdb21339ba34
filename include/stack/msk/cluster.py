"""The calls of the ``kafka`` API that describe clusters."""

from __future__ import annotations

from typing import Any

from stack.msk import ACCOUNT, REGION
from stack.msk import CLUSTER as ARN
from stack.msk.wire import Refused

#: A second cluster, from which a replicator may read.
SOURCE_ARN = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/legacy/11111111-1111-1111-1111-111111111111-1"


class Clusters:
    """Two clusters whose bootstrap servers are those of a real Kafka; with IAM beside no login, as a replicator wants.

    :param bootstrap_servers: plaintext, of the cluster ``ARN``.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = {ARN: bootstrap_servers, SOURCE_ARN: "127.0.0.1:9092"}
        self.states = dict.fromkeys(self.bootstrap_servers, "ACTIVE")
        self.iam = dict.fromkeys(self.bootstrap_servers, True)
        self.policies: dict[str, str] = {}  # cluster policies
        self.serverless: set[str] = set()
        self.instances = dict.fromkeys(self.bootstrap_servers, "kafka.m7g.large")
        self.iam_servers: dict[str, str] = {}  # shown beside the plaintext ones; nobody listens there

    def describe_cluster_v2(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = self.known(params["ClusterArn"])
        nodes = {
            "ClientSubnets": ["subnet-0a", "subnet-0b"],
            "SecurityGroups": ["sg-0"],
            "InstanceType": self.instances[arn],
        }
        logins = {"Unauthenticated": {"Enabled": True}, "Sasl": {"Iam": {"Enabled": self.iam[arn]}}}
        provisioned = {
            "BrokerNodeGroupInfo": nodes,
            "CurrentBrokerSoftwareInfo": {"KafkaVersion": "4.1.x.kraft"},
            "ClientAuthentication": logins,
            "NumberOfBrokerNodes": 2,
        }
        info = {"ClusterArn": arn, "ClusterName": name_of(arn), "ClusterType": "PROVISIONED"}
        info |= {"State": self.states[arn], "CurrentVersion": "K1"}
        if arn in self.serverless:
            vpc = {"SubnetIds": nodes["ClientSubnets"], "SecurityGroupIds": nodes["SecurityGroups"]}
            serverless = {"VpcConfigs": [vpc], "ClientAuthentication": {"Sasl": {"Iam": {"Enabled": True}}}}
            return {"ClusterInfo": {**info, "ClusterType": "SERVERLESS", "Serverless": serverless}}
        return {"ClusterInfo": {**info, "Provisioned": provisioned}}

    def get_bootstrap_brokers(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = self.known(params["ClusterArn"])
        iam = {"BootstrapBrokerStringSaslIam": self.iam_servers[arn]} if arn in self.iam_servers else {}
        return {"BootstrapBrokerString": self.bootstrap_servers[arn], **iam}

    def get_cluster_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = self.known(params["ClusterArn"])
        if arn not in self.policies:
            raise Refused("NotFoundException", "The cluster has no policy.")
        return {"CurrentVersion": "K1", "Policy": self.policies[arn]}

    def known(self, arn: str) -> str:
        """:raises Refused: there is no such cluster."""
        if arn not in self.bootstrap_servers:
            raise Refused("NotFoundException", "The cluster does not exist.")
        return arn


def name_of(arn: str) -> str:
    """The cluster's name."""
    return arn.split("/")[1]
