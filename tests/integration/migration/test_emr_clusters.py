"""Clusters as EMR had them: Kafka 2.4.1 to Kafka 2.4.1, topics under new names by the Connect REST API, and a dedicated
MirrorMaker 2.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from engine_runs import DEDICATED, EngineRuns, statuses
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack
from stack import Stack
from whole_cluster import WholeCluster, Witnessed

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

RECORDS = 100_000


@pytest.fixture(scope="module")
def emr() -> Iterator[Stack]:
    with own_stack("emr-clusters", source="2.4.1", target="2.4.1") as stack:
        yield stack


@pytest.fixture
def runs(emr: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EngineRuns]:
    with EngineRuns(emr, tmp_path, monkeypatch) as one:
        yield one


def values(config: dict[str, str], topic: str) -> list[bytes | None]:
    """All of a topic of one partition, by a reader that is not ours."""
    consumer = Consumer({**config, "group.id": "witness", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)
    found: list[bytes | None] = []
    deadline = time.monotonic() + 60
    while len(found) < end:
        assert time.monotonic() < deadline, f"{len(found)} of {end}"
        found += [one.value() for one in consumer.consume(10_000, 1)]
    consumer.close()
    return found


def test_a_topic_is_replicated_under_a_new_name_through_connect(runs: EngineRuns, emr: Stack) -> None:
    source = emr.client_settings("source")
    KafkaAdmin(source, "source").create_topics([DesiredTopic("connect", "connect", 1, 1, {})])
    KafkaAdmin(source, "source").wait_until_usable([("connect", 0)], 30)
    producer = Producer({**source, "acks": "all", "linger.ms": 20})
    for number in range(RECORDS):
        producer.produce("connect", b"record %d" % number)
        producer.poll(0)
    assert producer.flush(60) == 0

    run = runs.make("replicate_topics", topics=["connect"], groups=[], migration="connect-test")
    _, report = run.whole()

    assert report["verdict"] == "PASS", report["checks"]
    assert statuses(report)["content"] == statuses(report)["new_topics"] == "pass"
    found = values(emr.client_settings("target"), "connect.replica")
    assert found == [b"record %d" % number for number in range(RECORDS)]
    assert run.leftovers() == []


def test_a_dedicated_mirror_maker_keeps_the_names(runs: EngineRuns, emr: Stack) -> None:
    cluster = WholeCluster(((4, 3, {"retention.ms": "-1"}),), 200, "foo-bar")
    cluster.fill(emr.client_settings("source"), replicas=1)

    run = runs.make(DEDICATED, topics=["foo-.*"], groups=["foo-.*"], migration="src")
    _, report = run.whole()

    assert report["verdict"] == "PASS", report["checks"]
    assert {statuses(report)[name] for name in ("content", "groups", "group_offsets", "new_topics")} == {"pass"}
    sides = [Witnessed.of(emr.client_settings(side), cluster) for side in ("source", "target")]
    assert sides[0].differences(sides[1]) == []
    target = KafkaAdmin(emr.client_settings("target"), "target")
    assert target.committed(cluster.groups) == cluster.groups
    assert run.leftovers() == []
