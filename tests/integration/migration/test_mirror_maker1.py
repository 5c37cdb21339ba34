"""MirrorMaker 1 on real Kafka: the whole job, a kill in mid-copy, a removal and a new start, and planted faults."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, Producer

import large_records
from dag_runs import ReadQuota
from kafka_ferry.core.acls import Acl
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.hosts.host import LOCAL
from kafka_ferry.hooks.hosts.open import host_of
from kafka_ferry.hooks.hosts.process import java_processes
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.groups import KafkaGroups
from kafka_ferry.jobs.migration.engines.mirror_maker1 import MirrorMaker1
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.catch_up import wait_for_tails
from kafka_ferry.jobs.migration.live.fingerprint_process import compare_partitions
from kafka_ferry.jobs.migration.live.jobs import jobs_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.resume import ForeignData
from kafka_ferry.jobs.migration.rules.watch import freeze
from kafka_ferry.records.compare import PartitionComparison
from run_by_hand import Run
from stack import Stack, jars
from stack.java import find_java
from stack.process import MARK
from stack.stack import PROJECT

pytestmark = pytest.mark.integration

ENGINE = "mirror_maker1"
SIDES = ("SOURCE", "TARGET")


@pytest.fixture(scope="session")
def libs() -> str:
    """The jars of MirrorMaker 1; fetched once, into the cache that all sessions share."""
    return str(jars.resolve_mm1(jars.cache_folder(PROJECT), find_java(), print))


@pytest.fixture
def slow_reads(stack: Stack) -> Iterator[ReadQuota]:
    """``slow_reads(bytes_per_second)`` for every client that reads from the source."""
    quota = ReadQuota(stack)
    yield quota
    quota(0)


@pytest.fixture
def run_of(
    stack: Stack,
    libs: str,
    connections: dict[str, str],
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Run]:
    """A run on this machine, with a folder of its own."""
    return runs(stack, libs, topic_prefix, tmp_path, monkeypatch)


def runs(
    stack: Stack, libs: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Run]:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    # So the stack's watchdog ends what is started here, should the session be killed.
    monkeypatch.setenv(MARK, stack.service("source").state.mark("hosts"))

    def make(**params: Any) -> Run:
        given = {
            "topics": [f"{topic_prefix}.*"],
            "migration": f"{topic_prefix}m",
            "host_folder": str(tmp_path / "hosts"),
            "kafka_libs": libs,
            "java": find_java(),
            "jvm_options": "-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            "tasks_max": 2,
        }
        return Run(ENGINE, ENGINE, **given | params)

    return make


def fill(bootstrap: str, topic: str, records: int, partitions: int = 3) -> None:
    """Records with headers, a tenth of them without a key, and in each partition a transaction that is aborted.

    Each key has one partition, another one than Kafka's own hash would give it.
    """
    # Small batches: one larger than a quota allows in its window would never be delivered under slow_reads.
    settings = {"linger.ms": 5, "acks": "all", "batch.size": 16_384}
    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for number in range(records):
        key = None if number % 10 == 0 else f"k{number % 97}"
        place = number % partitions if key is None else number % 97 % partitions
        producer.produce(
            topic, f"value {number}".encode() * 5, key, place, headers=[("n", b"%d" % number), ("n", None)]
        )
        producer.poll(0)
    assert producer.flush(60) == 0
    transactional = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic})
    transactional.init_transactions(30)
    transactional.begin_transaction()
    for partition in range(partitions):
        transactional.produce(topic, b"never", partition=partition)
    transactional.flush(30)
    transactional.abort_transaction(30)


def checks_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in report["checks"]}


def pid(run: Run) -> int:
    engine = engine_of(run.migration)
    assert isinstance(engine, MirrorMaker1)
    (process,) = engine.processes
    found = process.state().pid
    assert found is not None
    return found


def group_is_there(run: Run) -> bool:
    return run.migration.name in KafkaGroups.of(run.migration.source).consumer_groups()


def records_on(run: Run, topic: str) -> int:
    """On the target."""
    admin = run.migration.target.admin
    return sum(admin.offsets([(topic, partition) for partition in range(3)], "latest", "read_committed").values())


def test_the_whole_job(
    run_of: Callable[..., Run], stack: Stack, topic_prefix: str, make_topics: Any, tmp_path: Path
) -> None:
    topic, compacted = f"{topic_prefix}orders", f"{topic_prefix}last"
    make_topics(stack.source_bootstrap, topic, partitions=3)
    make_topics(stack.source_bootstrap, compacted, partitions=3, config={"cleanup.policy": "compact"})
    make_topics(stack.source_bootstrap, f"{topic_prefix}empty", partitions=2)
    fill(stack.source_bootstrap, topic, 3000)
    producer = Producer({"bootstrap.servers": stack.source_bootstrap})
    for number in range(600):
        value = None if number > 590 else b"%d" % number
        producer.produce(compacted, value, f"k{number % 50}", number % 50 % 3)
    assert producer.flush(30) == 0
    run = run_of()

    plan, report = run.whole()

    assert plan["engine"]["group"] == f"{ENGINE}.{topic_prefix}m"
    assert [change["name"] for change in plan["changes"] if change["kind"] == "process"]
    assert report["verdict"] == "PASS", report
    found = checks_of(report)
    for name in ("topics", "partitions", "configs", "counts", "content", "new_records", "leftovers"):
        assert found[name]["status"] == "pass", found[name]
    for name in ("groups", "group_offsets"):
        assert (found[name]["status"], found[name]["detail"]) == (
            "skipped",
            "MirrorMaker 1 does not copy consumer groups",
        )
    assert found["new_topics"]["status"] == "skipped"
    assert found["new_topics"]["detail"] == "MirrorMaker 1 does not create topics"
    assert "multiset" in found["content"]["detail"]
    lines = {line["source"]: line for line in report["topics"]}
    assert (lines[topic]["source_records"], lines[topic]["target_records"]) == (3000, 3000)
    assert "300 records without a key: they have no order" in lines[topic]["detail"]
    # The keys were rehashed: compared by partition, nothing would be equal.
    ends = [(topic, number) for number in range(3)]
    here = run.migration.source.admin.offsets(ends, "latest", "read_uncommitted")
    assert run.migration.target.admin.offsets(ends, "latest", "read_uncommitted") != here
    # Nothing is left: no process, file or group.
    assert run.leftovers() == []
    assert not (tmp_path / "hosts").exists() or not any((tmp_path / "hosts").iterdir())
    assert not group_is_there(run)
    assert not [one for one in java_processes(host_of(LOCAL), "kafka.tools.MirrorMaker") if topic_prefix in one.command]


def test_a_kill_loses_nothing_and_a_removal_repeats_nothing(
    run_of: Callable[..., Run], stack: Stack, topic_prefix: str, make_topics: Any, slow_reads: ReadQuota
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, topic, partitions=3)
    fill(stack.source_bootstrap, topic, 60_000)
    run = run_of(canary=False, duplicates="explain")
    run.plan()
    run.provision()
    try:
        slow_reads(50_000)  # a copy of 60,000 records is over before a busy machine looks
        run.deploy()
        deadline = time.monotonic() + 60
        while not records_on(run, topic):
            assert time.monotonic() < deadline, "nothing arrived"
            time.sleep(0.02)
        first = pid(run)
        os.kill(first, signal.SIGKILL)
        assert records_on(run, topic) < 60_000, "it was killed in mid-copy"
        slow_reads(0)
        run.prove()
        second = pid(run)
        run.deploy()  # cleared and run again: what runs is adopted
        assert pid(run) == second != first
    finally:
        run.remove()
    report = run.report()
    assert report["verdict"] == "PASS"
    assert [line["lost"] for line in report["topics"]] == [0]
    assert checks_of(report)["content"]["status"] in ("pass", "explained")
    assert not group_is_there(run), "also with what the killed process left in it"

    # Now nothing is known but what the target holds: the same migration goes on behind it.
    before = records_on(run, topic)
    fill(stack.source_bootstrap, topic, 300)
    again = run_of(canary=False, duplicates="explain")
    plan = again.plan()
    assert sum(line["already_there"] for line in plan["topics"]) >= 60_000
    again.provision()
    try:
        again.deploy()
        again.wait_until_running()
        again.prove()
    finally:
        again.remove()
    assert records_on(again, topic) == before + 300


def test_differences_are_named_though_partitions_differ(
    run_of: Callable[..., Run],
    stack: Stack,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The target is filled by hand, in other partitions, with one fault in each topic; MirrorMaker 1 is not needed."""
    original = [
        {"key": f"k{i % 7}".encode(), "value": f"value {i}".encode(), "timestamp": 1_700_000_000_000 + i,
         "partition": i % 7 % 3}
        for i in range(200)
    ]  # fmt: skip
    moved = [record | {"partition": (int(record["partition"]) + 1) % 3} for record in original]
    planted = {
        "right": (moved, []),
        "interleaved": (sorted(moved, key=lambda record: bytes(record["key"])), []),
        "lost": (moved[:57] + moved[58:], ["1 lost: source partition 1 offset"]),
        "twice": ([*moved, moved[57]], ["1 duplicated: source partition 1 offset"]),
        "swapped": ([*moved[:57], moved[64], *moved[58:64], moved[57], *moved[65:]], ["1 reordered: source partition"]),
        "value": ([*moved[:57], moved[57] | {"value": b"x"}, *moved[58:]], ["1 altered (value): source partition 1"]),
        "three-times": ([record for record in moved for _ in range(3)], ["each record 3 times"]),
    }
    for kind, (records, _) in planted.items():
        name = f"{topic_prefix}{kind}"
        make_topics(stack.source_bootstrap, name, partitions=3)
        make_topics(stack.target_bootstrap, name, partitions=3)
        produce(stack.source_bootstrap, name, original)
        produce(stack.target_bootstrap, name, records)
    run = run_of(canary=False)
    monkeypatch.setattr(MirrorMaker1, "progress", lambda engine: _Done(engine))

    run.prove()

    report = run.artifacts.read_json("checks.json")
    lines = {line["source"]: line for line in report["topics"]}
    differences = next(check["differences"] for check in report["checks"] if check["name"] == "content")
    for kind, (_, words) in planted.items():
        name = f"{topic_prefix}{kind}"
        told = " | ".join([*(one for one in differences if one.startswith(f"{name}: ")), lines[name]["detail"]])
        assert lines[name]["status"] == ("fail" if words else "pass"), (kind, told)
        for word in words:
            assert word in told, (kind, told)


