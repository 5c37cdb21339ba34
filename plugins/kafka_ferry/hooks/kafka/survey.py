"""Admin calls that only preflight and the hold of retention need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.admin import ConfigResource, NewTopic, OffsetSpec, ResourceType

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin, config_entry
from kafka_ferry.hooks.kafka.batches import chunks
from kafka_ferry.hooks.kafka.config import client_config

if TYPE_CHECKING:  # so that processes without Airflow can be started
    from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook


_TOPICS_PER_QUESTION = 500
_NONE = -1  # no record is of that time or later


class KafkaSurvey(KafkaAdmin):
    """More of one cluster's admin calls, whole clusters at a time. Raises what ``KafkaAdmin`` raises."""

    @classmethod
    def of(cls, cluster: KafkaClusterHook) -> KafkaSurvey:
        """The survey of a connection's cluster."""
        return cls(client_config(cluster.extra), cluster.conn_id)

    def brokers(self) -> tuple[dict[str, str], set[str]]:
        """Configuration of one broker (as a rule the same on all), and ``host:port`` of every broker."""
        cluster = self._cluster_or_why_not()
        broker = ConfigResource(ResourceType.BROKER, str(cluster.nodes[0].id))
        futures = self._client.describe_configs([broker], request_timeout=self.timeout)
        entries = self._result(futures[broker], "read a broker's configuration")
        configs = {key: entry.value for key, entry in entries.items() if entry.value is not None}
        return configs, {f"{node.host}:{node.port}".lower() for node in cluster.nodes}

    def sets(self, key: str) -> bool:
        """Whether a broker's configuration has this key. Of one that is not Kafka's own, such as an authorizer's,
        brokers tell no value (measured)."""
        broker = ConfigResource(ResourceType.BROKER, str(self._cluster_or_why_not().nodes[0].id))
        futures = self._client.describe_configs([broker], request_timeout=self.timeout)
        return key in self._result(futures[broker], "read a broker's configuration")

    def try_configs(
        self, configs: Mapping[str, Mapping[str, str | None]], validate_only: bool = False
    ) -> dict[str, str]:
        """As ``set_configs``, but topics whose new values are refused are told instead: topic to reason.

        :param validate_only: ask only: nothing is changed.
        """
        resources = [
            ConfigResource(
                ResourceType.TOPIC, topic, incremental_configs=[config_entry(*entry) for entry in entries.items()]
            )
            for topic, entries in configs.items()
        ]
        refused: dict[str, str] = {}
        if resources:
            futures = self._client.incremental_alter_configs(
                resources, request_timeout=self.timeout, validate_only=validate_only
            )
            for resource, future in futures.items():
                try:
                    self._result(future, f"set configs of topic {resource.name!r}")
                except FerryError as error:
                    if error.retriable:
                        raise
                    refused[resource.name] = str(error)
        return refused

    def not_to_be_made(self, topics: Iterable[DesiredTopic]) -> dict[str, str]:
        """Topics that the cluster would not create, to the reason; nothing is created. One that exists is none."""
        new = [NewTopic(t.name, t.partitions, t.replication_factor or -1, config=dict(t.configs)) for t in topics]
        refused: dict[str, str] = {}
        for some in chunks(new, _TOPICS_PER_QUESTION):
            futures = self._client.create_topics(some, request_timeout=self.timeout, validate_only=True)
            for name, future in futures.items():
                try:
                    self._result(future, f"create topic {name!r}", KafkaError.TOPIC_ALREADY_EXISTS)
                except FerryError as error:
                    if error.retriable:
                        raise
                    refused[name] = str(error)
        return refused

    def offsets_at(self, times: Mapping[Partition, int]) -> dict[Partition, int | None]:
        """The first offset whose record is of that time (ms since 1970) or later; None when there is none."""
        specs = {TopicPartition(*tp): OffsetSpec.for_timestamp(max(0, time)) for tp, time in times.items()}
        found: dict[Partition, int | None] = {}
        futures = self._client.list_offsets(specs, request_timeout=self.timeout) if specs else {}
        for tp, future in futures.items():
            result = self._result(future, f"list offsets by time of {tp.topic}-{tp.partition}")
            offset = self._offset(tp, result, _NONE)
            found[tp.topic, tp.partition] = None if offset == _NONE else offset
        return found

    def members(self, groups: Iterable[str]) -> dict[str, set[str]]:
        """Client id and host of the members of consumer groups, and the names of static ones (KIP-345)."""
        wanted = list(groups)
        futures = self._client.describe_consumer_groups(wanted, request_timeout=self.timeout) if wanted else {}
        return {
            group: {_told(one) for one in self._result(future, "describe").members} for group, future in futures.items()
        }

    def client_ids(self, groups: Iterable[str]) -> dict[str, set[str]]:
        """Client ids of the members of consumer groups."""
        wanted = list(groups)
        if not wanted:
            return {}
        futures = self._client.describe_consumer_groups(wanted, request_timeout=self.timeout)
        return {
            group: {member.client_id for member in self._result(future, f"describe group {group!r}").members}
            for group, future in futures.items()
        }


def _told(member: Any) -> str:
    """A static one that is gone looks like one that is there."""
    static = f" (static member {member.group_instance_id}: stays for its session.timeout.ms when it is gone)"
    return f"{member.client_id} at {member.host.lstrip('/')}{static * bool(member.group_instance_id)}"
