"""``import_files_from_s3``, task by task, on files that a writer of the tests made as sink connectors do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient

import kafka_ferry
from dags_by_hand import DagRunByHand
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.jobs.s3.files.files_job import FilesJob
from kafka_ferry.jobs.s3.files.store.files_run import FilesRun
from others_files import AivenSink, ConfluentSink, LensesSink, Sent, hard, plain
from stack import Stack

pytestmark = pytest.mark.integration

DAG = "import_files_from_s3"


@pytest.fixture(autouse=True)
def artifacts(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


@pytest.fixture
def location(connections, topic_prefix) -> str:
    return f"s3://ferry-backups/others/{topic_prefix}"


@pytest.fixture
def put(location) -> Callable[[str, bytes], None]:
    return store_of(location, "aws_default").put


def read(bootstrap: str, topic: str, partitions: int) -> dict[int, list[Any]]:
    """Key, value, headers, timestamp of all records, by a client that is none of ours."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "look", "auto.offset.reset": "earliest",
                "enable.partition.eof": True}  # fmt: skip
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    found: dict[int, list[Any]] = {number: [] for number in range(partitions)}
    ended: set[int] = set()
    while len(ended) < partitions:
        for message in consumer.consume(500, 1):
            if error := message.error():
                assert error.code() == KafkaError._PARTITION_EOF, error
                ended.add(message.partition())
            else:
                one = message.key(), message.value(), tuple(message.headers() or ()), message.timestamp()[1]
                found[message.partition()].append(one)
    consumer.close()
    return found


def of(records: list[Sent], keys: bool = True, headers: bool = True) -> list[Any]:
    return [(one.key if keys else None, one.value, one.headers if headers else ()) for one in records]


def untimed(found: list[Any]) -> list[Any]:
    return [one[:3] for one in found]


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(".json", marks=pytest.mark.nightly),
        ".json.gz",
        pytest.param(".avro", marks=pytest.mark.nightly),
        ".snappy.parquet",
    ],
)
def test_files_of_confluents_sink_become_topics(location, put, stack, topic_prefix, ending):
    """Nine partitions, one without records; keys and headers beside the values; renamed."""
    topic, records = f"{topic_prefix}orders", {number: [plain(at) for at in range(300)] for number in range(8)}
    sink = ConfluentSink(put, topic, ending, keys=True, headers=True)
    for number, own in records.items():
        for begin in range(0, 300, 100):
            sink.write(number, begin, own[begin : begin + 100])
    put(f"{topic}/_SUCCESS", b"")
    params = {
        "layout": "confluent", "location": location, "rename": {"(.*)orders": "\\1back"}, "partitions": {topic: 9},
        "accept_losses": ["timestamps", "bytes"],
    }  # fmt: skip
    report = DagRunByHand(DAG, "r1", **params).whole()
    assert report["verdict"] == "PASS", report
    assert statuses(report) == {
        "topics": "pass", "partitions": "pass", "counts": "pass", "content": "pass", "losses": "explained",
        "gaps": "pass", "others": "explained",
    }  # fmt: skip
    found = read(stack.target_bootstrap, f"{topic_prefix}back", 9)
    made = KafkaClusterHook("kafka_target").admin.topics([f"{topic_prefix}back"])[f"{topic_prefix}back"]
    assert (made.configs["retention.ms"], made.partitions) == ("-1", 9), "years-old records are not deleted at the end"
    assert {number: untimed(own) for number, own in found.items()} == {
        **{number: of(own) for number, own in records.items()}, 8: [],
    }  # fmt: skip

    # A second run, and one after more files: nothing twice.
    for number in range(8):
        sink.write(number, 300, own := [plain(at) for at in range(300, 350)])
        records[number] += own
    again = DagRunByHand(DAG, "r2", **params).whole()
    assert again["verdict"] == "PASS", again
    assert sum(line["target_records"] for line in again["topics"]) == 400
    third = DagRunByHand(DAG, "r3", **params).whole()
    assert third["verdict"] == "PASS", third
    found = read(stack.target_bootstrap, f"{topic_prefix}back", 9)
    assert [untimed(found[number]) for number in range(8)] == [of(records[number]) for number in range(8)]


