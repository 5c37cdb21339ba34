"""``mirror_maker2_on_msk_connect`` by hand: MSK Connect's double, real Connect workers behind it, real clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from kafka_ferry.core.changes import Action
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_msk_connect import MirrorMaker2OnMskConnect
from kafka_ferry.jobs.migration.engines.registry import engine_of
from run_by_hand import Run
from stack import Stack, jars, plugins, security
from stack.java import find_java
from stack.msk import CLUSTER
from stack.msk_double import BUCKET, ROLE
from stack.stack import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1_500)]

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
        # Two JVMs start for it, on a machine that may have other work.
        "running_timeout": 300,
        "convergence_timeout": 300,
        "no_progress_timeout": 180,
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
        hook, source = engine.runtime.hook, engine.mirror.names[0]
        found = hook.find_connector(source)
        assert found
        hook.delete_connector(found.arn)
        hook.wait("connector_deleted", 0.5, 120, connectorArn=found.arn)
        before = engine.progress().next_offsets()
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


def test_into_brokers_that_are_not_msks(
    stack: Stack, topic_prefix: str, connections: dict[str, str], make_topics: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """Told by brokers and a VPC: MSK knows nothing of the cluster, MSK Connect's workers are there all the same."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    topic = f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill(stack, topic, 0, 1000)
    elsewhere = {"bootstrap": stack.target_bootstrap, "subnets": ["subnet-0a"], "encryption": "PLAINTEXT"}
    migration = run(topic_prefix, groups=[], cluster_arn=None, **elsewhere)
    plan, report = migration.whole()
    assert report["verdict"] == "PASS", report
    assert plan["engine"]["bootstrap_servers"] == stack.target_bootstrap
    assert (plan["engine"]["region"], plan["engine"]["authentication"]) == ("us-east-1", "NONE")
    assert "cluster_arn" not in plan["engine"]
    (row,) = [row for row in report["topics"] if row["source"] == topic]
    assert (row["target_records"], row["duplicated"]) == (1000, 0)
    assert migration.leftovers() == []


@pytest.mark.nightly
def test_a_source_with_scram_new_names_by_the_plugin_and_no_secret_in_the_connectors(
    stack: Stack,
    secure_stack: Stack,
    topic_prefix: str,
    connections: dict[str, str],
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", secure_stack.variables()["AIRFLOW_CONN_KAFKA_SOURCE"])
    admin = secure_stack.client_settings("source")
    secret = secure_stack.client_settings("source", security.FERRY)["sasl.password"]
    (tmp_path / "secrets.properties").write_text(f"source={secret}\n")
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}g"
    make_topics(admin, topic, partitions=2)
    produce(admin, topic, 1000)
    consumer = Consumer({**admin, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, 10)], asynchronous=False)
    consumer.close()
    jars_folder = plugins.build(jars.cache_folder(PROJECT), find_java(print), print)
    provider = "org.apache.kafka.common.config.provider.FileConfigProvider"
    migration = run(
        topic_prefix,
        naming="rename",
        topic_rename_format="${topic}.copy",
        plugin_folder=str(jars_folder),
        source_references={"sasl.password": f"${{file:{tmp_path}/secrets.properties:source}}"},
        worker_properties={"config.providers": "file", "config.providers.file.class": provider},
    )
    engine = engine_of(migration.migration)
    assert isinstance(engine, MirrorMaker2OnMskConnect)
    told: list[str] = []

    def look() -> None:
        told.extend(str(found.description) for found in engine.runtime.found(engine.mirror.wanted))

    _, report = migration.whole(look)
    assert report["verdict"] == "PASS", report
    (row,) = [row for row in report["topics"] if row["source"] == topic]
    assert (row["target"], row["target_records"]) == (f"{topic}.copy", 1000)
    assert [(row["topic"], row["target_offset"]) for row in report["groups"]] == [(topic, 10)]
    assert "PluginMirrorSourceConnector" in told[0]
    assert len(told) == 2
    assert secret not in str([*told, *migration.seen, report])
    assert migration.leftovers() == []


@pytest.mark.nightly
def test_a_double_that_was_killed_leaves_no_worker_behind_and_the_migration_goes_on(
    breakable_stack: Stack, topic_prefix: str, connections: dict[str, str], make_topics: Any, tmp_path: Path,
    monkeypatch: Any,
) -> None:  # fmt: skip
    """As if somebody had deleted everything on MSK Connect: plugin, worker configuration, connectors."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    stack, topic = breakable_stack, f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill(stack, topic, 0, 1000)
    migration = run(topic_prefix, groups=[])
    migration.plan()
    migration.provision()
    try:
        migration.deploy()
        migration.wait_until_running()
        migration.prove()
        pids = [worker["pid"] for worker in stack.msk.workers().values()]
        assert pids
        stack.msk.kill9()
        stack.up()
        assert not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]
        fill(stack, topic, 1000, 1500)
        migration.deploy()
        migration.wait_until_running()
        migration.prove()
    finally:
        migration.remove()
    report = migration.report()
    assert report["verdict"] == "PASS", report
    (row,) = [row for row in report["topics"] if row["source"] == topic]
    assert (row["target_records"], row["duplicated"]) == (1500, 0)
    assert migration.leftovers() == []
