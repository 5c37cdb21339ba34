"""A share group at work on the source starts exactly at its carried place on the target, by real share consumers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Producer, ShareConsumer

from kafka_ferry.core.commits import Commit
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from run_by_hand import Run
from share_reader import Delivered, read
from stack import Stack, jars
from stack.java import find_java
from stack.service import java_command
from stack.stack import PROJECT
from streams_app import eventually

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def artifacts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


@pytest.fixture
def source(stack: Stack) -> KafkaAdmin:
    return KafkaAdmin({"bootstrap.servers": stack.source_bootstrap}, "source")


@pytest.fixture
def target(stack: Stack) -> KafkaAdmin:
    return KafkaAdmin({"bootstrap.servers": stack.target_bootstrap}, "target")


def fill(bootstrap: str, topic: str) -> None:
    """Of partition 0 the offsets 0, 2 and 4 are records and 1, 3 and 5 markers of transactions, which no copy has; then
    come 60 plain records. Of partition 1 there are 30."""
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{topic}-t"})
    producer.init_transactions(30)
    for number in range(3):
        producer.begin_transaction()
        producer.produce(topic, b"t%d" % number, partition=0)
        producer.commit_transaction(30)
    plain = Producer({"bootstrap.servers": bootstrap})
    for partition, records in ((0, 60), (1, 30)):
        for number in range(records):
            plain.produce(topic, b"p%d-%d" % (partition, number), partition=partition)
    assert plain.flush(30) == 0


def accepted(partition: int, offset: int) -> bool:
    """Of partition 0 from 6 on all below 20, and 25 to 29 behind what is not done; of partition 1 all below 10."""
    return offset < 10 if partition else offset < 20 or 25 <= offset < 30


def everything(found: Delivered) -> bool:
    return len(found) >= 90


def test_a_share_group_starts_exactly_at_its_carried_place(
    stack: Stack, connections: Any, topic_prefix: str, make_topics: Any, source: KafkaAdmin, target: KafkaAdmin
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}jobs", partitions=3)
    fill(stack.source_bootstrap, topic)
    group, idle = f"{topic_prefix}workers", f"{topic_prefix}idle"
    # As kafka-share-groups --reset-offsets does it for a group that is not there yet.
    begin = {(topic, 0): 6, (topic, 1): 0}
    assert source.set_share_starts({group: begin, idle: {(topic, 1): 7}}) == {}
    read(stack.source_bootstrap, group, topic, everything, accepted)
    # The start is what the cluster wrote last: it may stand before the first record that is not done with, and what is
    # done with from there on is counted. Together they are what was accepted, here 14 and 5, and 10.
    ends, accepted_of = {(topic, 0): 66, (topic, 1): 30}, {(topic, 0): 19, (topic, 1): 10}
    starts = {tp: one for tp, one in source.share_starts([group])[group].items() if tp in begin}
    done = {tp: one.acknowledged(ends[tp]) or 0 for tp, one in starts.items()}
    assert {tp: one.offset - begin[tp] + done[tp] for tp, one in starts.items()} == accepted_of
    assert any(one.offset > begin[tp] for tp, one in starts.items())
    first, second = (starts[topic, number].offset for number in (0, 1))
    assert source.share_starts([idle])[idle][topic, 1].offset == 7

    run = Run("mirror_maker2_on_connect", migration=f"{topic_prefix}m", topics=[topic], groups=[f"{topic_prefix}.*"])
    plan, report = run.whole()

    assert plan["skipped_groups"] == {}
    assert set(plan["groups"]) == {group, idle}
    lines = {(one["group"], one["partition"]): one for one in plan["group_offsets"]["first"]}
    assert (lines[group, 0]["source_offset"], lines[group, 0]["action"]) == (first, "compute")
    said = [one for one in plan["findings"] if one["code"] == "share_groups"]
    told = {one["subject"]: one for one in said if one["severity"] == "advise"}
    warned = {one["subject"]: one["what"] for one in said if one["severity"] == "warn"}
    assert f"has no start on {topic}-0, {topic}-2, as" in warned[f"group {idle!r}"]
    assert f"done with: {sum(done.values())} records" in told[f"group {group!r}"]["what"]
    (types,) = [note for note in plan["notes"] if note.startswith("groups of the source by type: ")]
    (number,) = re.findall(r"([\d,]+) share \(KIP-932\)", types)
    assert int(number.replace(",", "")) >= 2, "these, and what other tests have left on the shared source"
    assert any(f"group {idle} has no start on {topic}-0, 2" in note for note in plan["notes"])
    assert report["verdict"] == "PASS", report["failures"]
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["groups"]["expected"] == "2 groups, of these 2 share (KIP-932)"
    assert checks["group_offsets"]["status"] == "explained"
    judged = {(one["group"], one["partition"]): one for one in report["groups"]}
    places = [(judged[group, number]["source_offset"], judged[group, number]["target_offset"]) for number in (0, 1)]
    assert places == [(first, first - 3), (second, second)], "three markers stand before it"
    again = {(topic, number): judged[group, number]["redelivered"] for number in (0, 1)}
    assert again == done
    assert judged[group, 0]["status"] == "explained"
    assert (judged[idle, 1]["status"], judged[idle, 1]["target_offset"]) == ("pass", 7)

    # Nobody set share.auto.offset.reset, which is latest: without its start it would get nothing at all.
    wanted = {(0, n - 3): b"p0-%d" % (n - 6) for n in range(first, 66)}
    wanted |= {(1, n): b"p1-%d" % n for n in range(second, 30)}
    got = read(stack.target_bootstrap, group, topic, lambda found: len(found) >= len(wanted), lambda *_: True)
    assert got == wanted
    # Kafka's own client, as people run it.
    printed = console(stack, idle, topic, 23)
    assert printed == {(1, n): f"p1-{n}" for n in range(7, 30)}

    # A group that is ahead on the target is never rewound: what it would not get is loss, and said.
    assert target.set_share_starts({group: {(topic, 0): 60}}) == {}
    rerun = Run("mirror_maker2_on_connect", migration=f"{topic_prefix}m", topics=[topic], groups=[group])
    with pytest.raises(AirflowFailException, match="group_offsets"):
        rerun.whole()
    ahead = {(one["group"], one["partition"]): one for one in rerun.written("report.json")["groups"]}
    assert ahead[group, 0]["status"] == "fail"
    assert "share group: ahead" in ahead[group, 0]["detail"]
    assert target.share_starts([group])[group][topic, 0].offset == 60


def console(stack: Stack, group: str, topic: str, number: int) -> dict[tuple[int, int], str]:
    """What kafka-console-share-consumer prints on the target: (partition, offset) to value."""
    java, libs = find_java(), jars.jars_folder(jars.cache_folder(PROJECT))
    command = java_command(
        java, libs, "org.apache.kafka.tools.consumer.ConsoleShareConsumer", "--bootstrap-server",
        stack.target_bootstrap, "--topic", topic, "--group", group, "--max-messages", str(number),
        "--timeout-ms", "30000", "--formatter-property", "print.offset=true", "--formatter-property",
        "print.partition=true",
    )  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.findall(r"Partition:(\d+)\tOffset:(\d+)\t(\S+)", done.stdout)
    assert found, done.stdout[-1000:] + done.stderr[-1000:]
    return {(int(partition), int(offset)): value for partition, offset, value in found}


@pytest.fixture
def working(stack: Stack, topic_prefix: str) -> Iterator[str]:
    """A share group that has a member on the target."""
    group, topic = f"{topic_prefix}busy", f"{topic_prefix}jobs"
    consumer = ShareConsumer({"bootstrap.servers": stack.target_bootstrap, "group.id": group})
    consumer.subscribe([topic])
    yield group
    consumer.close()


def test_a_group_at_work_on_the_target_and_one_of_another_type_are_named_and_left_alone(
    stack: Stack,
    connections: Any,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    source: KafkaAdmin,
    target: KafkaAdmin,
    working: str,
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}jobs")
    produce(stack.source_bootstrap, topic, 100)
    make_topics(stack.target_bootstrap, topic)
    taken, fine = f"{topic_prefix}taken", f"{topic_prefix}fine"
    assert source.set_share_starts({group: {(topic, 0): 40} for group in (working, taken, fine)}) == {}
    assert target.commit({taken: {(topic, 0): 0}}) == {}
    consumer_group_there = target.set_share_starts({taken: {(topic, 0): 1}})
    assert "Fix: delete a group of another type" in consumer_group_there[taken]
    run = Run("mirror_maker2_on_connect", migration=f"{topic_prefix}m", topics=[topic], groups=[f"{topic_prefix}.*"])
    with pytest.raises(AirflowFailException, match="failed checks: groups, group_offsets"):
        run.whole(lambda: waits_for(target, working))
    plan, report = run.written("plan.json"), run.written("report.json")
    (warned,) = [one for one in plan["findings"] if one["code"] == "group_names"]
    assert warned["subject"] == f"group {taken!r}"
    assert report["verdict"] == "FAIL"
    judged = {one["group"]: one for one in report["groups"]}
    assert (judged[fine]["status"], judged[fine]["target_offset"]) == ("pass", 40)
    assert judged[working]["status"] == "fail"
    assert "active members" in judged[working]["detail"]
    assert judged[taken]["status"] == "fail"
    assert target.share_starts([fine])[fine] == {(topic, 0): Commit(40, lag=60)}


def waits_for(admin: KafkaAdmin, group: str) -> None:
    eventually(lambda: group in admin.all_groups().at_work, admin.all_groups)