def test_what_files_lack_is_told_before_anything_is_written(location, put, stack, topic_prefix):
    topic = f"{topic_prefix}orders"
    ConfluentSink(put, topic).write(0, 0, [plain(at) for at in range(10)])
    params = {"layout": "confluent", "location": location}
    with pytest.raises(AirflowFailException, match="accept_losses with keys, headers, timestamps, bytes"):
        DagRunByHand(DAG, "r1", **params).whole()
    hook = KafkaClusterHook("kafka_target")
    assert hook.admin.topics([topic]) == {}
    report = DagRunByHand(DAG, "r2", **params, accept_losses=["keys", "headers", "timestamps", "bytes"]).whole()
    assert report["verdict"] == "PASS"
    assert untimed(read(stack.target_bootstrap, topic, 1)[0]) == of([plain(at) for at in range(10)], False, False)


def test_some_files_without_keys_and_topics_with_other_numbers_of_partitions(
    location, put, stack, topic_prefix, make_topics
):
    """``store.kafka.keys`` was set later; a topic with more partitions than the names tell of is right, one with fewer
    is not."""
    topic, accepted = f"{topic_prefix}orders", ["headers", "timestamps", "bytes"]
    ConfluentSink(put, topic).write(1, 0, [plain(at) for at in range(10)])
    ConfluentSink(put, topic, keys=True).write(1, 10, [plain(at) for at in range(10, 20)])
    params = {"layout": "confluent", "location": location, "topics": [topic]}
    with pytest.raises(AirflowFailException, match=r"keys: there are no keys: .* \(in 1 of 2 files\)"):
        DagRunByHand(DAG, "r1", **params, accept_losses=accepted, dry_run=True).whole()
    few, more = make_topics(stack.target_bootstrap, f"{topic}.few", partitions=1), f"{topic}.more"
    make_topics(stack.target_bootstrap, more, partitions=3)
    admin = KafkaClusterHook("kafka_target").admin
    admin.set_configs({more: {"retention.ms": "86400000"}})
    params["accept_losses"] = [*accepted, "keys"]
    with pytest.raises(AirflowFailException, match=r"has 1 partition\(s\), the files have 2"):
        DagRunByHand(DAG, "r2", **params, rename={topic: few[0]}).whole()
    run = DagRunByHand(DAG, "r3", **params, rename={topic: more})
    assert run.whole()["verdict"] == "PASS"
    told = [one for one in (run.artifacts.read_json("plan.json") or {})["findings"] if one["code"] == "retention"]
    assert [(one["severity"], one["subject"]) for one in told] == [("warn", f"topic {more}")]
    assert admin.topics([more])[more].configs["retention.ms"] == "86400000", "put back"
    found = read(stack.target_bootstrap, more, 3)
    assert [one[0] for one in found[1]] == [None] * 10 + [plain(at).key for at in range(10, 20)]
    assert (found[0], found[2]) == ([], [])


def test_what_aivens_sink_wrote_comes_back_whole(location, put, stack, topic_prefix):
    """Binary, null and empty everything, times of their own; a tail that was written again after a restart."""
    topic, records = f"{topic_prefix}orders", [hard(at) for at in range(400)]
    sink = AivenSink(put, topic, packed=True)
    for number in range(2):
        sink.write(number, 1000, records[:150])
        sink.write(number, 1150, records[150:300])
        sink.write(number, 1250, records[250:])
    params = {
        "layout": "aiven", "location": location, "file_name_template": f"{sink.template}.jsonl.gz",
        "key_format": "base64", "value_format": "base64", "header_format": "base64",
    }  # fmt: skip
    report = DagRunByHand(DAG, "r1", **params).whole()
    assert report["verdict"] == "PASS", report
    assert {name for name, status in statuses(report).items() if status != "pass"} == set()
    assert "100 records that two files have" in find(report, "gaps")["detail"]
    expected = [(one.key, one.value, one.headers, one.timestamp) for one in records]
    assert read(stack.target_bootstrap, topic, 2) == {0: expected, 1: expected}


@pytest.mark.parametrize("kind", ["json", pytest.param("avro", marks=pytest.mark.nightly)])
def test_what_lenses_sink_wrote_comes_back(location, put, stack, topic_prefix, kind):
    topic = f"{topic_prefix}orders"
    records = [replace(hard(at), headers=(("a", b"1"), ("b", b"x"))) for at in range(300)]
    sink = LensesSink(put, topic, kind)
    sink.write(0, 0, records[:200])
    sink.write(0, 200, records[200:])
    params = {"layout": "lenses", "location": location}
    with pytest.raises(AirflowFailException, match="accept_losses with headers"):
        DagRunByHand(DAG, "r1", **params).whole()
    report = DagRunByHand(DAG, "r2", **params, accept_losses=["headers"]).whole()
    assert report["verdict"] == "PASS", report
    expected = [(one.key, one.value, one.headers, one.timestamp) for one in records]
    assert read(stack.target_bootstrap, topic, 1) == {0: expected}


