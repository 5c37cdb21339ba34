"""Three brokers on each side (replication factor 3, min.insync.replicas 2), and what happens to them in mid-work.

Loss and duplicates are judged by contents: of a migration by its own report, of a backup and a restore by reading all.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from backup_lab import Backups
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.exceptions import DataLossError, TransientError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.jobs.backup.store.verify import compare_restored
from kafka_ferry.jobs.migration.rules.watch import ConvergenceWatch, freeze
from own_stacks import own_stack, use
from run_by_hand import Run
from stack import Stack, jars
from stack.java import find_java
from stack.service import java_command

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

RECORDS, SIZE, PARTITIONS = 60_000, 600, 4


@pytest.fixture(scope="module")
def three() -> Iterator[Stack]:
    with own_stack("three-brokers", source="x3", target="x3") as stack:
        yield stack


@pytest.fixture
def lab(three: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    """With its connections; healed afterwards."""
    use(three, monkeypatch, tmp_path)
    yield three
    three.up()


def admin_of(stack: Stack, side: str) -> KafkaAdmin:
    return KafkaAdmin(stack.client_settings(side), side)


def fill(stack: Stack, prefix: str, records: int = RECORDS) -> list[str]:
    topics, admin = [f"{prefix}a", f"{prefix}b"], admin_of(stack, "source")
    admin.create_topics([DesiredTopic(name, name, PARTITIONS, None, {"retention.ms": "-1"}) for name in topics])
    admin.wait_until_usable([(name, number) for name in topics for number in range(PARTITIONS)], 60)
    producer = Producer({**stack.client_settings("source"), "acks": "all", "linger.ms": 20, "compression.type": "lz4"})
    for number in range(records):
        value = b"%08d" % number + os.urandom(SIZE)
        while True:
            try:
                producer.produce(topics[number % 2], value, b"k%d" % (number % 500), number // 2 % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0
    assert {state.replication_factor for state in admin.topics(topics).values()} == {3}
    return topics


def retried(work: Callable[[], Any], tries: int = 3) -> Any:
    """As Airflow does."""
    for _ in range(tries - 1):
        try:
            return work()
        except TransientError:
            time.sleep(5)
    return work()


class Patient(Run):
    """Its tasks are retried."""

    def do(self, *task: Any, **more: Any) -> Any:
        return retried(lambda: super(Patient, self).do(*task, **more))


# --- faults -----------------------------------------------------------------------------------------------------------


def a_broker_dies_and_comes_back(stack: Stack, side: str, topics: list[str]) -> None:
    broker = stack.brokers(side)[1]
    broker.kill9()
    time.sleep(5)
    broker.restart()


def a_broker_dies_for_good(stack: Stack, side: str, topics: list[str]) -> None:
    stack.brokers(side)[2].kill9()


def all_are_restarted_one_after_the_other(stack: Stack, side: str, topics: list[str]) -> None:
    for broker in stack.brokers(side):
        broker.restart()
        eventually_in_sync(stack, side)


def leaders_and_replicas_move(stack: Stack, side: str, topics: list[str]) -> None:
    """Reassignment with the replicas in another order, then preferred leaders are elected."""
    folder = stack.folder / "moves"
    folder.mkdir(exist_ok=True)
    for turn in range(3):
        plan = ",".join(
            f'{{"topic":"{name}","partition":{number},"replicas":{[(number + turn + k) % 3 + 1 for k in range(3)]}}}'
            for name in topics
            for number in range(PARTITIONS)
        )
        file = folder / f"{side}.json"
        file.write_text(f'{{"version":1,"partitions":[{plan}]}}')
        tool(stack, side, "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
             "--execute", "--reassignment-json-file", str(file))  # fmt: skip
        time.sleep(1)
        tool(stack, side, "org.apache.kafka.tools.LeaderElectionCommand",
             "--election-type", "preferred", "--all-topic-partitions")  # fmt: skip


def tool(stack: Stack, side: str, main: str, *arguments: str) -> None:
    libraries = jars.jars_folder(jars.cache_folder(stack.project))
    bootstrap = stack.broker(side).bootstrap
    command = java_command(find_java(print), libraries, main, "--bootstrap-server", bootstrap, *arguments)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def eventually_in_sync(stack: Stack, side: str) -> None:
    """All replicas in sync again, so that the next broker may go."""
    from confluent_kafka.admin import AdminClient

    client, deadline = AdminClient(stack.client_settings(side)), time.monotonic() + 60
    while True:
        topics = client.list_topics(timeout=20).topics.values()
        if all(len(one.isrs) == len(one.replicas) for topic in topics for one in topic.partitions.values()):
            return
        assert time.monotonic() < deadline, "replicas did not get in sync"
        time.sleep(0.5)


Fault = Callable[[Stack, str, list[str]], None]


@contextmanager
def meanwhile(fault: Fault, stack: Stack, side: str, topics: list[str], after: float = 0.3) -> Iterator[None]:
    """The fault begins a moment after the work; its own failure is one of the test."""
    errors: list[BaseException] = []

    def work() -> None:
        time.sleep(after)
        try:
            fault(stack, side, topics)
        except BaseException as error:  # noqa: BLE001 - shown below
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert errors == []


def named(*faults: Fault) -> Any:
    return pytest.mark.parametrize("fault", faults, ids=lambda one: one.__name__)


SIDES = pytest.mark.parametrize("side", ["source", "target"])


# --- work -------------------------------------------------------------------------------------------------------------


@SIDES
@named(
    a_broker_dies_and_comes_back, a_broker_dies_for_good, all_are_restarted_one_after_the_other,
    leaders_and_replicas_move,
)  # fmt: skip
def test_in_mid_copy_nothing_is_lost(lab: Stack, topic_prefix: str, side: str, fault: Fault) -> None:
    topics = fill(lab, topic_prefix)
    admin_of(lab, "source").commit({f"{topic_prefix}g": {(topics[0], 0): 40}})
    names = {"topics": topics, "groups": [f"{topic_prefix}g"], "migration": f"{topic_prefix}m"}
    run = Patient("mirror_maker2_on_connect", **names, duplicates="explain", running_timeout=120)
    run.plan()
    run.provision()
    try:
        run.deploy()
        with meanwhile(fault, lab, side, topics):
            run.wait_until_running()
            run.prove()
    finally:
        run.remove()
    report = run.report()

    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
    made = {check["name"]: check["status"] for check in report["checks"]}
    # With duplicates both are explained: a broker that dies keeps MirrorMaker 2 from hearing that it had written.
    assert (made["counts"], made["content"]) in {("pass", "pass"), ("explained", "explained")}
    assert made["group_offsets"] == "pass"
    assert {line["lost"] for line in report["topics"]} == {0}


@SIDES
@named(a_broker_dies_for_good, leaders_and_replicas_move)
def test_in_mid_comparison_the_verdict_stands(lab: Stack, topic_prefix: str, side: str, fault: Fault) -> None:
    topics = fill(lab, topic_prefix)
    run = Patient(
        "mirror_maker2_on_connect", topics=topics, groups=[], migration=f"{topic_prefix}m", running_timeout=120
    )
    run.plan()
    run.provision()
    try:
        run.deploy()
        run.wait_until_running()
        deadline = time.monotonic() + 120
        places = [(name, number) for name in topics for number in range(PARTITIONS)]
        while sum(admin_of(lab, "target").offsets(places, "latest", "read_committed").values()) < RECORDS:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        with meanwhile(fault, lab, side, topics):
            run.prove()
    finally:
        run.remove()
    assert run.report()["verdict"] == "PASS"


@named(a_broker_dies_for_good, all_are_restarted_one_after_the_other)
def test_in_mid_backup_and_mid_restore_all_is_kept(lab: Stack, topic_prefix: str, fault: Fault) -> None:
    topics = fill(lab, topic_prefix)
    backups = Backups(topic_prefix)
    manifest = backups.begin("b01")
    with meanwhile(fault, lab, "source", topics):
        manifest = retried(lambda: backups.export(manifest))
    held = backups.hashes(manifest.topics)
    assert sum(map(len, held.values())) == RECORDS
    lab.up()
    assert held == backups.live(manifest.topics)

    run, memory = backups.restore_run(topics=topics), {}
    run.provision(memory)
    with meanwhile(fault, lab, "target", topics):
        done = retried(lambda: restore_shard(run.config, run.store, run.ranges()))
    lab.up()
    lines = compare_restored(run.config, run.store, run.ranges())
    assert [line.detail for line in lines if not line.same] == []
    assert sum(line.actual for line in lines) == RECORDS, done
    run.release(memory)


def test_an_unclean_election_that_cuts_the_source_is_named(lab: Stack, topic_prefix: str) -> None:
    topic, admin = f"{topic_prefix}unclean", admin_of(lab, "source")
    configs = {"min.insync.replicas": "1", "unclean.leader.election.enable": "true"}
    admin.create_topics([DesiredTopic(topic, topic, 1, 1, configs)])
    admin.wait_until_usable([(topic, 0)], 30)
    file = lab.folder / "unclean.json"
    file.write_text(f'{{"version":1,"partitions":[{{"topic":"{topic}","partition":0,"replicas":[2,3]}}]}}')
    tool(lab, "source", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
         "--execute", "--reassignment-json-file", str(file))  # fmt: skip
    eventually_in_sync(lab, "source")
    leader, follower = lab.brokers("source")[1:]

    def write(records: int) -> None:
        producer = Producer({**lab.client_settings("source"), "acks": "1"})
        for number in range(records):
            producer.produce(topic, b"%d" % number)
        assert producer.flush(60) == 0

    write(100)
    eventually_in_sync(lab, "source")
    follower.kill9()
    time.sleep(5)
    write(50)  # the follower has never seen these
    frozen = retried(lambda: freeze(admin, admin, [(topic, 0)], {topic: topic}, "read_committed", {}))
    assert frozen.ends == {(topic, 0): 150}
    leader.kill9()
    follower.start()

    class Engine:
        def next_offsets(self) -> dict[tuple[str, int], int]:
            return {(topic, 0): 60}

        def check(self) -> None: ...

    watch = ConvergenceWatch(frozen, admin, admin, Engine(), lambda _: set(), 600, time.monotonic)
    deadline = time.monotonic() + 90
    with pytest.raises(
        DataLossError, match=rf"{topic}-0: the source's log ended at 150 .* ends at 100 now: offsets 100"
    ):
        while time.monotonic() < deadline:
            try:
                watch.poll()
            except DataLossError:
                raise
            except Exception as fault:  # noqa: BLE001 - no leader for a while
                print(fault)
            time.sleep(0.5)
