from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.validate import ParamValidator

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk.rules.cluster import (
    ReplicatorCluster,
    check_arn,
    check_pair,
    client_authentication,
    cluster_end,
)
from stack.msk.wire import service_model

OLD = "arn:aws:kafka:eu-west-1:123456789012:cluster/old/1-2"
NEW = "arn:aws:kafka:eu-central-1:123456789012:cluster/new/3-4"
IAM = {"Sasl": {"Iam": {"Enabled": True}}}


def described(**changes: Any) -> dict[str, Any]:
    nodes = {"ClientSubnets": ["subnet-a", "subnet-b"], "SecurityGroups": ["sg-1"]}
    provisioned = {"BrokerNodeGroupInfo": nodes, "ClientAuthentication": IAM}
    return {"ClusterArn": OLD, "State": "ACTIVE", "Provisioned": provisioned, **changes}


def test_an_end_from_the_clusters_description_alone() -> None:
    assert cluster_end("source_cluster_arn", described()).to_request() == {
        "AmazonMskCluster": {"MskClusterArn": OLD},
        "VpcConfig": {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-1"]},
    }
    serverless = {"Serverless": {"VpcConfigs": [{"SubnetIds": ["subnet-a", "subnet-b"]}]}}
    assert cluster_end("c", {"ClusterArn": OLD, **serverless}).to_request()["VpcConfig"] == {
        "SubnetIds": ["subnet-a", "subnet-b"]
    }


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"State": "UPDATING"}, "is UPDATING"),
        ({"Provisioned": {"BrokerNodeGroupInfo": {}}}, "no IAM access control"),
        (
            {"Provisioned": {"BrokerNodeGroupInfo": {"ClientSubnets": ["a"]}, "ClientAuthentication": IAM}},
            "at least 2",
        ),
    ],
)
def test_a_cluster_that_a_replicator_cannot_use(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadParam, match=problem):
        cluster_end("source_cluster_arn", described(**changes))


def test_a_kafka_of_yours_may_be_the_source() -> None:
    login = {"SaslScram": {"Mechanism": "SHA512", "SecretArn": "arn:aws:secretsmanager:…"}}
    end = ReplicatorCluster(("a", "b"), cluster_id="x1", bootstrap_servers="k:9096", authentication=login)
    assert end.side("Source") == {"SourceKafkaClusterId": "x1"}
    assert end.to_request()["ClientAuthentication"] == login
    assert end.to_request()["EncryptionInTransit"] == {"EncryptionType": "TLS"}
    own_ca = replace(end, root_ca="arn:aws:secretsmanager:ca")
    assert own_ca.to_request()["EncryptionInTransit"]["RootCaCertificate"] == "arn:aws:secretsmanager:ca"
    with pytest.raises(BadParam, match="neither"):
        ReplicatorCluster(("a", "b"), cluster_id="x1")


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("SCRAM-SHA-256", {"SaslScram": {"Mechanism": "SHA256", "SecretArn": "arn:s"}}),
        ("SCRAM-SHA-512", {"SaslScram": {"Mechanism": "SHA512", "SecretArn": "arn:s"}}),
        ("mTLS", {"MTLS": {"SecretArn": "arn:s"}}),
    ],
)
def test_logins_are_those_of_the_services_model(login: str, expected: dict[str, Any]) -> None:
    found = client_authentication(login, "arn:s")
    assert found == expected
    model = service_model("kafka")
    assert not ParamValidator().validate(found, model.shape_for("KafkaClusterClientAuthentication")).has_errors()
    known = model.shape_for("KafkaClusterSaslScramMechanism").enum
    assert found.get("SaslScram", {}).get("Mechanism", known[0]) in known


def test_no_cluster_arn() -> None:
    assert check_arn("source_cluster_arn", OLD) == OLD
    for bad in ("", "old", OLD.replace(":kafka:", ":kafkaconnect:"), OLD.replace("cluster/", "topic/")):
        with pytest.raises(BadParam, match="source_cluster_arn"):
            check_arn("source_cluster_arn", bad)


def test_two_clusters_that_one_replicator_can_stand_between() -> None:
    check_pair(OLD, NEW, "eu-central-1")
    check_pair(OLD, NEW, None)
    with pytest.raises(BadParam, match="is the source"):
        check_pair(OLD, OLD, None)
    with pytest.raises(BadParam, match=r"takes ARNs of one account; .*source_bootstrap"):
        check_pair(OLD.replace("123456789012", "999999999999"), NEW, None)
    with pytest.raises(BadParam, match="region of its target, eu-central-1"):
        check_pair(OLD, NEW, "eu-west-1")
