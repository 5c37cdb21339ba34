"""Engines that run as processes on hosts, on real Kafka: each does the whole job, survives a kill, leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

import large_records
import sshd
from kafka_ferry.core.acls import Acl
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.table_topic import TableTopic
from kafka_ferry.jobs.migration.engines.host_engine import HostEngine
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.tasks.canary import CanaryOperator
from run_by_hand import Run
from stack import Stack, jars
from stack.ports import PortLease
from stack.process import MARK
from stack.stack import PROJECT

pytestmark = pytest.mark.integration

ENGINES = ("mirror_maker2_dedicated", "mirror_maker2_standalone")


@pytest.fixture
def ports() -> Iterator[PortLease]:
    with PortLease() as lease:
        yield lease


Make = Callable[..., Run]


def maker(stack: Stack, prefix: str, folder: Path, ports: PortLease, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Runs of an engine on this machine, on the stack's clusters and jars, with a folder of their own."""
    variables = stack.variables()
    for name in variables:
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, variables[name])
    monkeypatch.setenv("FERRY_ARTIFACTS", str(folder / "artifacts"))
    # So the stack's watchdog ends what is started here, should the session be killed.
    monkeypatch.setenv(MARK, stack.service("source").state.mark("hosts"))

    def make(engine: str, **params: Any) -> Run:
        given = {
            "topics": [f"{prefix}.*"],
            "groups": [f"{prefix}.*"],
            "migration": f"{prefix}m",
            "host_folder": str(folder / "hosts"),
            "kafka_libs": variables["FERRY_KAFKA_LIBS"],
            "java": variables["FERRY_JAVA"],
            "jvm_options": "-Xms64m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            "running_timeout": 120,
            "rest_port": ports.take(),
        }
        return Run(engine, engine, **given | params)

    return make


@pytest.fixture
def run_of(stack: Stack, topic_prefix: str, tmp_path: Path, ports: PortLease, monkeypatch: pytest.MonkeyPatch) -> Make:
    return maker(stack, topic_prefix, tmp_path, ports, monkeypatch)


@pytest.fixture
def secure_run_of(
    secure_stack: Stack, topic_prefix: str, tmp_path: Path, ports: PortLease, monkeypatch: pytest.MonkeyPatch
) -> Make:
    return maker(secure_stack, topic_prefix, tmp_path, ports, monkeypatch)


def fill(client: dict[str, str], topic: str, records: int, partitions: int = 2) -> None:
    """Records with headers, and in each partition a transaction that is aborted."""
    producer = Producer({**client, "linger.ms": 5, "acks": "all"})
    for number in range(records):
        producer.produce(
            topic, f"value {number}".encode() * 5, f"k{number % 97}".encode(), number % partitions,
            headers=[("n", b"%d" % number), ("n", None)],
        )  # fmt: skip
        producer.poll(0)
    assert producer.flush(60) == 0
    transactional = Producer({**client, "transactional.id": topic})
    transactional.init_transactions(30)
    transactional.begin_transaction()
    for partition in range(partitions):
        transactional.produce(topic, b"never", partition=partition)
    transactional.flush(30)
    transactional.abort_transaction(30)


def commit(cluster: str | dict[str, str], group: str, offsets: dict[tuple[str, int], int]) -> None:
    client = {"bootstrap.servers": cluster} if isinstance(cluster, str) else cluster
    consumer = Consumer({**client, "group.id": group})
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
    engine: str, run_of: Make, stack: Stack, topic_prefix: str, make_topics: Any, tmp_path: Path
) -> None:
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}readers"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill({"bootstrap.servers": stack.source_bootstrap}, topic, 3000)
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


