"""Topics with all that a backup can get wrong."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

MakeTopics = Callable[..., list[str]]
Produce = Callable[..., None]
DAY = 86_400_000
NOW = 1_790_000_000_000


def records(seed: int = 1) -> list[dict[str, Any]]:
    """Binary, null and empty everything, duplicate headers, times out of order."""
    rnd = random.Random(seed)
    parts: list[bytes | None] = [None, b"", b"\x00\xff\n\r\0", "ü€😀".encode(), b"k"]
    headers: list[Any] = [
        None,
        [],
        [("a", b"1"), ("a", b"2"), ("a", b"1")],
        [("", b""), ("n", None), ("é😀", b"\xff\xfe")],
        [("z", b"1"), ("a", b"1")],
    ]
    found = [
        {"key": key, "value": value, "headers": some, "timestamp": NOW + rnd.randrange(-1000 * DAY, DAY)}
        for key in parts
        for value in parts
        for some in headers
    ]
    found.append({"key": b"first ms", "value": b"v", "headers": None, "timestamp": 1})
    found.append({"key": b"big", "value": rnd.randbytes(1_000_000), "headers": [("b", bytes(5000))], "timestamp": NOW})
    rnd.shuffle(found)
    return found


def transactions(cluster: str, topic: str, partitions: int) -> None:
    """Six transactions, every third aborted; the last on each partition is one of these."""
    producer = Producer({"bootstrap.servers": cluster, "transactional.id": f"tx-{os.urandom(4).hex()}"})
    producer.init_transactions(30)
    for number in range(6):
        producer.begin_transaction()
        for partition in range(partitions):
            for at in range(7):
                producer.produce(topic, f"tx {number} {at}".encode(), f"{at}".encode(), partition)
        if number % 3 == 2:
            producer.flush(30)
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)


def make(cluster: str, prefix: str, make_topics: MakeTopics, produce: Produce) -> Mapping[str, int]:
    """The topic set; topic to its records that a read_committed consumer sees."""
    plain = f"{prefix}plain"
    make_topics(cluster, plain, partitions=3, config={"max.message.bytes": "2000000"})
    for partition in range(2):  # the third stays empty
        own = [{**record, "partition": partition} for record in records(partition)]
        produce(cluster, plain, own, **{"message.max.bytes": 2_000_000, "compression.type": "zstd"})
    odd = f"{prefix}odd.Name_with-all"
    make_topics(cluster, odd, partitions=2)
    transactions(cluster, odd, 2)
    append = f"{prefix}append"
    make_topics(cluster, append, config={"message.timestamp.type": "LogAppendTime"})
    produce(cluster, append, 50)
    compacted = f"{prefix}compacted"
    settings = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001"}
    make_topics(cluster, compacted, config={**settings, "delete.retention.ms": "86400000"})
    for turn in range(3):
        values = [
            {"key": f"k{n % 20}".encode(), "value": None if n % 9 == 0 else f"{turn} {n}".encode()} for n in range(60)
        ]
        produce(cluster, compacted, values)
    trimmed = f"{prefix}trimmed"
    make_topics(cluster, trimmed)
    produce(cluster, trimmed, 100)
    admin = AdminClient({"bootstrap.servers": cluster})
    for future in admin.delete_records([TopicPartition(trimmed, 0, 40)]).values():
        future.result(30)
    empty = f"{prefix}empty"
    make_topics(cluster, empty, partitions=2)
    return {plain: 2 * len(records()), odd: 2 * 28, append: 50, trimmed: 60, empty: 0}
