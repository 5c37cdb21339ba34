"""Offsets of consumer groups, committed and read as a consumer does."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

Partition = tuple[str, int]
#: A broker that has just made its offsets topic, or moved a part of it, says so for a moment (measured).
_MOMENT = (
    KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._TIMED_OUT, KafkaError._WAIT_COORD, KafkaError._TRANSPORT,
)  # fmt: skip


def commit(cluster: str | Mapping[str, str], group: str, offsets: Mapping[Partition, int]) -> None:
    """Commit for a group without members.

    :param cluster: its bootstrap servers, or librdkafka's settings.
    """
    settings = {"bootstrap.servers": cluster} if isinstance(cluster, str) else dict(cluster)
    consumer = Consumer({**settings, "group.id": group})
    places = [TopicPartition(*tp, offset) for tp, offset in offsets.items()]
    deadline = time.monotonic() + 120
    try:
        while True:
            try:
                consumer.commit(offsets=places, asynchronous=False)
            except KafkaException as error:
                if error.args[0].code() not in _MOMENT or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return
    finally:
        consumer.close()


def committed(bootstrap: str, group: str) -> dict[Partition, int]:
    """What the group has committed."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    future = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
    return {(tp.topic, tp.partition): tp.offset for tp in future.result().topic_partitions}
