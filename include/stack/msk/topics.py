"""The topic API of ``kafka``: topics of a cluster, without its brokers. They live in memory only."""

from __future__ import annotations

import base64
from typing import Any

from stack.msk.account import Account, page
from stack.msk.cluster import Clusters
from stack.msk.resources import Topic
from stack.msk.wire import Refused


class Topics:
    """Their operations; each takes and gives what botocore's model says."""

    def __init__(self, account: Account, clusters: Clusters) -> None:
        self._account, self._clusters = account, clusters

    def create_topic(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = self._arn(params)
        if self._clusters.states[params["ClusterArn"]] != "ACTIVE":
            raise Refused("BadRequestException", "The cluster is not ACTIVE.")
        if arn in self._account.topics:
            raise Refused("TopicExistsException", f"Topic '{params['TopicName']}' already exists.")
        if params["ReplicationFactor"] > 2:
            raise Refused("KafkaRequestException", "Replication factor: larger than available brokers: 2.")
        topic = Topic(arn, params["TopicName"], self._account.looks)
        topic.partitions, topic.replication_factor = params["PartitionCount"], params["ReplicationFactor"]
        topic.configs = _configs(params)
        self._account.topics[arn] = topic
        return _short(topic)

    def describe_topic(self, params: dict[str, Any]) -> dict[str, Any]:
        topic = self._found(params)
        if topic.state != "ACTIVE" and topic.looked():
            if topic.state == "DELETING":
                del self._account.topics[topic.arn]
                return self.describe_topic(params)
            topic.state = "ACTIVE"
        text = "\n".join(f"{key}={value}" for key, value in sorted(topic.configs.items()))
        counts = {"PartitionCount": topic.partitions, "ReplicationFactor": topic.replication_factor}
        return {**_short(topic), **counts, "Configs": base64.b64encode(text.encode()).decode()}

    def list_topics(self, params: dict[str, Any]) -> dict[str, Any]:
        self._clusters.known(params["ClusterArn"])
        prefix = _topic_arn(params["ClusterArn"], params.get("TopicNameFilter", ""))
        found = [
            {
                "TopicArn": topic.arn,
                "TopicName": topic.name,
                "PartitionCount": topic.partitions,
                "ReplicationFactor": topic.replication_factor,
                "OutOfSyncReplicaCount": 0,
            }
            for arn, topic in self._account.topics.items()
            if arn.startswith(prefix)
        ]
        asked = {"nextToken": params["NextToken"]} if "NextToken" in params else {}
        asked |= {"maxResults": params["MaxResults"]} if "MaxResults" in params else {}
        listed, more = page(found, asked)
        return {"Topics": listed, **({"NextToken": more["nextToken"]} if more else {})}

    def update_topic(self, params: dict[str, Any]) -> dict[str, Any]:
        topic = self._found(params)
        if params.get("PartitionCount", topic.partitions) < topic.partitions:
            raise Refused("BadRequestException", "The number of partitions cannot be reduced.")
        if topic.state != "ACTIVE":
            raise Refused("BadRequestException", f"The topic is {topic.state}.")
        topic.partitions = params.get("PartitionCount", topic.partitions)
        if "Configs" in params:  # read as the whole of them, the stricter of what the model's words may mean
            topic.configs = _configs(params)
        topic.state, topic.looks = "UPDATING", self._account.looks
        return _short(topic)

    def delete_topic(self, params: dict[str, Any]) -> dict[str, Any]:
        topic = self._found(params)
        topic.state, topic.looks = "DELETING", self._account.looks
        return _short(topic)

    def _found(self, params: dict[str, Any]) -> Topic:
        return self._account.find(self._account.topics, self._arn(params))

    def _arn(self, params: dict[str, Any]) -> str:
        return _topic_arn(self._clusters.known(params["ClusterArn"]), params["TopicName"])


def _topic_arn(cluster: str, name: str) -> str:
    return f"{cluster.replace(':cluster/', ':topic/')}/{name}"


def _configs(params: dict[str, Any]) -> dict[str, str]:
    try:
        text = base64.b64decode(params.get("Configs", ""), validate=True).decode()
    except ValueError as error:
        raise Refused("BadRequestException", "Configs is no base64 of text.") from error
    pairs = [line.partition("=") for line in text.splitlines()]
    if not all(sign for _, sign, _ in pairs):
        raise Refused("BadRequestException", "Configs has a line without '='.")
    return {key: value for key, _, value in pairs}


def _short(topic: Topic) -> dict[str, Any]:
    return {"TopicArn": topic.arn, "TopicName": topic.name, "Status": topic.state}
