"""The double's replicators and topics, asked by boto3's own client."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

import msk_lab
from stack.msk.cluster import ARN as TARGET
from stack.msk.cluster import SOURCE_ARN as SOURCE
from stack.msk.server import MskConnectDouble


@pytest.fixture
def aws() -> Iterator[MskConnectDouble]:
    with msk_lab.double() as running:
        yield running


@pytest.fixture
def kafka(aws: MskConnectDouble) -> Any:
    return msk_lab.client(aws, "kafka")


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def request(**changes: Any) -> dict[str, Any]:
    clusters = [
        {"AmazonMskCluster": {"MskClusterArn": arn}, "VpcConfig": {"SubnetIds": ["a", "b"]}} for arn in (SOURCE, TARGET)
    ]
    info = {
        "SourceKafkaClusterArn": SOURCE,
        "TargetKafkaClusterArn": TARGET,
        "TargetCompressionType": "NONE",
        "TopicReplication": {"TopicsToReplicate": ["a"]},
        "ConsumerGroupReplication": {"ConsumerGroupsToReplicate": [".*"]},
    }
    role = {"ServiceExecutionRoleArn": msk_lab.ROLE}
    return {"ReplicatorName": "r", **role, "KafkaClusters": clusters, "ReplicationInfoList": [info], **changes}


def test_states_and_defaults_are_the_services(kafka: Any) -> None:
    arn = kafka.create_replicator(**request())["ReplicatorArn"]
    states = [kafka.describe_replicator(ReplicatorArn=arn)["ReplicatorState"] for _ in range(3)]
    assert states == ["CREATING", "RUNNING", "RUNNING"]
    found = kafka.describe_replicator(ReplicatorArn=arn)
    (info,) = found["ReplicationInfoList"]
    assert info["TopicReplication"]["StartingPosition"] == {"Type": "LATEST"}
    aliases = {one["KafkaClusterAlias"]: one["AmazonMskCluster"]["MskClusterArn"] for one in found["KafkaClusters"]}
    assert aliases[info["SourceKafkaClusterAlias"]] == SOURCE
    kafka.delete_replicator(ReplicatorArn=arn, CurrentVersion=found["CurrentVersion"])
    assert kafka.describe_replicator(ReplicatorArn=arn)["ReplicatorState"] == "DELETING"
    assert refused(kafka.describe_replicator, ReplicatorArn=arn)[0] == "NotFoundException"


def test_an_update_bumps_the_version_and_refuses_an_old_one(kafka: Any) -> None:
    arn = kafka.create_replicator(**request())["ReplicatorArn"]
    for _ in range(2):
        version = kafka.describe_replicator(ReplicatorArn=arn)["CurrentVersion"]
    topics = {
        "TopicsToReplicate": ["b"], "TopicsToExclude": [], "DetectAndCopyNewTopics": True,
        "CopyTopicConfigurations": True, "CopyAccessControlListsForTopics": False,
    }  # fmt: skip
    asked = {
        "ReplicatorArn": arn, "CurrentVersion": version, "SourceKafkaClusterArn": SOURCE,
        "TargetKafkaClusterArn": TARGET, "TopicReplication": topics,
    }  # fmt: skip
    logs = {"LogDelivery": {"ReplicatorLogDelivery": {"CloudWatchLogs": {"Enabled": False}}}}
    assert "Either" in refused(kafka.update_replication_info, **asked, **logs)[1]
    assert kafka.update_replication_info(**asked)["ReplicatorState"] == "UPDATING"
    for _ in range(2):
        found = kafka.describe_replicator(ReplicatorArn=arn)
    assert found["ReplicationInfoList"][0]["TopicReplication"]["TopicsToReplicate"] == ["b"]
    assert found["CurrentVersion"] != version
    assert "CurrentVersion" in refused(kafka.update_replication_info, **asked)[1]


def test_what_is_refused(aws: MskConnectDouble, kafka: Any) -> None:
    one = request()["KafkaClusters"][:1]
    assert refused(kafka.create_replicator, **request(KafkaClusters=one))[0] == "BadRequestException"
    assert refused(kafka.create_replicator, **request(ReplicatorName="a_b"))[0] == "BadRequestException"
    kafka.create_replicator(**request())
    assert refused(kafka.create_replicator, **request())[0] == "ConflictException"
    aws.clusters.iam[SOURCE] = False
    assert "IAM" in refused(kafka.create_replicator, **request(ReplicatorName="other"))[1]


def test_a_list_is_told_in_pages(kafka: Any) -> None:
    for number in range(3):
        kafka.create_replicator(**request(ReplicatorName=f"r{number}"))
    first = kafka.list_replicators(MaxResults=2, ReplicatorNameFilter="r")
    rest = kafka.list_replicators(MaxResults=2, ReplicatorNameFilter="r", NextToken=first["NextToken"])
    names = [one["ReplicatorName"] for page in (first, rest) for one in page["Replicators"]]
    assert names == ["r0", "r1", "r2"]
    assert "NextToken" not in rest


def test_topics_come_and_go(aws: MskConnectDouble, kafka: Any) -> None:
    configs = base64.b64encode(b"cleanup.policy=compact").decode()
    asked = {"ClusterArn": TARGET, "TopicName": "orders"}
    assert kafka.create_topic(**asked, PartitionCount=2, ReplicationFactor=1, Configs=configs)["Status"] == "CREATING"
    again = {**asked, "PartitionCount": 1, "ReplicationFactor": 1}
    assert refused(kafka.create_topic, **again)[0] == "TopicExistsException"
    assert [kafka.describe_topic(**asked)["Status"] for _ in range(2)] == ["CREATING", "ACTIVE"]
    assert "reduced" in refused(kafka.update_topic, **asked, PartitionCount=1)[1]
    assert kafka.update_topic(**asked, PartitionCount=3)["Status"] == "UPDATING"
    found = [kafka.describe_topic(**asked) for _ in range(2)][-1]
    assert (found["PartitionCount"], found["Configs"]) == (3, configs)
    assert [one["TopicName"] for one in kafka.list_topics(ClusterArn=TARGET)["Topics"]] == ["orders"]
    assert kafka.list_topics(ClusterArn=SOURCE)["Topics"] == []
    kafka.delete_topic(**asked)
    kafka.describe_topic(**asked)
    assert refused(kafka.describe_topic, **asked)[0] == "NotFoundException"
