"""What two clusters hold, by a reader that is not ours."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from stack import Stack

Records = list[tuple[Any, ...]]


def read(stack: Stack, side: str, topic: str) -> dict[int, Records]:
    """Partition to time, key, value and headers of each of its records, in their order."""
    config = {**stack.client_settings(side), "group.id": "witness", "enable.auto.commit": False}
    consumer = Consumer({**config, "enable.partition.eof": True})
    found: dict[int, Records] = {}
    for partition in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
        consumer.assign([TopicPartition(topic, partition, 0)])
        own: Records = []
        deadline, is_over = time.monotonic() + 120, False
        while not is_over:
            assert time.monotonic() < deadline, f"{topic}-{partition}: {len(own)} so far"
            for one in consumer.consume(1000, 1):
                if one.error():
                    is_over = True
                else:
                    own.append((one.timestamp(), one.key(), one.value(), one.headers()))
        found[partition] = own
    consumer.close()
    return found


def sent_again(stack: Stack, topics: Iterable[str]) -> int:
    """Each record of the source is on the target, in its order; how many are there more than once.

    The records of a partition must differ from each other.
    """
    again = 0
    for topic in topics:
        source, target = (read(stack, side, topic) for side in ("source", "target"))
        assert source.keys() == target.keys()
        for partition, sent in source.items():
            arrived = [repr(one) for one in target[partition]]
            assert list(dict.fromkeys(arrived)) == [repr(one) for one in sent], f"{topic}-{partition}"
            again += len(arrived) - len(sent)
    return again
