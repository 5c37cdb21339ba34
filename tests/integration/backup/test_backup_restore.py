"""Restores on real brokers and a real S3 server, proven by fingerprint."""

from __future__ import annotations

import os

import pytest
from confluent_kafka.admin import AdminClient

import nasty
from backup_lab import LOCATION, Backups, child, kill_when
from kafka_ferry.exceptions import BadConnection, BadParam, DataLossError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.jobs.backup.rules.packed_segment import decode_packed
from kafka_ferry.jobs.backup.rules.segment import Buffer, decode
from kafka_ferry.jobs.backup.store.process import run, store_order
from kafka_ferry.jobs.backup.store.restore import ForeignRecords, restore_shard
from kafka_ferry.jobs.backup.store.restore_run import RestoreRun
from kafka_ferry.jobs.backup.store.senders import MessageSender, NativeSender, RecordRefused
from kafka_ferry.jobs.backup.store.verify import compare_restored
from kafka_ferry.records.columns import columns_of
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.damage import DamagedSegment

pytestmark = pytest.mark.integration

DONE = "2026-11-21T12:30:00+00:00"


@pytest.fixture
def backups(connections, topic_prefix) -> Backups:
    return Backups(topic_prefix)


def restore(restore_run: RestoreRun, memory: dict[str, dict[str, str]] | None = None) -> int:
    """All of a restore in this process; proves it, and returns the records written by this try."""
    memory = {} if memory is None else memory
    restore_run.provision(memory)
    done = restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
    lines = compare_restored(restore_run.config, restore_run.store, restore_run.ranges())
    assert [line.detail for line in lines if not line.same] == []
    restore_run.release(memory)
    return done.records


def order(kind: str, restore_run: RestoreRun) -> dict[str, object]:
    return {
        "kind": kind,
        "config": restore_run.config,
        "store": store_order(LOCATION, store_settings("aws_default")),
        "ranges": [one.to_json() for one in restore_run.ranges()],
    }


def ends(restore_run: RestoreRun) -> dict[tuple[str, int], int]:
    places = [one.at for one in restore_run.ranges()]
    return restore_run.admin.offsets(places, "latest", "read_uncommitted")


def hashes(conn_id: str, topic: str, partition: int = 0) -> list[int]:
    hook = KafkaClusterHook(conn_id)
    at = (topic, partition)
    begin, end = (hook.admin.offsets([at], which, "read_committed")[at] for which in ("earliest", "latest"))
    with hook.reader("read_committed") as reader:
        return reader.read([PartitionRange(topic, partition, begin, end)])[at].hashes.tolist()


@pytest.mark.parametrize("way", ["never", "always"])
def test_nasty_topics_come_back_as_they_were(backups, stack, topic_prefix, make_topics, produce, monkeypatch, way):
    monkeypatch.setenv("FERRY_NATIVE", way)
    nasty.make(stack.source_bootstrap, topic_prefix, make_topics, produce)
    plain, odd, trimmed = (f"{topic_prefix}{name}" for name in ("plain", "odd.Name_with-all", "trimmed"))
    marks = {(plain, 0): 5, (odd, 0): 20, (trimmed, 0): 50}
    backups.commit(f"{topic_prefix}g", marks)
    done = backups.export(backups.begin("b01"))
    restore_run = backups.restore_run()
    memory: dict[str, dict[str, str]] = {}

    restore_run.provision(memory)
    held = restore_run.admin.topics(memory)
    run([order("restore", restore_run)])
    answers = run([order("compare", restore_run)])
    came_back = {one.at: hashes("kafka_target", *one.at) for one in restore_run.ranges()}
    restore_run.release(memory)

    lines = [line for answer in answers for line in answer["lines"]]
    assert [line for line in lines if line["detail"]] == []
    assert sum(line["actual"] for line in lines) == done.totals.records
    for topic in done.topics:
        for partition in topic.partitions:
            at = topic.name, partition.partition
            live = hashes("kafka_source", *at)
            if topic.compacted:  # the source's cleaner goes on; the manifest was compared with above
                assert live
                assert set(live) <= set(came_back[at]), at
            else:
                assert live == came_back[at], at
    assert {state.effective["cleanup.policy"] for state in held.values()} == {"delete"}
    after = restore_run.admin.topics(memory)
    own = {topic.name: topic.configs for topic in done.topics}
    assert {name: dict(state.configs) for name, state in after.items()} == own
    assert {name: state.partitions for name, state in after.items()} == {
        topic.name: len(topic.partitions) for topic in done.topics
    }

    offsets = restore_run.groups()
    assert restore_run.commit(offsets) == {}
    there = restore_run.admin.committed([f"{topic_prefix}g"])[f"{topic_prefix}g"]
    assert there[plain, 0] == 5
    assert there[trimmed, 0] == 50 - 40
    visible = backups.live(done.topics)[odd, 0]
    assert there[odd, 0] == sum(offset < 20 for offset in visible), "behind markers and aborted records"


