"""Batches that brokers take and no client of Kafka makes: what they decompress to, and how headers are written."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import pytest

from batches import Record, batch, encode, sized, varint
from kafka_ferry.core.retention import HELD_AS
from kafka_ferry.hooks.kafka.reading.column_reader import ColumnReader
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.record_hash import record_hash
from raw_batches import TIME, put, zeros

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    ("count", "size", "codec"),
    [(2200, 1_000_000, "zstd"), (110_000, 20_000, "zstd"), (700, 1_000_000, "gzip"), (150, 1_000_000, "lz4"),
     (15, 1_000_000, "snappy")],
)  # fmt: skip
def test_a_small_batch_of_gigabytes_is_read_in_little_memory(
    count: int,
    size: int,
    codec: str,
    native: bool,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
) -> None:
    topic = f"{topic_prefix}{codec}-{count}-{native}"
    make_topics(source_bootstrap, topic)
    made = zeros(count, size, codec)
    assert len(made) < 1_000_000, "what a broker with default settings takes"
    put(source_bootstrap, topic, made)
    put(source_bootstrap, topic, batch([Record()], time=TIME))
    before, offset = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
    with ColumnReader({"bootstrap.servers": source_bootstrap}, "read_committed", 30, native) as reader:
        for _, columns in reader.stream([PartitionRange(topic, 0, 0, count + 1)]):
            assert columns.offsets[0] == offset
            assert columns.batch.column("value")[0].as_py() == (bytes(size) if offset < count else b"v")
            assert columns.bytes < 20_000_000
            offset = int(columns.offsets[-1]) + 1
    assert offset == count + 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{count} x {size} {codec}: {len(made)} bytes, RSS {before / 1024:.0f} MB and {grown / 1024:.0f} MB more")
    assert grown < 200_000, "kB"


@pytest.mark.parametrize("way", ["always", "never"])
@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (varint(1) + sized(b"h") + varint(-9), [("h", None)]),
        (varint(1) + varint(1, 3) + b"h" + varint(1, 2) + b"x", [("h", b"x")]),
        (varint(2) + sized(b"h") + varint(-70) + sized(b"i") + sized(b""), [("h", None), ("i", b"")]),
        (varint(1) + sized(b"caf\xe9") + sized(b"x"), [("caf\udce9", b"x")]),
    ],
)
def test_headers_that_brokers_take_and_no_client_writes_are_read_both_ways_as_java_does(
    raw: bytes,
    way: str,
    headers: list[tuple[str, bytes | None]],
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = f"{topic_prefix}headers"
    make_topics(source_bootstrap, topic)
    put(source_bootstrap, topic, batch(encode(Record(), raw), time=TIME, last=0, count=1))
    span, config = PartitionRange(topic, 0, 0, 1), {"bootstrap.servers": source_bootstrap}
    monkeypatch.setenv("FERRY_NATIVE", way)
    with LibrdkafkaReader(config, "read_uncommitted") as reader:
        assert reader.read([span])[span.key].hashes.tolist() == [record_hash(TIME, headers, b"k", b"v")]


def test_the_largest_timestamp_passes_a_hold_and_is_read_both_ways(
    target_bootstrap: str, topic_prefix: str, make_topics: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, times = f"{topic_prefix}times", [2**63 - 1, 0, -1, TIME]
    held = {key: value for key, value in HELD_AS.items() if key != "segment.bytes"}
    make_topics(target_bootstrap, topic, config=held)
    for time in times:
        put(target_bootstrap, topic, batch([Record()], time=time, newest=time))
    span, config = PartitionRange(topic, 0, 0, len(times)), {"bootstrap.servers": target_bootstrap}
    for way in ("always", "never"):
        monkeypatch.setenv("FERRY_NATIVE", way)
        with LibrdkafkaReader(config, "read_uncommitted") as reader:
            found = reader.read([span])[span.key]
        assert found.hashes.tolist() == [record_hash(time, [], b"k", b"v") for time in times]
    for native in (True, False):
        with ColumnReader(config, "read_committed", 30, native) as columns:
            assert [at for _, one in columns.stream([span]) for at in one.timestamps.tolist()] == times
