"""Cutovers as public reports tell of them: each is told with its cure before the producers stop, or passes.

Reports: flink-connector-kafka 238; franz-go 581 and 931; redpanda 4589, 6423, 9820 and 30624; kafka 13178, 11748 and
19077; librdkafka 2215, 3584 and 5605; aiokafka 456; confluent-kafka-python 738; risingwave 24717.
"""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cutover_lab import Application, CutoverRun, Lab
from kafka_ferry.core.acls import Acl
from kafka_ferry.core.commits import Commit
from kafka_ferry.jobs.cutover.live.window import Window
from kafka_ferry.jobs.cutover.rules.fence import fence_acls
from kafka_tools import ask
from own_stacks import own_stack, use
from stack import security

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(300)]

TRANSACTIONS = "org.apache.kafka.tools.TransactionsCommand"


def run_of(lab: Lab, **params: Any) -> CutoverRun:
    return CutoverRun(f"{lab.prefix}run", topics=[f"{lab.prefix}t.*"], groups=[f"{lab.prefix}.*"],
                      migration=f"{lab.prefix}wave"[:40], **params)  # fmt: skip


def ready(lab: Lab, **params: Any) -> CutoverRun:
    run = run_of(lab, **params)
    run.prepare()
    run.gate()
    return run


def fails(run: CutoverRun, words: str) -> None:
    """The window fails with these words, and nobody is stopped any more."""
    with pytest.raises(AirflowFailException, match=words):
        run.window()
    assert (run.journal()["state"], run.journal()["lifted"]) == ("rolled_back", True)


@pytest.fixture
def topic(lab: Lab, make_topics: Any) -> str:
    """Of three partitions, on the source."""
    make_topics(lab.stack.client_settings("source"), f"{lab.prefix}t0", partitions=3)
    return f"{lab.prefix}t0"


def begun(lab: Lab, topic: str, name: str) -> Any:
    """A transaction with one record in it."""
    producer = Producer(lab.client("source", **{"transactional.id": f"{lab.prefix}{name}"}))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"1", partition=1)
    producer.flush(10)
    return producer


def test_a_transaction_that_was_left_open_is_told_by_the_plan_and_its_command_ends_it(
    lab: Lab, replicate: Any, topic: str, tmp_path: Path
) -> None:
    """As Flink leaves them behind: it would hold the window up, and then roll it back."""
    replicate()
    left = begun(lab, topic, "left")
    run = run_of(lab, transaction_timeout=2)
    assert [one for one in run.plan()["findings"] if one["code"] == "open_transaction"] == [], "it is at work"
    time.sleep(3)
    (told,) = [one for one in run.plan()["findings"] if one["code"] == "open_transaction"]
    assert (told["severity"], f"transactional id {lab.prefix}left" in told["subject"]) == ("warn", True)
    command = told["fix"].rpartition("kafka-transactions.sh --bootstrap-server … ")[2]
    ask(lab.stack, "source", tmp_path, TRANSACTIONS, *shlex.split(command))
    assert [one for one in run.plan()["findings"] if one["code"] == "open_transaction"] == []
    run.prepare()
    run.gate()
    run.window()
    assert run.journal()["state"] == "handed_over"
    del left


@pytest.mark.parametrize("inside", [True, False], ids=["of the wave", "of other topics"])
def test_offsets_that_are_committed_within_a_transaction_are_waited_for(
    lab: Lab, replicate: Any, topic: str, make_topics: Any, produce: Any, inside: bool
) -> None:
    """An application that reads the wave and writes elsewhere: on the wave itself no transaction is to be seen."""
    outside, group = f"{lab.prefix}out", f"{lab.prefix}steps"
    make_topics(lab.stack.client_settings("source"), outside)
    produce(lab.client("source"), topic, ({"value": str(n).encode(), "partition": 0} for n in range(20)))
    lab.commit(group, {(topic, 0): 5})
    replicate(f"{lab.prefix}t")
    run = ready(lab, groups_timeout=2)
    producer = Producer(lab.client("source", **{"transactional.id": f"{lab.prefix}steps"}))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(outside, b"1")
    about = Consumer(lab.client("source", **{"group.id": group})).consumer_group_metadata()
    producer.send_offsets_to_transaction([TopicPartition(topic if inside else outside, 0, 9)], about, 30)
    if inside:
        fails(run, rf"group {group} has committed within a transaction that has not ended")
        producer.commit_transaction(30)
    run.window()
    assert lab.admins["target"].committed([group])[group] == {(topic, 0): 9 if inside else 5}


