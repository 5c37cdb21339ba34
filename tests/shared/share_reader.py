"""A real share consumer (KIP-932): librdkafka's own."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import AcknowledgeType, ShareConsumer

#: (partition, offset) to value.
Delivered = dict[tuple[int, int], bytes]


def read(
    bootstrap: str, group: str, topic: str, enough: Callable[[Delivered], bool], accept: Callable[[int, int], bool]
) -> Delivered:
    """Join the group, take what is delivered until it is enough, and leave.

    :param accept: whether to be done with a record, by partition and offset; others are given back at the end.
    """
    settings = {"bootstrap.servers": bootstrap, "group.id": group, "share.acknowledgement.mode": "explicit"}
    found: Delivered = {}
    consumer = ShareConsumer(settings)
    try:
        consumer.subscribe([topic])
        deadline = time.monotonic() + 60
        while not enough(found):
            assert time.monotonic() < deadline, f"{len(found)} were delivered"
            for message in consumer.poll(1.0):
                assert message.error() is None, message.error()
                place = message.partition() or 0, message.offset() or 0
                found[place] = message.value() or b""
                done = accept(*place)
                consumer.acknowledge(message, AcknowledgeType.ACCEPT if done else AcknowledgeType.RELEASE)
            refused = {place: error for place, error in consumer.commit_sync(30).items() if error is not None}
            assert not refused, refused
        return found
    finally:
        consumer.close()
