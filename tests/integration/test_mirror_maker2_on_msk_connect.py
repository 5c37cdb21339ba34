"""``mirror_maker2_on_msk_connect`` by hand: MSK Connect's double, real Connect workers behind it, real clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from kafka_ferry.hooks.engines import engine_of
from kafka_ferry.hooks.engines.mirror_maker2_on_msk_connect import MirrorMaker2OnMskConnect
from kafka_ferry.migration.changes import Action
from run_by_hand import Run
from stack import Stack
from stack.msk import CLUSTER
from stack.msk_double import BUCKET, ROLE

pytestmark = pytest.mark.integration

ENGINE = "mirror_maker2_on_msk_connect"


def run(topic_prefix: str, **params: Any) -> Run:
    given: dict[str, Any] = {
        "topics": [f"{topic_prefix}.*"],
        "groups": [f"{topic_prefix}.*"],
        "migration": f"{topic_prefix}m",
        "cluster_arn": CLUSTER,
        "service_execution_role_arn": ROLE,
        "plugin_bucket": BUCKET,
        "log_group": "/ferry",
        "tasks_max": 2,
        "running_timeout": 180,
        "convergence_timeout": 180,
    }
    return Run(ENGINE, ENGINE, **given | params)


def fill(stack: Stack, topic: str, first: int, last: int) -> None:
    """Numbered records with headers in two partitions."""
    producer = Producer({"bootstrap.servers": stack.source_bootstrap, "linger.ms": 5, "acks": "all"})
    for number in range(first, last):
        key, headers = f"k{number % 97}".encode(), [("n", b"%d" % number), ("n", None)]
        producer.produce(topic, f"value {number}".encode(), key, number % 2, headers=headers)
        producer.poll(0)
    assert producer.flush(60) == 0


def abort(stack: Stack, topic: str) -> None:
    """A transaction that nobody may see."""
    producer = Producer({"bootstrap.servers": stack.source_bootstrap, "transactional.id": topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"never", partition=0)
    producer.flush(30)
    producer.abort_transaction(30)


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


def test_a_migration_goes_on_after_its_connector_was_made_anew_and_leaves_nothing(
    stack: Stack, topic_prefix: str, connections: dict[str, str], make_topics: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}g"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill(stack, topic, 0, 2000)
    abort(stack, topic)
    consumer = Consumer({"bootstrap.servers": stack.source_bootstrap, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, 700), TopicPartition(topic, 1, 1000)], asynchronous=False)
    consumer.close()
    migration = run(topic_prefix)
    engine = engine_of(migration.migration)
    assert isinstance(engine, MirrorMaker2OnMskConnect)

    plan = migration.plan()
    assert plan["engine"]["cluster_arn"] == CLUSTER
    kinds = [(change["action"], change["kind"]) for change in plan["changes"]]
    assert kinds == [
        ("create", "topic"),
        ("create", "custom plugin"),
        ("create", "worker configuration"),
        ("create", "connector"),
        ("create", "connector"),
    ]
    migration.provision()
    try:
        migration.deploy()
        migration.wait_until_running()
        migration.prove()
        # Somebody deletes the connector; the offsets topic is ours, and stays.
        hook, source = engine.hook, engine.connector_name("source")
        found = hook.find_connector(source)
        assert found
        hook.delete_connector(found.arn)
        hook.wait("connector_deleted", 0.5, 120, connectorArn=found.arn)
        before = engine.next_offsets()
        fill(stack, topic, 2000, 2500)
        assert before == {(topic, 0): 1000, (topic, 1): 1000}
        migration.deploy()
        migration.wait_until_running()
        again = hook.find_connector(source)
        assert again and again.arn != found.arn
        migration.prove()
        # A deploy of the same changes nothing.
        asked = [change.action for change in engine.changes()]
        assert set(asked) == {Action.NONE}
    finally:
        migration.remove()
    report = migration.report()
    assert report["verdict"] == "PASS", report
    assert statuses(report)["group_offsets"] == "pass"
    (row,) = [row for row in report["topics"] if row["source"] == topic]
    assert (row["source_records"], row["target_records"], row["duplicated"]) == (2500, 2500, 0)
    assert {(row["partition"], row["target_offset"]) for row in report["groups"]} == {(0, 700), (1, 1000)}
    assert migration.leftovers() == []
    topics = AdminClient({"bootstrap.servers": stack.target_bootstrap}).list_topics(timeout=10).topics
    assert not [name for name in topics if engine.base in name]
    assert not list((stack.folder / "data" / "s3" / BUCKET).glob(f"{engine.base}*"))
    assert not [name for name in stack.msk.workers() if name.startswith(engine.base)]
