"""Batches put into a topic as they stand, past all clients, and some that no client makes."""

from __future__ import annotations

import asyncio
import time

import pyarrow as pa
from aiokafka.protocol.produce import ProduceRequest
from confluent_kafka import KafkaError

from batches import CODECS, Record, batch, encode
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings

TIME = 1_700_000_000_000


def put(cluster: str, topic: str, made: bytes) -> None:
    """Send a batch as it stands to partition 0; the clusters of these tests are of one broker."""

    async def ask() -> list[int]:
        wire = BrokerWire(WireSettings.of({"bootstrap.servers": cluster}))
        connection = await wire.any()
        answer = await connection.ask(ProduceRequest(None, -1, 30_000, [(topic, [(0, made)])]))
        wire.close()
        return [one["error_code"] for about in answer["topics"] for one in about["partitions"]]

    deadline = time.monotonic() + 30
    while (codes := asyncio.run(ask())) == [KafkaError.NOT_LEADER_FOR_PARTITION]:  # of a topic that is just made
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert codes == [0]


def zeros(count: int, size: int, codec: str) -> bytes:
    """A batch of so many records of zeros, made a record at a time."""
    if codec in ("snappy", "lz4"):  # Kafka's lz4 is of blocks that need none before them: not Arrow's
        body = b"".join(encode(Record(n, 0, None, bytes(size))) for n in range(count))
        return batch(body, time=TIME, last=count - 1, count=count, codec="snappy raw" if codec == "snappy" else codec)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        for n in range(count):
            stream.write(encode(Record(n, 0, None, bytes(size))))
    number = CODECS[codec][0]
    return batch(sink.getvalue().to_pybytes(), time=TIME, last=count - 1, count=count, attributes=number)