LOST = ["keys", "headers", "timestamps", "bytes"]


def lines(records: list[Sent]) -> list[bytes | None]:
    return [one.value for one in records]


def values(stack: Stack, topic: str) -> list[bytes | None]:
    return [one[1] for one in read(stack.target_bootstrap, topic, 1)[0]]


def find(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(check for check in report["checks"] if check["name"] == name)


def test_gaps_and_files_written_twice_are_named(location, put, stack, topic_prefix):
    """The sink was restarted: it began again at its last commit and cut its files elsewhere. A transaction's marker, or
    a file that is gone, leaves offsets out."""
    topic, records = f"{topic_prefix}orders", [plain(at) for at in range(100)]
    sink = ConfluentSink(put, topic)
    sink.write(0, 0, records[:40])
    sink.write(0, 40, records[40:60])
    sink.write(0, 30, records[30:80])
    sink.write(0, 85, records[80:])
    params = {"layout": "confluent", "location": location, "accept_losses": LOST}
    with pytest.raises(AirflowFailException, match=r"gaps: offsets are missing.*offsets 80 to 84.*accept_losses with"):
        DagRunByHand(DAG, "r1", **params).whole()
    assert KafkaClusterHook("kafka_target").admin.topics([topic]) == {}, "nothing was made"
    report = DagRunByHand(DAG, "r2", **params | {"accept_losses": [*LOST, "gaps"]}).whole()
    assert report["verdict"] == "PASS"
    assert values(stack, topic) == lines(records)
    gaps = find(report, "gaps")
    assert (gaps["status"], gaps["actual"], gaps["differences"]) == (
        "explained", "5 offsets missing", [f"{topic}-0: offsets 80 to 84"],
    )  # fmt: skip
    assert "30 records that two files have were taken once" in gaps["detail"]


@pytest.mark.nightly
def test_files_of_a_time_based_partitioner_and_tombstones(location, put, stack, topic_prefix):
    """Late records leave two files open at once; records without a value are in a folder of their own, as keys."""
    topic, records = f"{topic_prefix}orders", [plain(at) for at in range(30)]
    early = ConfluentSink(put, topic, folder="year=2024/month=01/day=01/hour=00")
    late = ConfluentSink(put, topic, folder="year=2024/month=01/day=01/hour=01")
    early.write(0, 0, [*records[:9], records[10]])
    late.write(0, 9, [records[9], *records[11:30]])
    put(f"{topic}/tombstone/{topic}+0+0000000030.keys.json", b'"key-1"\n')
    params = {"layout": "confluent", "location": location}
    with pytest.raises(AirflowFailException, match=r"tombstones: .*tombstone/.*accept_losses with .*tombstones"):
        DagRunByHand(DAG, "r1", **params, accept_losses=LOST).whole()
    with pytest.raises(AirflowFailException, match=r"order: files overlap .* begins at offset 9, before 30"):
        DagRunByHand(DAG, "r2", **params, accept_losses=[*LOST, "tombstones"]).whole()
    report = DagRunByHand(DAG, "r3", **params, accept_losses=[*LOST, "tombstones", "order"]).whole()
    assert report["verdict"] == "PASS"
    assert values(stack, topic) == lines([*records[:9], records[10], records[9], *records[11:]])


def test_a_file_that_is_damaged_or_changes_is_named_and_nothing_is_written(
    location, put, stack, topic_prefix, monkeypatch
):
    topic, records = f"{topic_prefix}orders", [plain(at) for at in range(20)]
    sink = ConfluentSink(put, topic, ".json.gz")
    sink.write(0, 0, records[:10])
    key = sink.write(0, 10, records[10:])
    params = {"layout": "confluent", "location": location, "accept_losses": LOST}
    put(key, sink.values(records[10:])[:-5])
    with pytest.raises(AirflowFailException, match=rf"{re.escape(key)}: cannot be read as json: EOFError"):
        DagRunByHand(DAG, "r1", **params).whole()
    admin = KafkaClusterHook("kafka_target").admin
    assert admin.topics([topic]) == {}

    # Between the two readings.
    put(key, sink.values(records[10:]))
    made = FilesRun.prepare

    def changing(files_run: FilesRun) -> list[str]:
        put(key, sink.values([*records[11:], records[10]]))
        return made(files_run)

    monkeypatch.setattr(FilesRun, "prepare", changing)
    with pytest.raises(AirflowFailException, match="its content is not what this run read first"):
        DagRunByHand(DAG, "r2", **params).whole()
    there = values(stack, topic)
    assert there == lines(records[: len(there)])
    assert len(there) <= 10, "nothing of it is there, or of what comes behind it"
    assert admin.topics([topic])[topic].configs["retention.ms"] == "-1", "the hold has ended"


@pytest.mark.nightly  # so many records that it is still at work when it is looked at
def test_a_killed_import_repeats_nothing(location, put, stack, topic_prefix):
    """The process that writes is killed with -9 in the midst of it; the run is cleared, and another one follows."""
    topic, count = f"{topic_prefix}orders", 300_000
    records = [plain(at) for at in range(count)]
    sink = ConfluentSink(put, topic, ".json.gz", keys=True)
    for begin in range(0, count, 10_000):
        sink.write(0, begin, records[begin : begin + 10_000])
    params = {"layout": "confluent", "location": location, "accept_losses": ["headers", "timestamps", "bytes"]}
    run = DagRunByHand(DAG, "r1", **params)
    for task in ("plan", "shards", "read", "provision_topics"):
        run.xcoms[task] = run._execute(run.dag.task_dict[task])
    job = FilesJob(run._context("import"))
    (one,) = job.files_run(job.read()).ranges()
    order = {"kind": "restore", "config": dict(job.cluster.extra), "store": job.order,
             "formats": asdict(job.spec.formats), "ranges": [one.to_json()]}  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(Path(kafka_ferry.__file__).parents[1])}
    command = [sys.executable, "-m", "kafka_ferry.jobs.s3.files.process"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)
    assert child.stdin is not None
    child.stdin.write(json.dumps(order).encode() + b"\n")
    child.stdin.flush()
    deadline = time.monotonic() + 60
    while (there := job.cluster.admin.offsets([one.at], "latest", "read_uncommitted")[one.at]) < 5_000:
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    child.stdin.close()
    there = job.cluster.admin.offsets([one.at], "latest", "read_uncommitted")[one.at]
    assert 5_000 <= there < count, "killed in the midst of it"

    report = DagRunByHand(DAG, "r1", **params).whole()
    assert (report["verdict"], report["topics"][0]["target_records"]) == ("PASS", count)
    assert [one[:2] for one in read(stack.target_bootstrap, topic, 1)[0]] == [(one.key, one.value) for one in records]
    report = DagRunByHand(DAG, "r2", **params).whole()
    assert (report["verdict"], report["topics"][0]["target_records"]) == ("PASS", 0), "verified by the run before"
    assert len(values(stack, topic)) == count


