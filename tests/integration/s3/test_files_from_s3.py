"""``import_files_from_s3``, task by task, on files that a writer of the tests made as sink connectors do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, KafkaError, TopicPartition

from dags_by_hand import DagRunByHand
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from others_files import ConfluentSink, Sent, plain

pytestmark = pytest.mark.integration

DAG = "import_files_from_s3"


@pytest.fixture(autouse=True)
def artifacts(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


@pytest.fixture
def location(connections, topic_prefix) -> str:
    return f"s3://ferry-backups/others/{topic_prefix}"


@pytest.fixture
def put(location) -> Callable[[str, bytes], None]:
    return store_of(location, "aws_default").put


def read(bootstrap: str, topic: str, partitions: int) -> dict[int, list[Any]]:
    """Key, value, headers, timestamp of all records, by a client that is none of ours."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "look", "auto.offset.reset": "earliest",
                "enable.partition.eof": True}  # fmt: skip
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    found: dict[int, list[Any]] = {number: [] for number in range(partitions)}
    ended: set[int] = set()
    while len(ended) < partitions:
        for message in consumer.consume(500, 1):
            if error := message.error():
                assert error.code() == KafkaError._PARTITION_EOF, error
                ended.add(message.partition())
            else:
                one = message.key(), message.value(), tuple(message.headers() or ()), message.timestamp()[1]
                found[message.partition()].append(one)
    consumer.close()
    return found


def of(records: list[Sent], keys: bool = True, headers: bool = True) -> list[Any]:
    return [(one.key if keys else None, one.value, one.headers if headers else ()) for one in records]


def untimed(found: list[Any]) -> list[Any]:
    return [one[:3] for one in found]


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


@pytest.mark.parametrize("ending", [".json", ".json.gz", ".avro", ".snappy.parquet"])
def test_files_of_confluents_sink_become_topics(location, put, stack, topic_prefix, ending):
    """Nine partitions, one without records; keys and headers beside the values; renamed."""
    topic, records = f"{topic_prefix}orders", {number: [plain(at) for at in range(300)] for number in range(8)}
    sink = ConfluentSink(put, topic, ending, keys=True, headers=True)
    for number, own in records.items():
        for begin in range(0, 300, 100):
            sink.write(number, begin, own[begin : begin + 100])
    put(f"{topic}/_SUCCESS", b"")
    params = {
        "layout": "confluent", "location": location, "rename": {"(.*)orders": "\\1back"}, "partitions": {topic: 9},
        "accept_losses": ["timestamps", "bytes"],
    }  # fmt: skip
    report = DagRunByHand(DAG, "r1", **params).whole()
    assert report["verdict"] == "PASS", report
    assert statuses(report) == {
        "topics": "pass", "partitions": "pass", "counts": "pass", "content": "pass", "losses": "explained",
        "gaps": "pass", "others": "explained",
    }  # fmt: skip
    found = read(stack.target_bootstrap, f"{topic_prefix}back", 9)
    assert {number: untimed(own) for number, own in found.items()} == {
        **{number: of(own) for number, own in records.items()}, 8: [],
    }  # fmt: skip

    # A second run, and one after more files: nothing twice.
    for number in range(8):
        sink.write(number, 300, own := [plain(at) for at in range(300, 350)])
        records[number] += own
    again = DagRunByHand(DAG, "r2", **params).whole()
    assert again["verdict"] == "PASS", again
    assert sum(line["target_records"] for line in again["topics"]) == 400
    third = DagRunByHand(DAG, "r3", **params).whole()
    assert third["verdict"] == "PASS", third
    found = read(stack.target_bootstrap, f"{topic_prefix}back", 9)
    assert [untimed(found[number]) for number in range(8)] == [of(records[number]) for number in range(8)]


def test_what_files_lack_is_told_before_anything_is_written(location, put, stack, topic_prefix):
    topic = f"{topic_prefix}orders"
    ConfluentSink(put, topic).write(0, 0, [plain(at) for at in range(10)])
    params = {"layout": "confluent", "location": location}
    with pytest.raises(AirflowFailException, match="accept_losses with keys, headers, timestamps, bytes"):
        DagRunByHand(DAG, "r1", **params).whole()
    hook = KafkaClusterHook("kafka_target")
    assert hook.admin.topics([topic]) == {}
    report = DagRunByHand(DAG, "r2", **params, accept_losses=["keys", "headers", "timestamps", "bytes"]).whole()
    assert report["verdict"] == "PASS"
    assert untimed(read(stack.target_bootstrap, topic, 1)[0]) == of([plain(at) for at in range(10)], False, False)
