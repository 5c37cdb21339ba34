"""Our own S3 sink and source on a Kafka Connect worker: source, S3 and target hold the same, whatever is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

import nasty
from dag_runs import ReadQuota
from dags_by_hand import DagRunByHand
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, Format
from own_stacks import own_stack, use
from s3_connectors import LOCATION, S3Connectors, content, hashes
from s3_faults import S3Faults
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

PARTITIONS = 9


@pytest.fixture(scope="module")
def s3_stack() -> Iterator[Stack]:
    with own_stack("s3-connectors", s3_connectors=True, exactly_once=True) as stack:
        yield stack


@pytest.fixture
def kafka(s3_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    """With its connections; healed afterwards."""
    use(s3_stack, monkeypatch, tmp_path)
    yield s3_stack
    s3_stack.up()


@pytest.fixture
def pair(kafka: Stack, topic_prefix: str) -> Iterator[S3Connectors]:
    own = S3Connectors(kafka, f"{topic_prefix}e")
    yield own
    kafka.up()
    own.remove()


def total(found: dict[Any, list[Any]]) -> int:
    return sum(map(len, found.values()))


def fill(stack: Stack, topic: str, records: int, size: int = 100, first: int = 0) -> None:
    producer = Producer({**stack.client_settings("source"), "acks": "all", "linger.ms": 20})
    body = os.urandom(size)
    for number in range(first, first + records):
        while True:
            try:
                producer.produce(topic, b"%08d" % number + body, b"k%d" % (number % 500), number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0


@pytest.mark.parametrize("kind", ["avro", "jsonl", "parquet"])
def test_two_topics_come_to_the_target_under_other_names_and_our_dags_read_what_lies_between(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any, produce: Any, kind: Format
) -> None:
    names = {f"{topic_prefix}source-{number}": f"{topic_prefix}sink-{number}" for number in (1, 2)}
    one, two = make_topics(kafka.source_bootstrap, *names, partitions=PARTITIONS)
    make_topics(kafka.target_bootstrap, *names.values(), partitions=PARTITIONS)
    own = [{**record, "partition": number % PARTITIONS} for number, record in enumerate(nasty.records()) if len(
        record["value"] or b"") < 900_000]  # fmt: skip
    produce(kafka.source_bootstrap, one, own)
    nasty.transactions(kafka.source_bootstrap, one, PARTITIONS)  # aborted ones, and markers at the ends
    fill(kafka, two, 9_000)
    there = content("kafka_source", names, PARTITIONS)
    rename = {"topics__rename__regex": "(.*)source-(.*)", "topics__rename__replacement": "$1sink-$2"}

    pair.deploy("sink", topics=f"{one},{two}", flush__size=100, format=kind)
    pair.deploy("source", **rename)
    took = pair.until(lambda: hashes(content("kafka_target", names.values(), PARTITIONS)) == hashes(there, names), 90)
    print(f"{total(there)} records in S3 and in the target after {took:.1f} s")
    stored = pair.stored()
    assert stored == there, "S3 has each record once, at its offset"
    assert any(key.endswith(f"/00000000000000000100{SUFFIXES[kind]}") for key in pair.objects()), (
        "objects end at multiples of 100"
    )

    verified = DagRunByHand("verify_backup", "v1", backup=pair.export, location=LOCATION).whole()
    statuses = {check["name"]: check["status"] for check in verified["checks"]}
    assert verified["verdict"] == "PASS", statuses
    assert statuses["orphans"] == "pass"
    into = {"export": pair.export, "location": LOCATION, "rename": {"(.*)source-(.*)": "\\1imported-\\2"}}
    imported = DagRunByHand("import_topics_from_s3", "i1", **into).whole()
    assert imported["verdict"] == "PASS"
    copies = {name: name.replace("source-", "imported-") for name in names}
    assert hashes(content("kafka_target", copies.values(), PARTITIONS)) == hashes(there, copies)

    # Records that come now are a further manifest: the import goes on where it was, and so does the source.
    fill(kafka, two, 900, first=9_000)
    there = content("kafka_source", names, PARTITIONS)
    pair.until(lambda: hashes(content("kafka_target", names.values(), PARTITIONS)) == hashes(there, names), 60)
    assert pair.stored() == there
    imported = DagRunByHand("import_topics_from_s3", "i2", **into).whole()
    assert imported["verdict"] == "PASS"
    assert hashes(content("kafka_target", copies.values(), PARTITIONS)) == hashes(there, copies)
    restored = {name: f"{name}.restored" for name in names}
    back = DagRunByHand("restore_topics", "r1", backup=pair.export, location=LOCATION, rename={"(.*)": "\\1.restored"})
    assert back.whole()["verdict"] == "PASS"
    assert hashes(content("kafka_target", restored.values(), PARTITIONS)) == hashes(there, restored)
    pair.healthy()


@pytest.mark.parametrize("kind", ["avro", "jsonl", "parquet"])
def test_the_source_reads_what_our_export_wrote(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any, produce: Any, kind: str
) -> None:
    topic, target = f"{topic_prefix}orders", f"{topic_prefix}copied"
    make_topics(kafka.source_bootstrap, topic, partitions=3)
    make_topics(kafka.target_bootstrap, target, partitions=3, config={"max.message.bytes": "3000000"})
    own = [{**record, "partition": number % 3} for number, record in enumerate(nasty.records())]
    produce(kafka.source_bootstrap, topic, own, **{"message.max.bytes": 2_000_000})
    export = {"topics": [topic], "export": pair.export, "location": LOCATION, "format": kind}
    assert DagRunByHand("export_topics_to_s3", "e1", **export).whole()["verdict"] == "PASS"
    objects = pair.objects()

    pair.deploy("source", topics__rename=f"{topic}:{target}", producer__override__max__request__size=3_000_000)
    there = content("kafka_source", [topic], 3)
    pair.until(lambda: hashes(content("kafka_target", [target], 3)) == hashes(there, {topic: target}), 60)
    # An increment continues it.
    produce(kafka.source_bootstrap, topic, 300)
    assert DagRunByHand("export_topics_to_s3", "e2", **export).whole()["verdict"] == "PASS"
    there = content("kafka_source", [topic], 3)
    pair.until(lambda: hashes(content("kafka_target", [target], 3)) == hashes(there, {topic: target}), 60)
    assert set(objects) < set(pair.objects()), "a source deletes nothing"


def test_of_a_damaged_object_nothing_is_read_until_it_is_whole(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(kafka.source_bootstrap, topic)
    make_topics(kafka.target_bootstrap, topic)
    produce(kafka.source_bootstrap, topic, 100)
    export = {"topics": [topic], "export": pair.export, "location": LOCATION}
    assert DagRunByHand("export_topics_to_s3", "e1", **export).whole()["verdict"] == "PASS"
    (key,) = pair.objects()
    good = pair.store.get(key)
    pair.store.put(key, good[:-30] + bytes([good[-30] ^ 1]) + good[-29:])
    try:
        pair.deploy("source", tasks__max=1)
        pair.until(lambda: [state for state, _ in pair.tasks("source")] == ["FAILED"], 60, healthy=False)
        assert "SHA-256" in pair.tasks("source")[0][1]
        assert content("kafka_target", [topic], 1) == {}
        pair.store.put(key, good)
        pair.tell("source", "restart?includeTasks=true")
        there = hashes(content("kafka_source", [topic], 1))
        pair.until(lambda: hashes(content("kafka_target", [topic], 1)) == there, 60, healthy=False)
    finally:
        pair.remove()


def test_a_killed_worker_loses_nothing_and_nothing_is_there_twice(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any
) -> None:
    topics = [f"{topic_prefix}t{number}" for number in (1, 2)]
    make_topics(kafka.source_bootstrap, *topics, partitions=PARTITIONS)
    make_topics(kafka.target_bootstrap, *topics, partitions=PARTITIONS)
    for topic in topics:
        fill(kafka, topic, 100_000)
    there = content("kafka_source", topics, PARTITIONS)
    quota = ReadQuota(kafka)
    quota(200_000)  # of each client, in bytes a second: the copy takes longer than three kills
    kills = []
    try:
        pair.deploy("sink", topics=",".join(topics), flush__size=500)
        pair.deploy("source")
        for share in (0.05, 0.3, 0.6):
            pair.until(lambda share=share: total(pair.stored()) > share * total(there), 120)  # type: ignore[misc]
            kafka.worker.kill9()
            kills.append((total(pair.stored()), total(content("kafka_target", topics, PARTITIONS))))
            kafka.worker.restart()
    finally:
        quota(0)
    print(f"(records in S3, in the target) at the kills: {kills} of {total(there)}")
    assert kills[-1][0] < total(there), "the copy was over before the last kill"
    pair.until(lambda: total(content("kafka_target", topics, PARTITIONS)) >= total(there), 180)
    assert pair.stored() == there, "in S3 each record is there once, at its offset"
    assert hashes(content("kafka_target", topics, PARTITIONS)) == hashes(there), "and in the target, in its order"
    verified = DagRunByHand("verify_backup", "v1", backup=pair.export, location=LOCATION).whole()
    assert verified["verdict"] == "PASS"
    assert {check["name"]: check["status"] for check in verified["checks"]}["orphans"] == "pass"


@pytest.mark.parametrize(
    ("how", "limits"),
    [
        ("pause", {"flush__on__commit": "true", "rotate__schedule__interval__ms": 3_600_000}),
        ("pause", {"flush__on__commit": "false", "rotate__schedule__interval__ms": 5_000}),
        ("stop", {"flush__on__commit": "false", "rotate__schedule__interval__ms": 3_600_000}),
    ],
    ids=["pause-by-commit", "pause-by-time", "stop"],
)
def test_the_tail_is_written_without_new_records(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any, how: str, limits: dict[str, Any]
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(kafka.source_bootstrap, topic, partitions=PARTITIONS)
    fill(kafka, topic, 10 * PARTITIONS)
    pair.deploy("sink", topics=topic, flush__size=8, **limits)
    pair.until(lambda: total(pair.stored()) >= 8 * PARTITIONS, 60)
    if how == "stop":
        assert total(pair.stored()) == 8 * PARTITIONS, "the tail is not yet there: nothing ends its objects"
    pair.tell("sink", how)
    pair.until(lambda: total(pair.stored()) == 10 * PARTITIONS, 60)
    if how == "stop":
        pair.tell("sink", "resume")
    pair.until(lambda: pair.declared() == 10 * PARTITIONS, 60)
    assert pair.stored() == content("kafka_source", [topic], PARTITIONS)


@pytest.mark.parametrize(
    "limits",
    [{"flush__size": 200}, {"flush__size": 10_000_000, "rotate__schedule__interval__ms": 3_600_000}],
    ids=["while-records-come", "while-offsets-are-committed"],
)
def test_a_sink_that_cannot_write_fails_soon_and_goes_on_where_it_was(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any, limits: dict[str, Any]
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(kafka.source_bootstrap, topic, partitions=PARTITIONS)
    fill(kafka, topic, 9_000)
    with S3Faults(kafka.s3.url) as faults:
        own = S3Connectors(kafka, pair.export, faults.url)
        patience = {"s3__request__timeout__ms": 5_000, "s3__part__retries": 2}
        own.deploy("sink", topics=topic, **limits, **patience)
        own.until(lambda: own.declared() == 9_000, 60)
        for fault in (503, "cut", 403):
            faults.fault = lambda method, path, fault=fault: fault if method == "PUT" and "/data/" in path else None
            fill(kafka, topic, 900)
            took = own.until(lambda: any(state == "FAILED" for state, _ in own.tasks("sink")), 60, healthy=False)
            reason = next(trace for state, trace in own.tasks("sink") if state == "FAILED")
            print(f"{fault}: failed after {took:.1f} s: {reason.splitlines()[0][:300]}")
            assert "cannot write" in reason
            faults.fault = lambda method, path: None
            own.tell("sink", "restart?includeTasks=true")
            want = total(content("kafka_source", [topic], PARTITIONS))
            own.until(lambda want=want: own.declared() == want, 60, healthy=False)  # type: ignore[misc]
        # Every object is refused once, by an error or by hanging up, and sent again: nobody notices.
        seen: set[str] = set()

        def once(method: str, path: str) -> int | str | None:
            if method != "PUT" or path in seen:
                return None
            seen.add(path)
            return 503 if len(seen) % 2 else "cut"

        faults.fault = once
        before = faults.faults
        fill(kafka, topic, 9_000)
        want = total(content("kafka_source", [topic], PARTITIONS))
        own.until(lambda: own.declared() == want, 90)
        assert faults.faults > before + 10
    assert own.stored() == content("kafka_source", [topic], PARTITIONS)


def test_a_sink_whose_s3_is_silent_gone_or_takes_only_a_part_fails_too(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any
) -> None:
    """A task that went on to say RUNNING would look healthy to everybody, for ever."""
    topic = f"{topic_prefix}orders"
    make_topics(kafka.source_bootstrap, topic, partitions=PARTITIONS)
    fill(kafka, topic, 900)
    with S3Faults(kafka.s3.url) as faults:
        own = S3Connectors(kafka, pair.export, faults.url)
        own.deploy("sink", topics=topic, s3__request__timeout__ms=5_000, s3__part__retries=2)
        own.until(lambda: own.declared() == 900, 90)
        cases = {
            "silent": lambda method, path: "stall" if method == "PUT" else None,
            "gone": lambda method, path: "cut",
            "no notes": lambda method, path: 503 if method == "PUT" and "/journal/" in path else None,
            "no manifests": lambda method, path: 503 if method == "PUT" and "/manifests/" in path else None,
        }
        for name, fault in cases.items():
            faults.fault = fault  # type: ignore[assignment]
            fill(kafka, topic, 900)
            took = own.until(lambda: any(state == "FAILED" for state, _ in own.tasks("sink")), 90, healthy=False)
            reason = next(trace for state, trace in own.tasks("sink") if state == "FAILED")
            print(f"{name}: failed after {took:.1f} s: {reason.splitlines()[0][:300]}")
            assert "s3://" in reason, "it names the object"
            faults.fault = lambda method, path: None
            own.tell("sink", "restart?includeTasks=true")
            want = total(content("kafka_source", [topic], PARTITIONS))
            own.until(lambda want=want: own.declared() == want, 90, healthy=False)  # type: ignore[misc]
    assert own.stored() == content("kafka_source", [topic], PARTITIONS)


def test_large_objects_go_in_parts_and_little_memory_is_enough(
    kafka: Stack, pair: S3Connectors, topic_prefix: str, make_topics: Any
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(kafka.source_bootstrap, topic, partitions=PARTITIONS)
    producer = Producer({**kafka.client_settings("source"), "acks": "all", "linger.ms": 20})
    for number in range(6_300):  # 126 MB that cannot be packed
        while True:
            try:
                producer.produce(topic, os.urandom(20_000), b"k%d" % number, number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0
    limits = {"buffer__memory": 60_000_000, "rotate__schedule__interval__ms": 3_600_000, "flush__on__commit": "false"}
    pair.deploy("sink", topics=topic, tasks__max=1, flush__size=600, **limits)
    pair.until(lambda: pair.declared() >= 9 * 600, 120)
    sizes = {entry.size for entry in pair.store.list(f"{pair.export}/data/")}
    assert max(sizes) > 2 * 5 * 1024 * 1024, "of several parts"
    pair.tell("sink", "stop")
    pair.until(lambda: total(pair.stored()) == 6_300, 60)
    assert pair.stored() == content("kafka_source", [topic], PARTITIONS)


def test_the_worker_refuses_what_cannot_work(kafka: Stack, pair: S3Connectors) -> None:
    cases: list[tuple[str, dict[str, object], str]] = [
        ("sink", {"header__converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter"}, "ByteArrayConverter"),
        ("sink", {"transforms": "r", "transforms__r__type": "org.apache.kafka.connect.transforms.RegexRouter",
                  "transforms__r__regex": "a", "transforms__r__replacement": "b"}, "Rename topics in the source"),
        ("sink", {"s3__part__size": "1000"}, "5242880"),
        ("sink", {"format": "csv"}, "avro, jsonl, parquet"),
        ("source", {"topics__rename": "a=b"}, "old:new"),
    ]  # fmt: skip
    for kind, changes, words in cases:
        changes = {"topics": "t", **changes} if kind == "sink" else changes
        assert words in pair.refusal(kind, **changes), changes


@pytest.mark.parametrize("version", ["3.9.2", "2.7.2"])
def test_older_workers_carry_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str, make_topics: Any, produce: Any, version: str
) -> None:
    """The newest Kafka Connect that is a 3, and the oldest that MSK Connect has."""
    with own_stack(f"s3-connectors-{version}", s3_connectors=True, connect=version) as stack:
        use(stack, monkeypatch, tmp_path)
        pair = S3Connectors(stack, f"{topic_prefix}e")
        topic, target = f"{topic_prefix}orders", f"{topic_prefix}copied"
        make_topics(stack.source_bootstrap, topic, partitions=3)
        make_topics(stack.target_bootstrap, target, partitions=3)
        own = [{**record, "partition": number % 3} for number, record in enumerate(nasty.records()) if len(
            record["value"] or b"") < 900_000]  # fmt: skip
        produce(stack.source_bootstrap, topic, own)
        nasty.transactions(stack.source_bootstrap, topic, 3)
        there = content("kafka_source", [topic], 3)
        pair.deploy("sink", topics=topic, flush__size=20, format="parquet")  # by the worker's own Zstandard
        pair.deploy("source", topics__rename=f"{topic}:{target}")
        pair.until(lambda: hashes(content("kafka_target", [target], 3)) == hashes(there, {topic: target}), 90)
        assert pair.stored() == there
        stack.worker.kill9()
        produce(stack.source_bootstrap, topic, 300)
        stack.worker.restart()
        there = content("kafka_source", [topic], 3)
        pair.until(lambda: pair.stored() == there, 90)
        pair.until(lambda: pair.declared() == total(there), 30)
        verified = DagRunByHand("verify_backup", "v1", backup=pair.export, location=LOCATION).whole()
        assert verified["verdict"] == "PASS"