@pytest.mark.parametrize("way", ["never", "always"])
def test_a_killed_restore_goes_on_and_repeats_nothing(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch, way
):
    monkeypatch.setenv("FERRY_NATIVE", way)
    topics = make_topics(stack.source_bootstrap, f"{topic_prefix}a", f"{topic_prefix}b", partitions=2)
    value = os.urandom(3000)
    for topic in topics:
        produce(stack.source_bootstrap, topic, ({"key": b"%d" % n, "value": value} for n in range(25_000)))
    backups.export(backups.begin("b01"), segment_bytes=5_000_000)
    restore_run, memory = backups.restore_run(), {}
    restore_run.provision(memory)

    process = child(order("restore", restore_run))
    kill_when(process, lambda: sum(ends(restore_run).values()) > 5_000, "some thousand records are there")
    there = sum(ends(restore_run).values())
    assert 5_000 < there < 50_000

    again = backups.restore_run()
    written = restore(again, memory)

    assert written == 50_000 - there
    assert sum(ends(again).values()) == 50_000
    assert restore(backups.restore_run()) == 0, "a restore of what is there writes nothing"


@pytest.mark.parametrize("way", ["never", "always"])
def test_chosen_topics_under_other_names_as_of_a_time(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch, way
):
    monkeypatch.setenv("FERRY_NATIVE", way)
    source = stack.source_bootstrap
    orders, other = make_topics(source, f"{topic_prefix}orders", f"{topic_prefix}other", partitions=2)
    hour = 3_600_000
    times = [nasty.NOW + step * hour for step in (0, 3, 1, 2, 5, 1)]
    for partition in range(2):
        own = [{"key": b"%d" % n, "value": b"v", "timestamp": at, "partition": partition} for n, at in enumerate(times)]
        produce(source, orders, own)
    produce(source, other, 5)
    backups.commit(f"{topic_prefix}g", {(orders, 1): 4})
    backups.export(backups.begin("b01"))
    produce(source, orders, [{"key": b"late", "value": b"v", "timestamp": nasty.NOW, "partition": 0}])
    backups.export(backups.begin("b02"))

    # 2026-09-21T17:13:20Z is NOW plus three hours.
    moment = "2026-09-21T17:13:20Z"
    assert backups.restore_run(point_in_time=moment).manifest.backup_id == "b01", "the first one begun after it"
    renamed = {f"{topic_prefix}(.*)": f"{topic_prefix}old.\\1"}
    restore_run = backups.restore_run(topics=[orders], rename=renamed, point_in_time=moment, backup_id="b02")
    assert restore_run.point_in_time == nasty.NOW + 3 * hour
    assert restore(restore_run) == 5 + 5 + 1
    assert [topic.name for topic in restore_run.topics] == [f"{topic_prefix}old.orders"]
    assert restore_run.groups() == {f"{topic_prefix}g": {(f"{topic_prefix}old.orders", 1): 4}}

    part = backups.restore_run(topics=[orders], partitions={orders: [1]}, rename={orders: f"{topic_prefix}part"})
    assert restore(part) == 6
    assert restore_run.admin.topics([f"{topic_prefix}part"])[f"{topic_prefix}part"].partitions == 2

    first = backups.restore_run(topics=[orders], backup_id="b01", rename={orders: f"{topic_prefix}first"})
    assert restore(first) == 12
    with pytest.raises(BadParam, match="not in the backup"):
        backups.restore_run(topics=["nothing"]).check()


