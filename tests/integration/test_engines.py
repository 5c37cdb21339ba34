"""Engines that run as processes on hosts, on real Kafka: each does the whole job, survives a kill, leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from kafka_ferry.hooks.engines import engine_of
from kafka_ferry.hooks.engines.host_engine import HostEngine
from kafka_ferry.operators.canary import CanaryOperator
from run_by_hand import Run
from stack import Stack
from stack.ports import PortLease
from stack.process import MARK

pytestmark = pytest.mark.integration

ENGINES = ("mirror_maker2_dedicated", "mirror_maker2_standalone")


@pytest.fixture
def ports() -> Iterator[PortLease]:
    with PortLease() as lease:
        yield lease


@pytest.fixture
def run_of(
    stack: Stack,
    connections: dict[str, str],
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ports: PortLease,
) -> Callable[..., Run]:
    """A run of an engine on this machine, on the stack's jars, with a folder of its own."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    # So the stack's watchdog ends what is started here, should the session be killed.
    monkeypatch.setenv(MARK, stack.service("source").state.mark("hosts"))

    def make(engine: str, **params: Any) -> Run:
        given = {
            "topics": [f"{topic_prefix}.*"],
            "groups": [f"{topic_prefix}.*"],
            "migration": f"{topic_prefix}m",
            "host_folder": str(tmp_path / "hosts"),
            "kafka_libs": stack.variables()["FERRY_KAFKA_LIBS"],
            "jvm_options": "-Xms64m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            "running_timeout": 120,
            "rest_port": ports.take(),
        }
        return Run(engine, engine, **given | params)

    return make


def fill(bootstrap: str, topic: str, records: int, partitions: int = 2) -> None:
    """Records with headers, and in each partition a transaction that is aborted."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all"})
    for number in range(records):
        producer.produce(
            topic, f"value {number}".encode() * 5, f"k{number % 97}".encode(), number % partitions,
            headers=[("n", b"%d" % number), ("n", None)],
        )  # fmt: skip
        producer.poll(0)
    assert producer.flush(60) == 0
    transactional = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic})
    transactional.init_transactions(30)
    transactional.begin_transaction()
    for partition in range(partitions):
        transactional.produce(topic, b"never", partition=partition)
    transactional.flush(30)
    transactional.abort_transaction(30)


def commit(bootstrap: str, group: str, offsets: dict[tuple[str, int], int]) -> None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    consumer.commit(offsets=[TopicPartition(*tp, offset) for tp, offset in offsets.items()], asynchronous=False)
    consumer.close()


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


def pids(run: Run) -> list[int]:
    engine = engine_of(run.migration)
    assert isinstance(engine, HostEngine)
    return [pid for process in engine.processes if (pid := process.state().pid) is not None]


def processes_named(text: str) -> str:
    return subprocess.run(["pgrep", "-af", text], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("engine", ENGINES)
def test_the_whole_job(
    engine: str, run_of: Callable[..., Run], stack: Stack, topic_prefix: str, make_topics: Any, tmp_path: Path
) -> None:
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}readers"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill(stack.source_bootstrap, topic, 3000)
    commit(stack.source_bootstrap, group, {(topic, 0): 700, (topic, 1): 1500})
    run = run_of(engine)

    plan, report = run.whole()

    assert plan["engine"]["name"] == engine
    assert [change for change in plan["changes"] if change["kind"] == "process"]
    assert report["verdict"] == "PASS", report
    found = statuses(report)
    for name in (
        "topics",
        "partitions",
        "counts",
        "content",
        "new_topics",
        "new_records",
        "group_offsets",
        "leftovers",
    ):
        assert found[name] == "pass", (name, report["checks"])
    assert found["leftovers"] == "pass"
    assert found["other_replicators"] == "pass"
    assert report["groups"]
    assert {line["redelivered"] for line in report["groups"]} == {0}
    assert run.leftovers() == []
    assert not (tmp_path / "hosts").exists() or not any((tmp_path / "hosts").iterdir())
    assert processes_named(f"kafka.ferry={engine}.{topic_prefix}m") == ""
    on_source = set(run.migration.source.admin.topic_names())
    assert not {name for name in on_source if name.startswith("mm2-") and topic_prefix in name}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_kill_in_mid_copy_loses_nothing(
    engine: str, run_of: Callable[..., Run], stack: Stack, topic_prefix: str, make_topics: Any
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill(stack.source_bootstrap, topic, 60_000)
    run = run_of(engine, groups=[], canary=False, duplicates="explain")
    run.plan()
    run.provision()
    try:
        run.deploy()
        run.wait_until_running()
        first = pids(run)
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        run.prove()
        second = pids(run)
        # Cleared and run again: what runs is adopted.
        run.deploy()
        assert pids(run) == second
    finally:
        run.remove()
    assert second
    assert set(first).isdisjoint(second)
    report = run.report()
    assert report["verdict"] == "PASS"
    assert [line["lost"] for line in report["topics"]] == [0]
    assert statuses(report)["content"] in ("pass", "explained")

    # After the removal nothing is known but what the target holds: a run of the same migration copies nothing twice.
    again = run_of(engine, groups=[], duplicates="fail", topics=[topic])
    before = [line["target_records"] for line in report["topics"]]
    again.plan()
    again.provision()
    try:
        again.deploy()
        again.wait_until_running()
        again.do(CanaryOperator, "canary")  # proves that it copies
        again.prove()
    finally:
        again.remove()
    checks = again.artifacts.read_json("checks.json")
    assert [line["target_records"] for line in checks["topics"]] == before
