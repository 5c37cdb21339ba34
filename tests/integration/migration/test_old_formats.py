"""Records in the formats of before Kafka 0.11 on brokers of 2.6.0: read, migrated, backed up and restored.

Format 0 (``message.format.version=0.9.0``) has neither timestamps nor a right checksum of lz4's header (KAFKA-3160),
format 1 (0.10.2) has no headers; both compress a set of records as the value of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from backup_lab import LOCATION
from dags_by_hand import DagRunByHand
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.reading.column_reader import ColumnReader
from kafka_ferry.records.content import PartitionRange
from own_stacks import own_stack, use
from run_by_hand import Run
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

FORMATS, CODECS = {"0": "0.9.0", "1": "0.10.2"}, ("uncompressed", "gzip", "snappy", "lz4")
RECORDS, TIME = 300, 1_780_000_000_000
UNTIMED = [f"old.format0.{codec}" for codec in CODECS]
TOPICS = [f"old.format{number}.{codec}" for number in FORMATS for codec in CODECS]


@pytest.fixture(scope="module")
def old() -> Iterator[Stack]:
    with own_stack("old-formats", source="2.6.0") as stack:
        config, producer = stack.client_settings("source"), Producer(stack.client_settings("source"))
        KafkaAdmin(config, "source").create_topics(
            DesiredTopic(
                name, name, 1, 1,
                {"message.format.version": FORMATS[name[10]], "compression.type": name[12:], "retention.ms": "-1"},
            )
            for name in TOPICS
        )  # fmt: skip
        KafkaAdmin(config, "source").wait_until_usable([(name, 0) for name in TOPICS], 30)
        for name in TOPICS:
            for n in range(RECORDS):
                key, value = (None if n % 7 == 0 else b"k%d" % n), (None if n % 11 == 0 else b"value %d" % n * 9)
                producer.produce(name, value, key, 0, timestamp=TIME + n)
        assert producer.flush(30) == 0
        yield stack


@pytest.fixture
def connections(old: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(old, monkeypatch, tmp_path)


def rows(config: dict[str, str], topic: str, native: bool) -> list[tuple[int, int, bytes | None, bytes | None]]:
    found = []
    with ColumnReader(config, "read_committed", 30, native=native) as reader:
        for _, columns in reader.stream([PartitionRange(topic, 0, 0, RECORDS)]):
            parts = (columns.batch.column(name).to_pylist() for name in ("key", "value"))
            found += list(zip(columns.offsets.tolist(), columns.timestamps.tolist(), *parts, strict=True))
    return found


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("topic", TOPICS)
def test_both_readers_read_them(topic: str, native: bool, old: Stack) -> None:
    expected = [
        (n, -1 if topic in UNTIMED else TIME + n, None if n % 7 == 0 else b"k%d" % n,
         None if n % 11 == 0 else b"value %d" % n * 9)
        for n in range(RECORDS)
    ]  # fmt: skip
    assert rows(old.client_settings("source"), topic, native) == expected


def test_they_are_migrated_and_compared_without_the_timestamp_that_they_lack(old: Stack, connections: None) -> None:
    plan, report = Run(
        "mirror_maker2_on_connect", migration="old", topics=["old.format.*"], groups=[], refused_configs="skip"
    ).whole()

    named = {one["subject"] for one in plan["findings"] if one["code"] == "timestamp_type"}
    assert named == {f"topic {name}" for name in UNTIMED}
    checks = {check["name"]: check for check in report["checks"]}
    assert report["verdict"] == "PASS", checks
    assert checks["content"]["status"] == "pass"
    source, target = (old.client_settings(side) for side in ("source", "target"))
    for name in TOPICS:
        there, copied = rows(source, name, True), rows(target, name, True)
        assert [row[2:] for row in copied] == [row[2:] for row in there]
        assert ([row[1] for row in copied] == [row[1] for row in there]) is (name not in UNTIMED)


def test_they_are_backed_up_and_restored_as_they_were(old: Stack, connections: None) -> None:
    common = {"backup": "old", "location": LOCATION}
    made = DagRunByHand("backup_topics", "backup", **common, topics=["old.format.*"], groups=[]).whole()
    assert made["verdict"] == "PASS"

    restored = DagRunByHand("restore_topics", "restore", **common, rename={"(.*)": "back.\\1"}).whole()

    assert restored["verdict"] == "PASS", restored["checks"]
    source, target = (old.client_settings(side) for side in ("source", "target"))
    for name in TOPICS:
        assert rows(target, f"back.{name}", True) == rows(source, name, True)
