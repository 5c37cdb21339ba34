"""Topics of an MSK cluster through its API: no broker is asked, so none need be reached."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from kafka_ferry.core.arns import region_of
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.msk.client import MskClient
from kafka_ferry.hooks.msk.rules.topic_api import check_topic_api, decoded_configs, encoded_configs
from kafka_ferry.hooks.msk_connect.rules.errors import NameTaken, ResourceNotFound

_ACTIVE = "ACTIVE"
_UPDATE_SECONDS = 300.0  # what the API tells is about a minute old (AWS's own guide to managing topics)


class MskTopicsHook(MskClient):
    """The admin calls of provisioning over ``kafka:CreateTopic`` and its neighbours.

    :param cluster_arn: whose topics; its region is the client's.

    Additional arguments (such as ``aws_conn_id``) may be specified and are passed down to the underlying AwsBaseHook.
    """

    next_page: ClassVar[str] = "NextToken"
    delay: ClassVar[float] = 5.0  # seconds between two looks

    def __init__(self, cluster_arn: str, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "kafka"
        kwargs.setdefault("region_name", region_of(cluster_arn))
        super().__init__(*args, **kwargs)
        self.cluster_arn = cluster_arn

    @cached_property
    def _checked(self) -> dict[str, str]:
        """The argument of every call, once it is known that the cluster has the API."""
        check_topic_api(self.call("describe_cluster_v2", ClusterArn=self.cluster_arn)["ClusterInfo"])
        return {"ClusterArn": self.cluster_arn}

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]:
        """State of the topics that exist; absent ones are left out.

        The API tells no topic id: the ARN stands for it. Of configs it tells one list, taken as those in force.
        """
        wanted = set(names)
        found = {}
        for listed in self.pages("list_topics", "Topics", **self._checked):
            name = listed["TopicName"]
            if name in wanted and (topic := self._described(name)):
                found[name] = _state(topic)
        return found

    def create_topics(self, topics: Iterable[DesiredTopic]) -> None:
        """Create topics; one that exists by now counts as created (the caller compares afterwards)."""
        for topic in topics:
            request: dict[str, Any] = {
                "TopicName": topic.name,
                "PartitionCount": topic.partitions,
                "ReplicationFactor": topic.replication_factor,
            }
            if topic.configs:
                request["Configs"] = encoded_configs(topic.configs)
            try:
                self.call("create_topic", **self._checked, **request)
            except NameTaken:
                self.log.info("Topic %s exists by now", topic.name)

    def grow_partitions(self, partitions: Mapping[str, int]) -> None:
        """Raise topics to a number of partitions."""
        for name, count in partitions.items():
            self._when_active(name)
            self.call("update_topic", **self._checked, TopicName=name, PartitionCount=count)

    def set_configs(self, configs: Mapping[str, Mapping[str, str]]) -> None:
        """Set topic configs; those not named stay.

        Whether ``UpdateTopic`` takes the whole of them or a part its model does not say: what the topic has now is sent
        with what is set.
        """
        for name, entries in configs.items():
            now = decoded_configs(self._when_active(name).get("Configs"))
            self.call("update_topic", **self._checked, TopicName=name, Configs=encoded_configs(now | dict(entries)))

    def wait_until_usable(self, partitions: Iterable[Partition], timeout: float) -> None:
        """Wait until every topic is ACTIVE.

        :raises TransientError: not in time.
        """
        counts: dict[str, int] = {}
        for name, number in partitions:
            counts[name] = max(counts.get(name, 0), number + 1)
        deadline = time.monotonic() + timeout
        for name, count in counts.items():
            while (topic := self._when_active(name, deadline - time.monotonic()))["PartitionCount"] < count:
                if time.monotonic() > deadline:
                    raise TransientError(f"topic {name!r} has {topic['PartitionCount']} partitions, not {count}")
                time.sleep(self.delay)

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            return self.call("describe_topic", **self._checked, TopicName=name)
        except ResourceNotFound:
            return None

    def _when_active(self, name: str, timeout: float = _UPDATE_SECONDS) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            topic = self._described(name)
            state = topic["Status"] if topic else "not there yet"
            if topic and state == _ACTIVE:
                return topic
            if state == "DELETING":
                raise FerryError(f"topic {name!r} is being deleted. Fix: wait until it is gone, then clear this task")
            if time.monotonic() > deadline:
                raise TransientError(f"topic {name!r} is {state}, not ACTIVE, after {timeout:.0f} s")
            time.sleep(self.delay)


def _state(topic: Mapping[str, Any]) -> TopicState:
    configs = decoded_configs(topic.get("Configs"))
    return TopicState(
        name=topic["TopicName"],
        topic_id=topic["TopicArn"],
        partitions=int(topic["PartitionCount"]),
        replication_factor=int(topic["ReplicationFactor"]),
        configs=configs,
        effective=configs,
    )
