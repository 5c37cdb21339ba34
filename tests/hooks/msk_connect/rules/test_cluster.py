from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.cluster import ConnectorCluster, cluster_of

NODES = {"ClientSubnets": ["subnet-a", "subnet-b"], "SecurityGroups": ["sg-1"]}
IAM = {"Sasl": {"Iam": {"Enabled": True}}}


def described(authentication: dict[str, Any] | None = None, state: str = "ACTIVE") -> dict[str, Any]:
    provisioned: dict[str, Any] = {"BrokerNodeGroupInfo": NODES}
    if authentication is not None:
        provisioned["ClientAuthentication"] = authentication
    return {"State": state, "Provisioned": provisioned}


ALL = {
    "BootstrapBrokerString": "b:9092",
    "BootstrapBrokerStringTls": "b:9094",
    "BootstrapBrokerStringSaslScram": "b:9096",
    "BootstrapBrokerStringSaslIam": "b:9098",
}


def test_iam_where_the_cluster_has_it() -> None:
    cluster = cluster_of(described(IAM), ALL)
    assert cluster == ConnectorCluster("b:9098", ("subnet-a", "subnet-b"), ("sg-1",), "IAM", "TLS")
    assert cluster.to_request() == {
        "kafkaCluster": {
            "apacheKafkaCluster": {
                "bootstrapServers": "b:9098",
                "vpc": {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-1"]},
            }
        },
        "kafkaClusterClientAuthentication": {"authenticationType": "IAM"},
        "kafkaClusterEncryptionInTransit": {"encryptionType": "TLS"},
    }


@pytest.mark.parametrize(
    ("brokers", "bootstrap", "encryption"),
    [
        ({"BootstrapBrokerStringTls": "b:9094", "BootstrapBrokerString": "b:9092"}, "b:9094", "TLS"),
        ({"BootstrapBrokerString": "b:9092"}, "b:9092", "PLAINTEXT"),
    ],
)
def test_without_login(brokers: dict[str, str], bootstrap: str, encryption: str) -> None:
    cluster = cluster_of(described(), brokers)
    assert (cluster.bootstrap_servers, cluster.authentication, cluster.encryption) == (bootstrap, "NONE", encryption)


def test_a_choice() -> None:
    both = described({**IAM, "Unauthenticated": {"Enabled": True}})
    assert cluster_of(both, ALL, "NONE").bootstrap_servers == "b:9094"
    with pytest.raises(BadParam, match="no listener for NONE"):
        cluster_of(described(IAM), ALL, "NONE")
    with pytest.raises(BadParam, match="not supported by MSK Connect"):
        cluster_of(described(IAM), ALL, "SCRAM")


def test_scram_alone_is_no_door_for_a_worker() -> None:
    scram = {"Sasl": {"Scram": {"Enabled": True}}}
    with pytest.raises(BadParam, match="neither SCRAM nor mTLS"):
        cluster_of(described(scram), {"BootstrapBrokerStringSaslScram": "b:9096", "BootstrapBrokerStringTls": "b:9094"})


def test_serverless() -> None:
    description = {"State": "ACTIVE", "Serverless": {"VpcConfigs": [{"SubnetIds": ["s"], "SecurityGroupIds": ["g"]}]}}
    cluster = cluster_of(description, {"BootstrapBrokerStringSaslIam": "b:9098"})
    assert (cluster.subnets, cluster.security_groups, cluster.authentication) == (("s",), ("g",), "IAM")


def test_a_cluster_that_is_not_there_to_be_used() -> None:
    with pytest.raises(BadParam, match="the cluster is CREATING"):
        cluster_of(described(IAM, "CREATING"), ALL)
    with pytest.raises(BadParam, match="no subnets"):
        cluster_of({}, ALL)