class _Done:
    """Somebody else has copied everything."""

    def __init__(self, engine: MirrorMaker1) -> None:
        self._source = engine.migration

    def next_offsets(self) -> dict[tuple[str, int], int]:
        return self._source.source.admin.offsets(self._source.topics.partitions, "latest", "read_committed")

    def check(self) -> None:
        """It never fails."""


def test_what_cannot_work_is_refused_by_the_plan(
    run_of: Callable[..., Run], stack: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic = f"{topic_prefix}t"
    make_topics(stack.source_bootstrap, topic)
    produce(stack.source_bootstrap, topic, 5)

    def refusal(**params: Any) -> str:
        with pytest.raises(BadParam) as caught:
            engine_of(run_of(**params).migration).about()
        return str(caught.value)

    assert "kafka_libs" in refusal(kafka_libs=stack.variables()["FERRY_KAFKA_LIBS"]), "Kafka 4 has none"
    assert "overrides" in refusal(overrides={"linger.ms": "1"})
    with pytest.raises(BadParam, match="keeps the names"):
        run_of(naming="prefix")
    # Somebody else's members in the group that would be ours.
    consumer = Consumer({"bootstrap.servers": stack.source_bootstrap, "group.id": f"{ENGINE}.{topic_prefix}m"})
    consumer.subscribe([topic])
    while not consumer.assignment():
        consumer.poll(0.2)
    assert "has members" in refusal()
    consumer.close()
    # Somebody else's records on the target.
    make_topics(stack.target_bootstrap, topic)
    produce(stack.target_bootstrap, topic, 3)
    engine = engine_of(run_of().migration)
    with pytest.raises(ForeignData):
        engine.resume(engine.migration.target_topics())


def test_sasl_plain_with_its_rights_named_and_no_password_in_sight(
    secure_stack: Stack,
    libs: str,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SASL_PLAINTEXT and PLAIN on both sides, as the published recipe for MirrorMaker 1 has it."""
    variables = secure_stack.variables()
    for name, value in variables.items():
        if name.startswith("AIRFLOW_CONN_"):
            fields = json.loads(value)
            if fields["conn_type"] == "kafka":
                fields["extra"]["sasl.mechanism"] = "PLAIN"
            monkeypatch.setenv(name, json.dumps(fields))
    topic = f"{topic_prefix}projects.alpha"
    source = secure_stack.client_settings("source")
    make_topics(source, topic, partitions=2)
    produce(source, topic, 500)
    run = runs(secure_stack, libs, topic_prefix, tmp_path, monkeypatch)(
        overrides={"producer.linger.ms": "10", "producer.batch.size": "10000"}
    )
    group = run.migration.name

    with pytest.raises(AirflowFailException, match=f"group {re.escape(group)}.*(READ|DELETE)"):
        run.plan()

    rights = [Acl("GROUP", group, "LITERAL", "User:ferry", operation) for operation in ("READ", "DELETE")]
    KafkaAdmin(source, "source as admin").create_acls(rights)
    passwords = {json.loads(os.environ[f"AIRFLOW_CONN_KAFKA_{side}"])["extra"]["sasl.password"] for side in SIDES}
    seen: list[str] = []

    def look() -> None:
        folder = tmp_path / "hosts" / group
        for file in folder.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
        (process,) = engine_of(run.migration).processes  # type: ignore[attr-defined]
        seen.append((folder / "ferry.log").read_text())
        seen.append(" ".join(psutil.Process(pid(run)).cmdline()))
        seen.append(str(psutil.Process(pid(run)).environ()))
        seen.append(repr(process) + repr(engine_of(run.migration).intent))  # type: ignore[attr-defined]

    deadline = time.monotonic() + 30
    while True:  # a broker takes a moment to know new rights
        try:
            plan, report = run.whole(look)
            break
        except AirflowFailException:
            assert time.monotonic() < deadline
            time.sleep(0.5)

    assert report["verdict"] == "PASS", report
    assert report["topics"][0]["target_records"] == 500
    assert not group_is_there(run)
    shown = "\n".join([*seen, *run.seen, json.dumps(plan), json.dumps(report)])
    assert "PlainLoginModule" not in shown
    for password in passwords:
        assert password not in shown


def test_a_copy_in_other_partitions_can_be_verified_at_any_time(
    stack: Stack, connections: dict[str, str], topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    right, three = f"{topic_prefix}right", f"{topic_prefix}three"
    records = [
        {"key": f"k{i}", "value": b"v", "timestamp": 1_700_000_000_000 + i, "partition": i % 2} for i in range(50)
    ]
    moved = [record | {"partition": (int(str(record["partition"])) + 1) % 2} for record in records]
    for bootstrap in (stack.source_bootstrap, stack.target_bootstrap):
        make_topics(bootstrap, right, three, partitions=2)
    for name in (right, three):
        produce(stack.source_bootstrap, name, records)
    produce(stack.target_bootstrap, right, moved)
    produce(stack.target_bootstrap, three, [*moved, *records, *moved])  # one of the three kept the partitions

    def verified(**params: Any) -> dict[str, PartitionComparison]:
        spec = ComparisonSpec.from_params({"topics": [right, three], "groups": [], **params})
        migration = Migration("verify_clusters", spec)
        targets, source, target = migration.topics.targets(spec), migration.source, migration.target
        frozen = freeze(
            source.admin, target.admin, migration.topics.partitions, targets, spec.isolation_level, record_bytes={}
        )
        late = wait_for_tails(migration, frozen, 0)
        assert late == [] or not spec.any_partition
        jobs = jobs_of(migration, frozen, list(frozen.ends))
        results = compare_partitions(source.extra, target.extra, jobs, "read_committed")
        return {result.place: result.comparison for result in results}

    found = verified(any_partition=True)
    assert found.keys() == {right, three}
    assert (found[right].status, found[right].source_records) == ("pass", 50)
    assert (found[three].status, found[three].factor, found[three].lost) == ("fail", 3, 0)
    assert verified()[f"{right}-0"].status == "fail", "the question is another one, partition by partition"


@pytest.mark.nightly
def test_what_the_source_accepted_is_carried(
    run_of: Callable[..., Run], stack: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topics = large_records.make(stack.source_bootstrap, topic_prefix, make_topics, produce)
    _, report = run_of(topics=topics).whole()
    assert report["verdict"] == "PASS"
