"""The two calls of the ``kafka`` API from which a connector's cluster is derived."""

from __future__ import annotations

from typing import Any

from stack.msk.account import ACCOUNT, REGION
from stack.msk.wire import Refused

ARN = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/ferry/00000000-0000-0000-0000-000000000000-1"


class Clusters:
    """One cluster without login, whose bootstrap servers are those of a real Kafka.

    :param bootstrap_servers: plaintext.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    def describe_cluster_v2(self, params: dict[str, Any]) -> dict[str, Any]:
        self._known(params)
        nodes = {
            "ClientSubnets": ["subnet-0a", "subnet-0b"],
            "SecurityGroups": ["sg-0"],
            "InstanceType": "kafka.m7g.large",
        }
        provisioned = {
            "BrokerNodeGroupInfo": nodes,
            "CurrentBrokerSoftwareInfo": {"KafkaVersion": "4.1.x.kraft"},
            "ClientAuthentication": {"Unauthenticated": {"Enabled": True}},
            "NumberOfBrokerNodes": 2,
        }
        info = {"ClusterArn": ARN, "ClusterName": "ferry", "ClusterType": "PROVISIONED", "State": "ACTIVE"}
        return {"ClusterInfo": {**info, "CurrentVersion": "K1", "Provisioned": provisioned}}

    def get_bootstrap_brokers(self, params: dict[str, Any]) -> dict[str, Any]:
        self._known(params)
        return {"BootstrapBrokerString": self.bootstrap_servers}

    @staticmethod
    def _known(params: dict[str, Any]) -> None:
        if params["ClusterArn"] != ARN:
            raise Refused("NotFoundException", "The cluster does not exist.")