def test_records_of_others_are_never_mixed_with(backups, stack, topic_prefix, make_topics, produce):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 10)
    backups.export(backups.begin("b01"))
    make_topics(stack.target_bootstrap, topic)
    produce(stack.target_bootstrap, topic, 1)
    with pytest.raises(BadParam, match="not from the backup"):
        backups.restore_run().provision({})

    admin = AdminClient({"bootstrap.servers": stack.target_bootstrap})
    for future in admin.delete_topics([topic]).values():
        future.result(30)
    restore_run = backups.restore_run(rename={topic: f"{topic}2"})
    restore(restore_run)
    produce(stack.target_bootstrap, f"{topic}2", 1)
    with pytest.raises(ForeignRecords):
        restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
    (line,) = compare_restored(restore_run.config, restore_run.store, restore_run.ranges())
    assert (line.expected, line.actual, line.same) == (10, 11, False)

    make_topics(stack.target_bootstrap, f"{topic}3", partitions=3)
    with pytest.raises(BadParam, match="3 partition"):
        backups.restore_run(rename={topic: f"{topic}3"}).check()


def test_a_damaged_object_is_never_restored(backups, stack, topic_prefix, make_topics, produce):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 1000)
    done = backups.export(backups.begin("b01"))
    (segment,) = done.topics[0].partitions[0].segments
    data = bytearray(backups.store.get(segment.key))
    data[len(data) // 2] ^= 1
    backups.store.put(segment.key, bytes(data))
    restore_run = backups.restore_run()
    restore_run.provision({})

    with pytest.raises(DamagedSegment, match=r"offsets 0 to 999.*SHA-256"):
        restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
    assert set(ends(restore_run).values()) == {0}


def test_a_second_writer_is_found_out(backups, stack, topic_prefix, make_topics, produce, monkeypatch):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 10)
    backups.export(backups.begin("b01"))
    restore_run = backups.restore_run()
    restore_run.provision({})
    ranges = restore_run.ranges()
    from kafka_ferry.jobs.backup.store import restore as module

    last_hash = module._last_hash

    def slow(*arguments):
        found = last_hash(*arguments)
        produce(stack.target_bootstrap, topic, 1)  # between the look and the first record
        return found

    monkeypatch.setattr(module, "_last_hash", slow)
    with pytest.raises(DataLossError, match="Another producer writes"):
        restore_shard(restore_run.config, restore_run.store, ranges)


def test_names_that_kafka_takes_for_one_are_refused_before_anything_is_made(
    backups, stack, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}a.b")
    produce(stack.source_bootstrap, topic, 5)
    backups.export(backups.begin("b01"))
    make_topics(stack.target_bootstrap, f"{topic_prefix}a_b")
    restore_run = backups.restore_run()
    with pytest.raises(BadParam, match=rf"{topic} cannot be created: topic '{topic_prefix}a_b' exists on the target"):
        restore_run.provision({})
    assert topic not in restore_run.admin.topic_names()


@pytest.mark.parametrize("sender", [MessageSender, NativeSender])
def test_a_record_that_the_target_refuses_is_said(sender, stack, topic_prefix, make_topics):
    (topic,) = make_topics(stack.target_bootstrap, f"{topic_prefix}small", config={"max.message.bytes": "1000"})
    made = Buffer(0)
    made.add(columns_of(0, range(3), [1] * 3, [1] * 3, [None, b"", b"k"], [os.urandom(5000)] * 3, [[("a", None)]] * 3))
    data = bytes(made.cut(3, "transaction").encode({}))
    (rows,) = decode_packed(data, "s") if sender is NativeSender else decode(data, "s")
    config = {"bootstrap.servers": stack.target_bootstrap}
    with sender(config) as sending, pytest.raises(RecordRefused, match=f"{topic}-0: the target refuses .*too large"):
        sending.send(topic, 0, rows)
        sending.flush()
    with pytest.raises(BadConnection, match="librdkafka refuses the connection's settings"):
        sender({**config, "no.such.setting": "1"})