def test_later_runs_go_on_where_the_last_one_ended(location, put, stack, topic_prefix, make_topics, produce):
    """Retention has deleted from the target, a lifecycle from the bucket; a file that comes in before that place is
    refused, as is a target with records of others."""
    topic, records = f"{topic_prefix}orders", [plain(at) for at in range(60)]
    sink = ConfluentSink(put, topic)
    for begin in (0, 10, 20):
        sink.write(0, begin, records[begin : begin + 10])
    params = {"layout": "confluent", "location": location, "accept_losses": [*LOST, "gaps"]}
    assert DagRunByHand(DAG, "r1", **params).whole()["verdict"] == "PASS"
    admin = AdminClient({"bootstrap.servers": stack.target_bootstrap})
    for future in admin.delete_records([TopicPartition(topic, 0, 25)]).values():
        future.result(30)
    store_of(location, "aws_default").delete([sink.name(0, 0)])
    sink.write(0, 30, records[30:50])
    report = DagRunByHand(DAG, "r2", **params).whole()
    assert (report["verdict"], report["topics"][0]["target_records"]) == ("PASS", 20)
    assert values(stack, topic) == lines(records[25:50])

    sink.write(0, 5, records[5:10])
    with pytest.raises(
        AirflowFailException, match=r"below offset 50 the files have 45 .* were added or replaced there"
    ):
        DagRunByHand(DAG, "r3", **params).whole()
    assert values(stack, topic) == lines(records[25:50])

    ConfluentSink(put, f"{topic}.2").write(0, 0, records[:5])
    make_topics(stack.target_bootstrap, f"{topic}.2", partitions=1)
    produce(stack.target_bootstrap, f"{topic}.2", 1)
    with pytest.raises(AirflowFailException, match="holds records that are not from"):
        DagRunByHand(DAG, "r4", **params | {"topics": [f"{topic}.2"]}).whole()
