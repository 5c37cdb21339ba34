"""Reading in machine code against reading messages, on real Kafka: the same columns, hashes and errors."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.reading.column_reader import ColumnReader
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.raw_records import BatchDecoder, RawRecords
from kafka_ferry.records.record_batch import RecordBatch, UnusualRecords
from stack import Stack

pytestmark = pytest.mark.integration

HEADERS: list[list[tuple[str, bytes | None]]] = [
    [],
    [("a", b"1"), ("a", None), ("b", b"")],
    [("ü€😀", bytes(300)), ("", b"z")],
    [(f"n{number}", b"v") for number in range(70)],
]


def nasty(cluster: str, topic: str) -> None:
    """Transactions, some aborted, in every codec; nulls, empty and large parts in all combinations."""
    made = random.Random(7)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        settings = {"compression.type": codec, "transactional.id": f"{topic}-{codec}", "message.max.bytes": 3_000_000}
        producer = Producer({"bootstrap.servers": cluster, **settings})
        producer.init_transactions(30)
        for commit in (True, False, True):
            producer.begin_transaction()
            for number in range(150):
                key = (None, b"", b"k%d" % number, made.randbytes(9))[number % 4]
                value = (None, b"", made.randbytes(number * 3), b"x" * (900_000 if number == 15 else 40))[
                    number // 4 % 4
                ]
                producer.produce(
                    topic, value, key, number % 2, timestamp=1 + number**4, headers=HEADERS[number % 5 % len(HEADERS)]
                )
            assert producer.flush(30) == 0
            producer.commit_transaction(30) if commit else producer.abort_transaction(30)


def spans_of(cluster: str, topic: str, isolation: str) -> list[PartitionRange]:
    admin = KafkaAdmin({"bootstrap.servers": cluster}, "source")
    places = [(topic, 0), (topic, 1)]
    begins, ends = admin.offsets(places, "earliest", isolation), admin.offsets(places, "latest", isolation)
    return [PartitionRange(*place, begins[place], ends[place]) for place in places]


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
def test_columns_and_hashes_are_the_same(
    isolation: str,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = f"{topic_prefix}nasty-{isolation}"
    make_topics(source_bootstrap, topic, partitions=2, config={"max.message.bytes": "3000000", "retention.ms": "-1"})
    nasty(source_bootstrap, topic)
    spans, config = spans_of(source_bootstrap, topic, isolation), {"bootstrap.servers": source_bootstrap}
    tables = []
    for native in (False, True):
        pieces: dict[tuple[str, int], list[Any]] = {span.key: [] for span in spans}
        with ColumnReader(config, isolation, 30, native) as reader:
            assert (reader._native is not None) is native
            for key, columns in reader.stream(spans):
                assert columns.bytes == sum(
                    len(part or b"") for name in ("key", "value") for part in columns.batch.column(name).to_pylist()
                )
                assert columns.batch.column("offset").to_pylist() == columns.offsets.tolist()
                columns.batch.validate(full=True)
                pieces[key].append(columns)
        batches = {key: pa.Table.from_batches([one.batch for one in some]) for key, some in pieces.items()}
        hashes = {key: np.concatenate([one.hashes for one in some]).tolist() for key, some in pieces.items()}
        tables.append(({key: table.to_pylist() for key, table in batches.items()}, hashes))
    assert tables[0] == tables[1]
    records = 2 if isolation == "read_committed" else 3
    assert sum(map(len, tables[0][1].values())) == 5 * records * 150

    for with_timestamp in (True, False):
        found = []
        for way in ("never", "always"):
            monkeypatch.setenv("FERRY_NATIVE", way)
            with LibrdkafkaReader(config, isolation) as reader:
                contents = reader.read(spans, with_timestamp, with_keys=True)
            found.append({
                key: (one.offsets.tolist(), one.hashes.tolist(), one.bytes, one.keys.hashes.tolist(),
                      one.keys.tombstones.tolist()) for key, one in contents.items() if one.keys
            })  # fmt: skip
        assert found[0] == found[1]
        assert len(found[0]) == 2


def read_natively(config: dict[str, Any], *spans: PartitionRange) -> list[Any]:
    with ColumnReader(config, "read_committed", 5, native=True) as reader:
        return list(reader.stream(spans))


def test_what_is_not_there_is_said(
    source_bootstrap: str, topic_prefix: str, make_topics: Callable[..., Any], produce: Callable[..., Any]
) -> None:
    config = {"bootstrap.servers": source_bootstrap}
    with pytest.raises(TransientError, match=r"(no such|Unknown) topic or partition"):
        read_natively(config, PartitionRange(f"{topic_prefix}none", 0, 0, 5))
    topic = f"{topic_prefix}trimmed"
    make_topics(source_bootstrap, topic)
    produce(source_bootstrap, topic, 20)
    admin = AdminClient(config)
    place = TopicPartition(topic, 0, 10)
    admin.delete_records([place])[place].result(30)
    with pytest.raises(TransientError, match=r"\[5, 20\): offset out of range; its log start moved on"):
        read_natively(config, PartitionRange(topic, 0, 5, 20))
    (_, columns), *_ = read_natively(config, PartitionRange(topic, 0, 10, 15))
    assert columns.offsets.tolist() == list(range(10, 15)), "not a record more than was asked for"


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"no.such.setting": "1"}, "librdkafka refuses the connection's settings"),
        ({"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "NONE-SUCH"}, "librdkafka refuses the connection's"),
        ({"security.protocol": "SSL", "ssl.ca.location": "/no/such/file"}, "Fix: check its ssl.ca.location"),
    ],
)
def test_settings_that_cannot_be_followed(setting: dict[str, str], problem: str, source_bootstrap: str) -> None:
    config = {"bootstrap.servers": source_bootstrap, "sasl.password": "hush-hush", **setting}
    with pytest.raises(BadConnection, match=problem) as caught:
        read_natively(config, PartitionRange("any", 0, 0, 5))
    assert "hush-hush" not in str(caught.value)


def test_a_broker_that_is_away_is_an_outside_fault() -> None:
    with pytest.raises(TransientError, match=r"no records for 5 s.*any-0.*last error: .*Connect call failed"):
        read_natively({"bootstrap.servers": "127.0.0.1:1"}, PartitionRange("any", 0, 0, 5))


def test_a_connection_with_a_callback_is_read_from_messages(source_bootstrap: str) -> None:
    config = {"bootstrap.servers": source_bootstrap, "oauth_cb": lambda _: ("token", 0.0)}
    assert ColumnReader(config, "read_committed", 5, native=True)._native is None


def test_records_that_only_librdkafka_reads_are_read_as_messages_from_there_on(
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
    produce: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = f"{topic_prefix}old"
    make_topics(source_bootstrap, topic)
    for _ in range(3):
        produce(source_bootstrap, topic, 20)
    span, read = PartitionRange(topic, 0, 0, 60), BatchDecoder.records

    def until_twenty(self: BatchDecoder, batches: Iterable[RecordBatch]) -> Iterator[RawRecords]:
        for run in read(self, batches):
            yield run.until(20)
            if run.last >= 20:
                raise UnusualRecords("message format 1")

    monkeypatch.setattr(BatchDecoder, "records", until_twenty)
    offsets = [one for _, some in read_natively({"bootstrap.servers": source_bootstrap}, span) for one in some.offsets]
    assert offsets == list(range(60)), "nothing twice, nothing left out"
    monkeypatch.setenv("FERRY_NATIVE", "always")
    with LibrdkafkaReader({"bootstrap.servers": source_bootstrap}, "read_uncommitted") as reader:
        assert reader.read([span])[span.key].offsets.tolist() == list(range(60))


def test_a_wrong_password_is_a_bad_connection(secure_stack: Stack) -> None:
    config = {**secure_stack.client_settings("source"), "sasl.password": "hush-hush"}
    with pytest.raises(BadConnection, match="uthentication failed") as caught:
        read_natively(config, PartitionRange("any", 0, 0, 5))
    assert "hush-hush" not in str(caught.value)