def test_groups_outside_of_the_log_are_carried_and_told(
    lab: Lab, replicate: Any, topic: str, make_topics: Any, produce: Any
) -> None:
    """Before its begin, where nothing is left, behind its end; MirrorMaker 2 once copied such numbers as they are."""
    group = f"{lab.prefix}odd"
    produce(lab.client("source"), topic, ({"value": str(n).encode(), "partition": n % 3} for n in range(90)))
    cut = [TopicPartition(topic, 0, 10), TopicPartition(topic, 1, 30)]
    admin = AdminClient(lab.stack.client_settings("source"))
    for future in admin.delete_records(cut).values():
        future.result(timeout=30)
    lab.commit(group, {(topic, 0): 5, (topic, 1): 20, (topic, 2): 500})
    replicate()
    run = ready(lab, watch_seconds=0)
    run.window()
    there = lab.admins["target"].committed([group])[group]
    assert there == {(topic, 0): 0, (topic, 1): 0, (topic, 2): 30}
    report = run.finish()
    lines = {line["partition"]: line for line in report["groups"] if line["group"] == group}
    assert (lines[0]["status"], lines[1]["status"], lines[2]["status"]) == ("pass", "pass", "explained")
    assert "470 offsets behind the end of the log there" in lines[2]["detail"]
    assert report["verdict"] == "PASS"


def test_a_group_that_somebody_moves_on_the_target_meanwhile_is_named(
    lab: Lab, replicate: Any, topic: str, produce: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replication that carries offsets itself, and too far: negative lag."""
    group = f"{lab.prefix}pushed"
    produce(lab.client("source"), topic, ({"value": str(n).encode(), "partition": 0} for n in range(20)))
    lab.commit(group, {(topic, 0): 5})
    replicate()
    run = ready(lab)
    with monkeypatch.context() as patch:
        pushed = lab.admins["target"].commit
        patch.setattr(Window, "_refuse_copied_fence", lambda *_: pushed({group: {(topic, 0): Commit(12)}}))
        fails(run, rf"groups were moved on the target since they were set there: {group}.*sync.group.offsets.enabled")
    fails(run, rf"{group} on {topic}-0: ahead: 7 records would never be delivered")
    lab.commit(group, {(topic, 0): 5}, "target")
    run.window()
    assert lab.admins["target"].committed([group])[group] == {(topic, 0): 5}


def test_clients_that_stay_on_the_source_are_named_and_static_ones_as_such(
    lab: Lab, replicate: Any, topic: str, produce: Any
) -> None:
    """Whoever has a connection does not look at DNS again. A static member that is gone looks as if it were there.

    It stands before a marker, which no consumer sees and none commits past.
    """
    writer = Producer(lab.client("source", **{"transactional.id": f"{lab.prefix}w"}))
    writer.init_transactions(30)
    writer.begin_transaction()
    for number in range(10):
        writer.produce(topic, str(number).encode(), partition=0)
    writer.commit_transaction(30)
    replicate()
    own = {"auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": "read_committed",
           "group.instance.id": "till-3", "client.id": "tills", "session.timeout.ms": 6_000}  # fmt: skip
    first = Consumer(lab.client("source", **own, **{"group.id": f"{lab.prefix}gone"}))
    first.subscribe([topic])
    assert first.poll(30) is not None
    first.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    run = ready(lab, groups_timeout=1, watch_seconds=3)
    first.close()
    fails(
        run, rf"{lab.prefix}gone: tills at [\d.]+ \(static member till-3: stays for its session.timeout.ms when it is"
    )
    stays = Consumer(lab.client("source", **own, **{"group.id": f"{lab.prefix}stays"}))
    stays.subscribe([topic])
    for _ in range(10):
        assert stays.poll(30) is not None
    stays.commit(offsets=[TopicPartition(topic, 0, 10)], asynchronous=False)
    stop, polling = threading.Event(), threading.Thread(target=lambda: poll_until(stays, stop), daemon=True)
    polling.start()
    try:
        time.sleep(8)  # the one that is gone is taken out
        run.window()
        report = run.finish()
    finally:
        stop.set()
        polling.join(30)
    late = next(one for one in report["checks"] if one["name"] == "late_writers")
    assert (report["verdict"], late["status"]) == ("PASS", "explained"), late
    (told,) = late["differences"]
    assert f"still has members on the source, where nothing new comes: group {lab.prefix}stays: tills at" in told
    assert lab.admins["target"].committed([f"{lab.prefix}stays"])[f"{lab.prefix}stays"] == {(topic, 0): 10}


def poll_until(consumer: Any, stop: threading.Event) -> None:
    while not stop.is_set():
        consumer.poll(0.2)
    consumer.close()


def test_producers_as_they_are_go_on_after_a_rollback(
    lab: Lab, replicate: Any, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same clients, which are not told for ever that they may not write; but transactional ones, for which the
    refusal of a transaction's first record is fatal."""
    made: list[bool] = []

    def make(settings: dict[str, Any]) -> Any:
        made.append("transactional.id" in settings)
        return Producer(settings)

    monkeypatch.setattr("cutover_lab.Producer", make)
    application = Application(lab, [topic], 3, rate=100)
    application.start(["plain", "idempotent", "transactional"], [])
    replicate()
    application.wait_for(200)
    run, clients = ready(lab, transaction_timeout=1), len(made)
    held = Producer({**lab.stack.client_settings("source"), "transactional.id": f"{lab.prefix}t-held", "log_level": 2})
    held.init_transactions(30)
    held.begin_transaction()
    held.produce(topic, b"", partition=1)
    held.flush(10)
    fails(run, "open transactions on the source")
    held.abort_transaction(30)
    application.wait_for(len(application.written) + 500)
    application.stop()
    assert application.errors == []
    assert all(made[clients:]), "plain and idempotent ones are the same"


def test_who_writes_more_seldom_than_the_proof_waits_is_told(lab: Lab, replicate: Any, topic: str) -> None:
    """A client that is idle at the switch and writes to the old cluster after it."""
    replicate()
    idle = Producer(lab.client("source", **{"enable.idempotence": True}))
    idle.produce(topic, b"1", partition=0)
    idle.flush(10)
    time.sleep(2)
    (told,) = [one for one in run_of(lab, fence="prove", proof_seconds=1).plan()["findings"] if one["code"] == "seldom"]
    assert (told["subject"], told["param"]) == ("1 producer", "proof_seconds")
    assert [one for one in run_of(lab, fence="acl").plan()["findings"] if one["code"] == "seldom"] == []


def test_a_producer_that_wants_no_answer_is_not_told_that_it_may_not_write(lab: Lab, topic: str) -> None:
    """``acks=0``: its records are lost under a fence of ACLs, and it hears that all were written."""
    told: list[Any] = []
    producer = Producer(lab.client("source", acks=0))
    producer.produce(topic, b"before", partition=0)
    producer.flush(10)
    lab.admins["source"].create_acls(fence_acls([topic]))
    time.sleep(1)
    for _ in range(5):
        producer.produce(topic, b"x", partition=0, on_delivery=lambda error, _: told.append(error))
        producer.flush(10)
    assert lab.admins["source"].offsets([(topic, 0)], "latest", "read_uncommitted") == {(topic, 0): 1}
    assert told[0] is None, "the first one, on an open connection"


@pytest.mark.parametrize("shift", [-20 * 365 * 86_400, 1_800], ids=["long_ago", "in_the_future"])
def test_times_of_records_change_no_figure(lab: Lab, replicate: Any, topic: str, shift: int) -> None:
    """Producers give records the time of an event; the clock of the window is another."""
    stop = threading.Event()

    def write() -> None:
        producer = Producer(lab.client("source", **{"enable.idempotence": True}))
        while not stop.is_set():
            with contextlib.suppress(KafkaException):  # refused, as was said
                producer.produce(topic, b"x", partition=0, timestamp=int((time.time() + shift) * 1000))
            producer.flush(5)
            time.sleep(0.02)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    replicate()
    try:
        run = ready(lab, watch_seconds=0)
        run.window()
    finally:
        stop.set()
        thread.join(30)
    cutover = run.finish()["cutover"]
    assert 0 < cutover["longest_producer_pause_seconds"] < cutover["write_downtime_seconds"] + 5


@pytest.fixture
def open_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str) -> Iterator[Lab]:
    """A source that lets everybody do everything with what has no ACL, and nothing has one."""
    more = "allow.everyone.if.no.acl.found=true\n"
    monkeypatch.setattr(security, "KRAFT_SETTINGS", security.KRAFT_SETTINGS + more)
    left = security.Grant(security.FERRY, "topic", "ferry-canary-", ("CREATE",), prefixed=True)
    monkeypatch.setattr(security, "GRANTS", {**security.GRANTS, "source": (left,)})
    with own_stack("open", secure=True) as stack:
        use(stack, monkeypatch, tmp_path)
        made = Lab(stack, topic_prefix)
        source, deadline = made.admins["source"], time.monotonic() + 20
        source.delete_acls(made._rights())
        while there := source.acls():
            assert time.monotonic() < deadline, there
            source.delete_acls(there)
            time.sleep(0.5)
        yield made
        made.close()


