"""The fixtures that the other integration tests stand on."""

from __future__ import annotations

import json
import os

import pytest
from confluent_kafka import Consumer, TopicPartition

pytestmark = pytest.mark.integration


def test_records_arrive_on_the_cluster_they_were_sent_to(
    source_bootstrap, target_bootstrap, make_topics, produce, topic_prefix
):
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}a", partitions=2)
    make_topics(target_bootstrap, topic, partitions=2)
    produce(
        source_bootstrap, topic, [{"value": b"x", "partition": 1, "timestamp": 1000}, {"value": None, "partition": 1}]
    )
    produce(target_bootstrap, topic, 3)

    def ends(bootstrap):
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic_prefix}g"})
        try:
            return [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in range(2)]
        finally:
            consumer.close()

    assert ends(source_bootstrap) == [0, 2]
    assert sum(ends(target_bootstrap)) == 3


def test_connections_point_at_the_stack(connections, source_bootstrap, target_bootstrap, connect_url):
    source, target, connect = (
        json.loads(os.environ[f"AIRFLOW_CONN_KAFKA_{name}"]) for name in ("SOURCE", "TARGET", "CONNECT")
    )

    assert source["extra"]["bootstrap.servers"] == source_bootstrap
    assert target["extra"]["bootstrap.servers"] == target_bootstrap
    assert f"{connect['schema']}://{connect['host']}:{connect['port']}" == connect_url


def test_a_broken_part_is_healed_after_the_test_breaks(breakable_stack):
    breakable_stack.worker.kill9()
    assert breakable_stack.worker.pid is None


def test_a_broken_part_is_healed_after_the_test_healed(stack):
    problems = {line.name: line.problem for line in stack.status() if line.name != "watchdog"}
    assert problems == dict.fromkeys(("source", "target", "worker", "s3", "msk"))
