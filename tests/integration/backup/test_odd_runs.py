"""Whole runs, export to proof, of what brokers take and no client of Kafka makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from backup_lab import DONE, LOCATION, Backups, measured
from batches import Record, batch, encode, sized, varint
from dags_by_hand import DagRunByHand
from kafka_ferry.core.retention import HELD_AS
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.jobs.backup.store.process import run, store_order
from kafka_ferry.jobs.backup.store.restore_run import RestoreRun
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.record_hash import record_hash
from raw_batches import TIME, put, zeros
from run_by_hand import Run

pytestmark = pytest.mark.integration

FORMATS = ["parquet", "jsonl", "avro"]
Do = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def backups(connections: dict[str, str], topic_prefix: str) -> Backups:
    return Backups(topic_prefix)


def here(order: dict[str, Any]) -> dict[str, Any]:
    (answer,) = run([order])
    return answer


def whole_run(backups: Backups, kind: str, do: Do) -> RestoreRun:
    """Export in a format, verification of the objects, restore, comparison; nothing differs, or it fails."""
    place = {"store": store_order(LOCATION, store_settings("aws_default"))}
    manifest = backups.begin("b01")
    do(backups.order(manifest, format=kind))
    done = backups.catalogue.finish(manifest, DONE)
    segments = [
        [topic.name, partition.partition, segment.model_dump(mode="json")]
        for topic in done.topics
        for partition in topic.partitions
        for segment in partition.segments
    ]
    assert do({"kind": "verify", **place, "segments": segments}) == {"damage": []}
    restore_run = backups.restore_run()
    memory: dict[str, dict[str, str]] = {}
    restore_run.provision(memory)
    order = {"config": restore_run.config, **place, "ranges": [one.to_json() for one in restore_run.ranges()]}
    assert do({"kind": "restore", **order})["records"] == done.totals.records
    lines = do({"kind": "compare", **order})["lines"]
    assert [line["detail"] for line in lines if line["detail"]] == []
    assert sum(line["actual"] for line in lines) == done.totals.records
    restore_run.release(memory)
    return restore_run


def hashes(conn_id: str, topic: str) -> list[int]:
    hook = KafkaClusterHook(conn_id)
    at = (topic, 0)
    end = hook.admin.offsets([at], "latest", "read_committed")[at]
    with hook.reader("read_committed") as reader:
        return [int(one) for one in reader.read([PartitionRange(topic, 0, 0, end)])[at].hashes]


@pytest.mark.parametrize(
    ("count", "size", "kind"),
    [
        (700, 1_000_000, "parquet"),
        *(pytest.param(2200, 1_000_000, kind, marks=pytest.mark.nightly) for kind in FORMATS),
        pytest.param(110_000, 20_000, "parquet", marks=pytest.mark.nightly),
    ],
)
def test_a_batch_of_gigabytes_goes_the_whole_way_in_bounded_memory(
    count: int,
    size: int,
    kind: str,
    backups: Backups,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
) -> None:
    topic = f"{topic_prefix}zeros"
    make_topics(source_bootstrap, topic)
    put(source_bootstrap, topic, zeros(count, size, "zstd"))
    put(source_bootstrap, topic, batch([Record()], time=TIME))
    peaks = {}  # librdkafka's consumers stop for ever at such a batch: its issue 5260, pull request 3935

    def do(order: dict[str, Any]) -> dict[str, Any]:
        begun = time.monotonic()
        answer, peak = measured(order)
        peaks[order["kind"]] = peak // 1_000_000
        print(f"{count} x {size} {kind}: {order['kind']} {peak / 1e6:.0f} MB, {time.monotonic() - begun:.1f} s")
        return answer

    whole_run(backups, kind, do)
    assert len(peaks) == 4
    # docs/backup_topics.md: 640 MB at the worst, and 200 MB for Python; of 700 MB far less.
    assert max(peaks.values()) < (600 if count * size < 1_000_000_000 else 840), peaks


NAMES = [b"caf\xe9", b"a\0b", b"\xff\xfe", b"", "é😀".encode(), b"\xed\xa0\x80"]


def odd_names(count: int) -> bytes:
    """A batch whose records have one odd name each, and two plain ones; a value that is no UTF-8, one null."""
    body = b"".join(
        encode(
            Record(n, n, b"k%d" % n),
            varint(3) + sized(b"h") + sized(b"\xc3\x28") + sized(NAMES[n % len(NAMES)]) + sized(b"x") + sized(b"n")
            + varint(-1),
        )
        for n in range(count)
    )  # fmt: skip
    return batch(body, time=TIME, last=count - 1, count=count, codec="zstd")


@pytest.mark.parametrize("kind", ["parquet", *(pytest.param(one, marks=pytest.mark.nightly) for one in FORMATS[1:])])
def test_header_names_of_any_bytes_come_back(
    kind: str, backups: Backups, source_bootstrap: str, topic_prefix: str, make_topics: Callable[..., Any]
) -> None:
    topics = [f"{topic_prefix}{name}" for name in ("few", "later", "many")]
    few, later, many = topics
    make_topics(source_bootstrap, *topics)
    put(source_bootstrap, few, odd_names(2 * len(NAMES)))
    for _ in range(3):  # the name comes behind records that have gone the other way
        put(source_bootstrap, later, batch([Record(n, n) for n in range(500)], time=TIME))
    put(source_bootstrap, later, odd_names(1))
    put(source_bootstrap, later, batch([Record(n, n) for n in range(500)], time=TIME))
    if kind == "parquet":
        put(source_bootstrap, many, odd_names(60_000))
    whole_run(backups, kind, here)
    for topic in topics:
        assert hashes("kafka_target", topic) == hashes("kafka_source", topic)
    first = record_hash(TIME, [("h", b"\xc3\x28"), ("caf\udce9", b"x"), ("n", None)], b"k0", b"v")
    assert hashes("kafka_target", few)[0] == first


@pytest.mark.nightly
def test_mirror_maker2_does_not_carry_them_and_the_report_says_so(
    connections: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    few, many, good = topics = [f"{topic_prefix}{name}" for name in ("few", "many", "good")]
    make_topics(source_bootstrap, *topics)
    put(source_bootstrap, few, odd_names(len(NAMES)))
    put(source_bootstrap, many, odd_names(60_000))
    put(source_bootstrap, good, batch([Record(n, n, headers=[("a\0b", b"x")]) for n in range(5)], time=TIME))
    migration = Run("names", topics=topics, groups=[], migration=f"{topic_prefix}m", acls="skip")
    with pytest.raises(AirflowFailException):
        migration.whole()
    report = migration.artifacts.read_json("report.json")
    told = {one["source"]: (one["status"], one["detail"]) for one in report["topics"]}
    assert told == {
        few: ("fail", "partition 0: 3 altered"), many: ("fail", "partition 0: 30,000 altered"), good: ("pass", "")
    }  # fmt: skip
    (content,) = [one for one in report["checks"] if one["name"] == "content"]
    cause = "1 altered (header: a name that is not UTF-8, which Java clients cannot represent): source offset 0"
    for name in (few, many):
        assert any(f"{name}-0: {cause}" in one for one in content["differences"]), content


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


def test_odd_times_and_names_pass_every_dag(
    connections: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    topic, names = f"{topic_prefix}times", f"{topic_prefix}names"
    # 253_402_300_800_000 is the year 10000.
    times = [2**63 - 1, 0, -1, TIME, -5, 2**63 - 1, 253_402_300_800_000, -(2**63)]
    make_topics(source_bootstrap, names)
    make_topics(source_bootstrap, topic, config={k: v for k, v in HELD_AS.items() if k != "segment.bytes"})
    for at in times:
        put(source_bootstrap, topic, batch([Record()], time=at, newest=at))
    put(source_bootstrap, names, odd_names(len(NAMES)))
    assert hashes("kafka_source", topic) == [record_hash(at, [], b"k", b"v") for at in times]

    common = {"backup": f"{topic_prefix}b", "location": LOCATION}
    wanted = [f"{topic_prefix}(times|names)"]
    for dag_id, conf in (
        ("backup_topics", {"topics": wanted}),
        ("verify_backup", {}),
        ("restore_topics", {"rename": {"(.*)": "\\1.restored"}, "source_conn_id": "kafka_source"}),
    ):
        report = DagRunByHand(dag_id, "r", **common, **conf).whole()
        assert report["verdict"] == "PASS", (dag_id, statuses(report))
    assert_named(report)
    for kind in FORMATS:
        out = {"export": f"{topic_prefix}{kind}", "location": LOCATION}
        exported = DagRunByHand("export_topics_to_s3", kind, **out, topics=wanted, format=kind).whole()
        assert exported["verdict"] == "PASS", (kind, statuses(exported))
        imported = DagRunByHand("import_topics_from_s3", kind, **out, rename={"(.*)": f"\\1.{kind}"}).whole()
        assert imported["verdict"] == "PASS", (kind, statuses(imported))
        assert_named(imported)
    # Of the first moment: a millisecond later, as docs/restore_topics.md says.
    expected = [record_hash(at or 1, [], b"k", b"v") for at in times]
    for end in ("restored", *FORMATS):
        assert hashes("kafka_target", f"{topic}.{end}") == expected, end
        assert hashes("kafka_target", f"{names}.{end}") == hashes("kafka_source", names), end


def assert_named(report: dict[str, Any]) -> None:
    """The one record whose time cannot be sent is not passed over."""
    content = next(check for check in report["checks"] if check["name"] == "content")
    assert content["status"] == "explained"
    assert "1 record of 1970-01-01 00:00:00.000 arrived as 1 ms later" in content["differences"][0]


@pytest.mark.nightly
def test_batches_that_compaction_left_empty_are_passed(
    backups: Backups,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Callable[..., Any],
    produce: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Readers hang there: kafka-python issue 1571, kafkajs issue 562, krafka issue 43."""
    topic = f"{topic_prefix}compacted"
    settings = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.001", "segment.bytes": "1048576"}
    make_topics(source_bootstrap, topic, config={**settings, "delete.retention.ms": "0", "segment.ms": "1000"})
    # An idempotent producer's last batch stays, without a record, for the sake of its sequence numbers.
    records = ({"key": b"one", "value": b"%08d" % n} for n in range(200_000))
    produce(source_bootstrap, topic, records, **{"enable.idempotence": True})
    time.sleep(2)
    produce(source_bootstrap, topic, [{"key": b"one", "value": None}], **{"enable.idempotence": True})
    time.sleep(2)
    produce(source_bootstrap, topic, [{"key": b"two", "value": b"v"}], **{"enable.idempotence": True})
    deadline = time.monotonic() + 180
    while len(found := hashes("kafka_source", topic)) > 3:
        assert time.monotonic() < deadline, len(found)
        time.sleep(2)
    print(f"{len(found)} of 200,002 records are left")
    for way in ("always", "never"):
        monkeypatch.setenv("FERRY_NATIVE", way)
        assert hashes("kafka_source", topic) == found
    monkeypatch.delenv("FERRY_NATIVE")
    whole_run(backups, "parquet", here)
    assert hashes("kafka_target", topic) == found
