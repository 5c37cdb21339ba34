"""The topic in which Connect workers keep the offsets of source connectors, read and written directly.

For workers without a REST API that shows them: a dedicated MirrorMaker 2, MSK Connect. Format (measured on Kafka 4.3.1,
``OffsetStorageWriter`` with the internal JsonConverter without schemas): key ``["connector",{"cluster":"src",
"partition":4,"topic":"t16"}]``, value ``{"offset":1999}``, the last replicated record; null: no offset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from confluent_kafka import KafkaError, Producer

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.mirror_offsets import kept_key, kept_offset, next_offset, place_of
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.table_topic import TableTopic

_PARTITIONS = 25  # Connect's default of offset.storage.partitions


class OffsetsTopic:
    """The offsets of one MirrorSourceConnector.

    :param cluster: the one that holds the topic.
    :param connector: name of the connector, part of each key.
    :param alias: source cluster alias.
    """

    def __init__(self, cluster: KafkaClusterHook, topic: str, connector: str, alias: str) -> None:
        self._cluster, self._topic, self._connector, self._alias = cluster, topic, connector, alias
        self._table = TableTopic(cluster, topic)

    def next_offsets(self) -> dict[Partition, int]:
        """Per source topic and partition the next offset to be replicated; empty while the topic does not exist."""
        result = {}
        for key, row in self._table.rows().items():
            if place := self._place(key):
                result[place] = next_offset(json.loads(row.value))
        return result

    def _place(self, key: bytes) -> Partition | None:
        """None: of another connector, or of another kind."""
        try:
            connector, place = json.loads(key)
            return place_of(place, self._alias) if connector == self._connector else None
        except (ValueError, TypeError, AttributeError):
            return None

    def write(self, places: Mapping[Partition, int | None], replication_factor: int | None) -> None:
        """Set next offsets (None: forget it), while no worker runs. The topic is made as Connect would make it.

        :raises TransientError: not all were taken.
        """
        if not places:
            return
        if self._topic not in self._cluster.admin.topic_ids([self._topic]):
            compact = {"cleanup.policy": "compact"}
            self._cluster.admin.create_topics(
                [DesiredTopic(self._topic, self._topic, _PARTITIONS, replication_factor, compact)]
            )
            self._cluster.admin.wait_until_usable([(self._topic, number) for number in range(_PARTITIONS)], 60)
        failed: list[str] = []

        def delivered(error: KafkaError | None, _: object) -> None:
            if error is not None:
                failed.append(error.str())

        # Java's partitioner: all records of a key must stand in one partition, or an older one may win.
        producer = Producer(
            client_config(self._cluster.extra)
            | {"acks": "all", "partitioner": "murmur2_random", "delivery.timeout.ms": 60000}
        )
        for place, offset in sorted(places.items()):
            key = json.dumps([self._connector, kept_key(place, self._alias)], separators=(",", ":"))
            value = None if offset is None else json.dumps(kept_offset(offset), separators=(",", ":"))
            producer.produce(self._topic, value, key, on_delivery=delivered)
            producer.poll(0)
        left = producer.flush(60)
        if failed or left:
            raise TransientError(f"{left + len(failed)} offsets were not taken by {self._topic}: {failed[:1]}")
