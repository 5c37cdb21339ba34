"""The topic in which Connect workers keep the offsets of source connectors, read and written directly.

For workers without a REST API that shows them: a dedicated MirrorMaker 2, MSK Connect. Format (measured on Kafka 4.3.1,
``OffsetStorageWriter`` with the internal JsonConverter without schemas): key ``["connector",{"cluster":"src",
"partition":4,"topic":"t16"}]``, value ``{"offset":1999}``, the last replicated record; null: no offset.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, Producer

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.table_topic import TableTopic

_PARTITIONS = 25  # Connect's default of offset.storage.partitions


class OffsetsTopic:
    """The offsets of one source connector.

    :param cluster: the one that holds the topic.
    :param connector: name of the connector, part of each key.
    """

    def __init__(self, cluster: KafkaClusterHook, topic: str, connector: str) -> None:
        self._cluster, self._topic, self._connector = cluster, topic, connector
        self._table = TableTopic(cluster, topic)

    def entries(self) -> list[dict[str, Any]]:
        """As ``GET /connectors/{name}/offsets`` gives them; empty while the topic does not exist."""
        return [
            {"partition": place, "offset": json.loads(row.value)}
            for key, row in self._table.rows().items()
            if (place := self._place(key)) is not None
        ]

    def _place(self, key: bytes) -> dict[str, Any] | None:
        """None: of another connector, or of another kind."""
        try:
            connector, place = json.loads(key)
        except (ValueError, TypeError):
            return None
        return place if connector == self._connector and isinstance(place, dict) else None

    def write(self, entries: Iterable[Mapping[str, Any]], replication_factor: int | None) -> None:
        """Set offsets, while no worker runs. The topic is made as Connect would make it.

        :param entries: as those of :meth:`entries`; ``"offset": None`` forgets a partition.
        :raises TransientError: not all were taken.
        """
        wanted = list(entries)
        if not wanted:
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
        for entry in wanted:
            # Members in order, as the workers write them: another order is another key.
            place = dict(sorted(entry["partition"].items(), key=lambda member: java_place(member[0])))
            key = json.dumps([self._connector, place], separators=(",", ":"))
            value = None if entry["offset"] is None else json.dumps(entry["offset"], separators=(",", ":"))
            producer.produce(self._topic, value, key, on_delivery=delivered)
            producer.poll(0)
        left = producer.flush(60)
        if failed or left:
            raise TransientError(f"{left + len(failed)} offsets were not accepted by {self._topic}: {failed[:1]}")


def java_place(name: str) -> int:
    """Where a ``HashMap`` of up to twelve members, as tasks and workers use it for a partition, has this one."""
    number = 0
    for unit in name.encode():
        number = (31 * number + unit) & 0xFFFFFFFF
    return (number ^ number >> 16) & 15