def test_a_fence_that_would_lock_readers_out_is_refused(
    open_lab: Lab, replicate_on: Any, make_topics: Any, produce: Any
) -> None:
    """A topic's first ACL ends what everybody may do with it, reading too."""
    lab, topic = open_lab, f"{open_lab.prefix}t0"
    make_topics(lab.stack.client_settings("source"), topic, partitions=3)
    produce(lab.client("source"), topic, ({"value": b"", "partition": n % 3} for n in range(30)))
    replicate_on([topic], f"{lab.prefix}mm")
    run = run_of(lab)
    refusal = r"allow.everyone.if.no.acl.found.*nobody could read them either"
    with pytest.raises(AirflowFailException, match=refusal) as why:
        run.plan()
    assert lab.fences() == []
    assert f"--allow-principal 'User:*' --operation All --topic {topic}" in str(why.value)
    lab.admins["source"].create_acls([Acl("TOPIC", topic, "LITERAL", "User:*", "ALL")])
    application = Application(lab, [topic], 3, rate=50)
    application.start(["idempotent"], [f"{lab.prefix}readers"])
    application.wait_for(50)
    application.wait_until_consumed()
    run.prepare()
    run.gate()
    run.window()
    assert not lab.can_write(topic)
    application.switch()
    application.wait_for(len(application.written) + 50)
    application.stop()
    assert application.errors == []
    assert application.written - application.consumed.keys() == set(), "readers read on"
    assert run.end()["lifted"]
    assert list(run.journal()["committed"]) == [f"{lab.prefix}readers"]
