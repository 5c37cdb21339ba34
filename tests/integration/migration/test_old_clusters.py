"""Two brokers of Kafka 2.6.0 to three of 2.6.0, with SASL PLAIN and ACLs, names unchanged; by the DAG's own tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, Producer, TopicPartition

from engine_runs import MIRROR_MAKER_1, EngineRuns, jars_of
from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Status
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.rules.judge import check_configs
from own_stacks import own_stack, use
from run_by_hand import Run
from stack import Stack

pytestmark = pytest.mark.integration

TOPICS = [f"projects.team-{number}.events" for number in range(24)]  # as many absent ones as one request cannot ask for
RECORDS = 50


@pytest.fixture(scope="module")
def old_stack() -> Iterator[Stack]:
    with own_stack("old-clusters", secure=True, source="2.6.0x2", target="2.6.0x3") as stack:
        yield stack


@pytest.fixture
def old_connections(old_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(old_stack, monkeypatch, tmp_path)


def fill(stack: Stack) -> None:
    config = stack.client_settings("source")
    admin = KafkaAdmin(config, "source")
    admin.create_topics([DesiredTopic(name, name, 3, 2, {"retention.ms": "-1"}) for name in TOPICS])
    admin.wait_until_usable([(name, number) for name in TOPICS for number in range(3)], 60)
    producer = Producer({**config, "acks": "all"})
    for name in TOPICS:
        for number in range(RECORDS):
            producer.produce(name, b"value %d" % number, b"key %d" % number, number % 3, headers={"h": b"\x00\xfe"})
    assert producer.flush(60) == 0
    admin.commit({"projects.billing": {(TOPICS[0], number): 7 for number in range(3)}})


def read(config: dict[str, str], topic: str) -> list[tuple[Any, ...]]:
    """By a reader that is not ours."""
    consumer = Consumer({**config, "group.id": "projects-witness", "enable.auto.commit": False})
    found: list[tuple[Any, ...]] = []
    for partition in range(3):
        place = TopicPartition(topic, partition, 0)
        _, end = consumer.get_watermark_offsets(place, timeout=20)
        consumer.assign([place])
        records = consumer.consume(end, 30) if end else []
        assert len(records) == end
        found += [
            (one.partition(), one.offset(), one.timestamp(), one.key(), one.value(), one.headers()) for one in records
        ]
    consumer.close()
    return found


def test_topics_of_an_old_cluster_arrive_on_another_one(old_stack: Stack, old_connections: None) -> None:
    fill(old_stack)

    names = {"topics": ["projects.*"], "groups": ["projects.*"]}
    plan, report = Run("mirror_maker2_on_connect", migration="projects", **names).whole()

    assert [note for note in plan["notes"] if "no topic ids" in note and "kafka_source" in note]
    assert report["verdict"] == "PASS", report["checks"]
    made = {check["name"]: check["status"] for check in report["checks"]}
    assert set(made.values()) <= {"pass", "skipped"}
    for name in ("topics", "partitions", "configs", "counts", "content", "groups", "group_offsets", "new_records"):
        assert made[name] == "pass"
    sides = [old_stack.client_settings(side) for side in ("source", "target")]
    for name in TOPICS[:3]:
        source, target = (read(config, name) for config in sides)
        assert source == target
        assert len(source) == RECORDS
    target = KafkaAdmin(sides[1], "target")
    assert {state.replication_factor for state in target.topics(TOPICS).values()} == {3}, "the target's default"
    assert target.committed(["projects.billing"])["projects.billing"] == {(TOPICS[0], number): 7 for number in range(3)}


def test_mirror_maker_1_of_an_old_cluster_is_taken_and_the_right_that_its_producer_wants_is_named(
    old_stack: Stack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    topic, migration = f"{topic_prefix}t", f"{topic_prefix}m"
    source, target = (KafkaAdmin(old_stack.client_settings(side), side) for side in ("source", "target"))
    source.create_topics([DesiredTopic(topic, topic, 1, 2, {})])
    source.wait_until_usable([(topic, 0)], 30)
    group = f"{MIRROR_MAKER_1}.{migration}"
    source.create_acls(Acl("GROUP", group, "LITERAL", "User:ferry", right) for right in ("READ", "DELETE"))
    right = Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:ferry", "IDEMPOTENT_WRITE")
    with EngineRuns(old_stack, tmp_path, monkeypatch) as runs:
        run = runs.make(MIRROR_MAKER_1, kafka_libs=jars_of("2.6.0"), topics=[topic], migration=migration)

        with pytest.raises(AirflowFailException, match="on kafka_target: User:ferry lacks IDEMPOTENT_WRITE"):
            run.plan()
        target.create_acls([right])
        deadline = time.monotonic() + 30
        while right not in (target.acls() or ()):
            assert time.monotonic() < deadline, "brokers take a moment to know new rights"
            time.sleep(0.2)

        assert "Kafka 2.6.0" in run.plan()["engine"]["hosts"]["local"]


def test_configs_that_an_old_target_does_not_take_are_named_and_can_be_left_out(
    stack: Stack, old_stack: Stack, old_connections: None, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", stack.variables()["AIRFLOW_CONN_KAFKA_SOURCE"])
    new, plain = f"{topic_prefix}new", f"{topic_prefix}plain"
    configs = {"retention.ms": "1000000", "local.retention.ms": "1000"}  # the latter is of KIP-405
    admin = KafkaAdmin(stack.client_settings("source"), "source")
    admin.create_topics(
        [DesiredTopic(new, new, 1, 1, configs), DesiredTopic(plain, plain, 1, 1, {"retention.ms": "5"})]
    )
    admin.wait_until_usable([(new, 0), (plain, 0)], 30)
    params = {"migration": f"{topic_prefix}m", "topics": [new, plain], "groups": [], "connect_conn_id": "kafka_connect"}

    with pytest.raises(AirflowFailException, match=rf"refused_configs.*local\.retention\.ms=1000.*1 topic: {new}"):
        Run("mirror_maker2_on_connect", **params).plan()
    target = KafkaAdmin(old_stack.client_settings("target"), "target")
    assert target.topics([new, plain]) == {}, "nothing was changed"

    run = Run("mirror_maker2_on_connect", **params, refused_configs="skip")
    plan = run.plan()
    (found,) = [one for one in plan["findings"] if one["code"] == "refused_configs"]
    assert found["severity"] == "advise"
    run.provision()
    run = Run("mirror_maker2_on_connect", **params, refused_configs="skip")  # a later task asks again
    states = target.topics([new, plain])
    assert states[new].configs == {"retention.ms": "1000000"}
    assert states[plain].configs == {"retention.ms": "5"}
    assert run.migration.refused_configs.configs == {new: [("local.retention.ms", "1000")]}
    desired = run.migration.desired_topics(run.migration.topics.topics.values())
    assert check_configs(desired, states).status is Status.PASS