@pytest.mark.nightly  # a host that is killed, test_two_hosts_share_the_tasks_and_one_takes_over has in each run
@pytest.mark.parametrize("engine", ENGINES)
def test_a_kill_in_mid_copy_loses_nothing(
    engine: str, run_of: Make, stack: Stack, topic_prefix: str, make_topics: Any
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill({"bootstrap.servers": stack.source_bootstrap}, topic, 60_000)
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


@pytest.mark.parametrize(
    ("engine", "mechanism"), [*((engine, "PLAIN") for engine in ENGINES), ("mirror_maker2_dedicated", "SCRAM-SHA-512")]
)
def test_secured_clusters_with_groups_and_acls_and_no_secret_but_in_one_file(
    engine: str,
    mechanism: str,
    secure_run_of: Make,
    secure_stack: Stack,
    topic_prefix: str,
    make_topics: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With PLAIN it is the case of a published recipe, whose own result for groups and their offsets was "NO"."""
    topic, group = f"{topic_prefix}projects.alpha", f"{topic_prefix}billing"
    admin = secure_stack.client_settings("source")
    make_topics(admin, topic, partitions=2)
    fill(admin, topic, 500)
    commit(admin, group, {(topic, 0): 70, (topic, 1): 250})
    right = Acl("TOPIC", topic, "LITERAL", f"User:{topic_prefix}app", "READ")
    KafkaAdmin(admin, "source as admin").create_acls([right])
    for side in ("SOURCE", "TARGET"):
        name = f"AIRFLOW_CONN_KAFKA_{side}"
        fields = json.loads(secure_stack.variables()[name])
        fields["extra"]["sasl.mechanism"] = mechanism
        monkeypatch.setenv(name, json.dumps(fields))
    run = secure_run_of(engine, acls="copy", canary=False)
    passwords = {
        side: json.loads(secure_stack.variables()[f"AIRFLOW_CONN_KAFKA_{side.upper()}"])["extra"]["sasl.password"]
        for side in ("source", "target")
    }
    run.plan()
    run.provision()
    try:
        run.deploy()
        run.wait_until_running()
        command_lines = processes_named(f"kafka.ferry={run.migration.name}")
        target = KafkaClusterHook("kafka_target")
        shown = {name: b"".join(whole(target, name)) for name in target.admin.topic_names() if name.startswith("mm2-")}
        if engine == "mirror_maker2_standalone":
            url = f"http://127.0.0.1:{run.params['rest_port']}"
            configs = [ConnectHook(url=url).config(name) for name in ConnectHook(url=url).connectors()]
            shown["connectors"] = json.dumps(configs).encode()
        files = {path.name: path for path in (tmp_path / "hosts").rglob("*") if path.is_file()}
        holders = {
            name
            for name, path in files.items()
            for secret in passwords.values()
            if secret.encode() in path.read_bytes()
        }
        modes = {path.stat().st_mode & 0o077 for path in files.values()}
        run.prove()
    finally:
        run.remove()
    assert command_lines
    assert any(shown.values())
    for secret in passwords.values():
        assert secret not in command_lines
        assert [name for name, content in shown.items() if secret.encode() in content] == []
        assert [text for text in run.seen if secret in text] == []
        for path in filter(Path.is_file, (tmp_path / "artifacts").rglob("*")):
            assert secret.encode() not in path.read_bytes(), path
    assert holders == {"secrets.properties"}
    assert modes == {0}
    report = run.report()
    assert report["verdict"] == "PASS", report
    found = statuses(report)
    for name in ("topics", "partitions", "configs", "counts", "content", "groups", "group_offsets", "acls"):
        assert found[name] == "pass", (name, report["checks"])
    offsets = {(line["partition"], line["target_offset"], line["redelivered"]) for line in report["groups"]}
    assert offsets == {(0, 70, 0), (1, 250, 0)}
    assert right in (KafkaAdmin(secure_stack.client_settings("target"), "target as admin").acls() or [])
    assert run.leftovers() == []


@pytest.mark.parametrize("engine", ENGINES)
def test_under_new_names(engine: str, run_of: Make, stack: Stack, topic_prefix: str, make_topics: Any) -> None:
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}readers"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill({"bootstrap.servers": stack.source_bootstrap}, topic, 2000)
    commit(stack.source_bootstrap, group, {(topic, 0): 700, (topic, 1): 1000})
    named = {"naming": "rename", "topic_rename_format": "eu-${topic}.copy"}
    bare = run_of(engine, **named, kafka_libs=str(jars.jars_folder(jars.cache_folder(PROJECT))))
    with pytest.raises(BadParam, match=r"param 'naming' is rename, but no jar in .* has the class kafkaferry"):
        engine_of(bare.migration).about()

    run = run_of(engine, **named)
    plan, report = run.whole()

    assert [line["target"] for line in plan["topics"]] == [f"eu-{topic}.copy"]
    assert report["verdict"] == "PASS", report
    assert [(line["target"], line["target_records"]) for line in report["topics"]] == [(f"eu-{topic}.copy", 2000)]
    found = statuses(report)
    for name in ("content", "new_topics", "new_records", "group_offsets", "leftovers"):
        assert found[name] == "pass", (name, report["checks"])
    commits = run.migration.target.admin.committed([group])[group]
    assert commits == {(f"eu-{topic}.copy", 0): 700, (f"eu-{topic}.copy", 1): 1000}
    there = {name for name in run.migration.target.admin.topic_names() if topic_prefix in name}
    assert there == {f"eu-{topic}.copy"}, "and nothing else"
    assert run.leftovers() == []


def test_the_whole_job_on_a_host_over_ssh(
    run_of: Make,
    stack: Stack,
    topic_prefix: str,
    make_topics: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a real host: a real sshd, a login with a key, files over SFTP; nothing of it stays."""
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}readers"
    make_topics(stack.source_bootstrap, topic, partitions=2)
    fill({"bootstrap.servers": stack.source_bootstrap}, topic, 3000)
    commit(stack.source_bootstrap, group, {(topic, 0): 700, (topic, 1): 1500})
    keys = tmp_path / "sshd"
    keys.mkdir()
    server = sshd.start(keys)
    try:
        extra = {"private_key": server.user_key.read_text(), "host_key": server.host_key, "look_for_keys": "false"}
        address = {"host": "127.0.0.1", "port": server.port, "login": server.user}
        monkeypatch.setenv("AIRFLOW_CONN_MM2_HOST", json.dumps({"conn_type": "ssh", **address, "extra": extra}))
        run = run_of("mirror_maker2_dedicated", hosts=["mm2_host"])
        origins: list[str] = []

        def look() -> None:
            (pid,) = pids(run)
            origins.append(Path(f"/proc/{pid}/environ").read_text())

        plan, report = run.whole(look)

        assert list(plan["engine"]["hosts"]) == ["127.0.0.1"]
        assert "SSH_CONNECTION=127.0.0.1 " in origins[0], "sshd started it, not we"
        assert report["verdict"] == "PASS", report
        found = statuses(report)
        for name in ("counts", "content", "new_topics", "new_records", "group_offsets", "leftovers"):
            assert found[name] == "pass", (name, report["checks"])
        assert {line["redelivered"] for line in report["groups"]} == {0}
        assert run.leftovers() == []
    finally:
        server.stop()
    assert not (tmp_path / "hosts").exists()
    assert processes_named(f"kafka.ferry=mirror_maker2_dedicated.{topic_prefix}m") == ""


def test_two_hosts_share_the_tasks_and_one_takes_over(
    run_of: Make,
    stack: Stack,
    topic_prefix: str,
    make_topics: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two sshd with processes and a folder of their own each, on two addresses: as two machines."""
    if not sshd.can_hide():
        pytest.skip("unshare is not allowed here: two hosts on one machine would see each other's processes")
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}readers"
    make_topics(stack.source_bootstrap, topic, partitions=4)
    fill({"bootstrap.servers": stack.source_bootstrap}, topic, 20_000, partitions=4)
    commit(stack.source_bootstrap, group, {(topic, 0): 700, (topic, 3): 1500})
    servers = []
    try:
        for name, address in (("A", "127.0.0.2"), ("B", "127.0.0.3")):
            keys = tmp_path / f"sshd-{name}"
            keys.mkdir()
            servers.append(server := sshd.start(keys, address, tmp_path / "hosts"))
            extra = {"private_key": server.user_key.read_text(), "host_key": server.host_key, "look_for_keys": "false"}
            login = {"host": address, "port": server.port, "login": server.user}
            monkeypatch.setenv(
                f"AIRFLOW_CONN_MM2_HOST_{name}", json.dumps({"conn_type": "ssh", **login, "extra": extra})
            )
        run = run_of("mirror_maker2_dedicated", hosts=["mm2_host_a", "mm2_host_b"], tasks_max=4, duplicates="explain")

        def one_dies() -> None:
            statuses = TableTopic(run.migration.target, f"mm2-status.{run.migration.spec.alias}.internal")
            deadline = time.monotonic() + 120
            workers: set[str] = set()
            while workers != {"127.0.0.2", "127.0.0.3"}:
                assert time.monotonic() < deadline, f"tasks run on {workers} only"
                time.sleep(0.5)
                states = {key: json.loads(row.value) for key, row in statuses.rows().items() if b"status-task" in key}
                workers = {state["worker_id"].split(":")[0] for state in states.values() if state["state"] == "RUNNING"}
            mine = processes_named(f"kafka.ferry=mirror_maker2_dedicated.{topic_prefix}m").splitlines()
            started = {int(line.split()[0]): line for line in mine if "java" in line}
            (one,) = [pid for pid in started if "127.0.0.2" in origin(pid)]
            os.kill(one, signal.SIGKILL)

        plan, report = run.whole(one_dies)

        assert list(plan["engine"]["hosts"]) == ["127.0.0.2", "127.0.0.3"]
        assert report["verdict"] == "PASS", report
        assert [line["lost"] for line in report["topics"]] == [0]
        assert {line["redelivered"] for line in report["groups"]} == {0}
        assert run.leftovers() == []
        assert processes_named(f"kafka.ferry=mirror_maker2_dedicated.{topic_prefix}m") == ""
    finally:
        for server in servers:
            server.stop()


def origin(pid: int) -> str:
    """From where sshd was asked to start it."""
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return next((text for text in variables if text.startswith("SSH_CONNECTION=")), "")


def whole(cluster: KafkaClusterHook, topic: str) -> Iterator[bytes]:
    partitions = [(topic, number) for number in range(cluster.admin.topics([topic])[topic].partitions)]
    ends = cluster.admin.offsets(partitions, "latest", "read_uncommitted")
    with cluster.reader("read_uncommitted") as reader:
        for record in reader.read_records({tp: range(end) for tp, end in ends.items()}).values():
            yield (record.key or b"") + (record.value or b"")


@pytest.mark.nightly
@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_source_accepted_is_carried(
    engine: str, run_of: Make, stack: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topics = large_records.make(stack.source_bootstrap, topic_prefix, make_topics, produce)
    _, report = run_of(engine, topics=topics, groups=[]).whole()
    assert report["verdict"] == "PASS"
