"""``export_topics_to_s3`` and ``import_topics_from_s3``, task by task: between two accounts, and following."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka import Producer

import nasty
from dags_by_hand import DagRunByHand
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.s3 import continuous
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.damage import DamagedSegment
from other_account import SECRET, OtherAccount, other_account
from stack import s3
from target_watch import TargetWatch

pytestmark = pytest.mark.integration

EXPORT, IMPORT = "export_topics_to_s3", "import_topics_from_s3"
LOCATION, ELSEWHERE = "s3://ferry-backups/s3", "s3://target-bucket/near"


@pytest.fixture
def artifacts(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


@pytest.fixture
def elsewhere(monkeypatch, tmp_path) -> Iterator[OtherAccount]:
    with other_account(tmp_path / "elsewhere", "target-bucket") as account:
        monkeypatch.setenv("AIRFLOW_CONN_S3_ELSEWHERE", account.connection())
        yield account


def content(conn_id: str, topic: str, partitions: int) -> list[tuple[int, list[int]]]:
    """Hashes of all records, by partition."""
    hook = KafkaClusterHook(conn_id)
    places = [(topic, number) for number in range(partitions)]
    ends = hook.admin.offsets(places, "latest", "read_committed")
    with hook.reader("read_committed") as reader:
        found = reader.read([PartitionRange(*at, 0, ends[at]) for at in places if ends[at]])
    return sorted((number, own.hashes.tolist()) for (_, number), own in found.items())


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


def test_two_topics_reach_the_target_by_a_copy_in_another_account(
    artifacts, connections, elsewhere, stack, monkeypatch, tmp_path, topic_prefix, make_topics, produce
):
    one, two = make_topics(stack.source_bootstrap, f"{topic_prefix}source-1", f"{topic_prefix}source-2", partitions=2)
    own = [{**record, "partition": number % 2} for number, record in enumerate(nasty.records()) if len(
        record["value"] or b"") < 1000]  # fmt: skip
    produce(stack.source_bootstrap, one, own)
    produce(stack.source_bootstrap, two, 100)
    out = {"topics": [f"{topic_prefix}source-.*"], "export": f"{topic_prefix}e", "location": LOCATION}
    exported = DagRunByHand(EXPORT, "e1", **out, format="jsonl").whole()
    assert (exported["verdict"], statuses(exported)["content"]) == ("PASS", "pass")
    catalogue = Catalogue(store_of(LOCATION, "aws_default"), f"{topic_prefix}e")
    (manifest,) = catalogue.complete().values()
    assert manifest.totals.puts > manifest.totals.objects > 0

    into = {"export": f"{topic_prefix}e", "location": LOCATION, "rename": {"(.*)source-(.*)": "\\1target-\\2"},
            "copy_to": ELSEWHERE, "copy_aws_conn_id": "s3_elsewhere"}  # fmt: skip
    there = Catalogue(store_of(ELSEWHERE, "s3_elsewhere"), f"{topic_prefix}e")

    # The keys of one account are none of the other's.
    monkeypatch.setenv("AIRFLOW_CONN_S3_STRANGER", elsewhere.connection(s3.ACCESS_KEY, s3.SECRET))
    with pytest.raises(AirflowFailException, match="not allowed") as refused:
        DagRunByHand(IMPORT, "stranger", **into | {"copy_aws_conn_id": "s3_stranger"}).whole()
    assert isinstance(refused.value.__cause__, BadConnection)

    # An object that is not what was written is named, and what is there of the copy is no export.
    key = min(manifest.keys())
    good = catalogue.store.get(key)
    catalogue.store.put(key, good[:-1])
    with pytest.raises(AirflowFailException, match="SHA-256") as damaged:
        DagRunByHand(IMPORT, "damaged", **into).whole()
    assert isinstance(damaged.value.__cause__, DamagedSegment)
    assert key in str(damaged.value)
    assert there.complete() == {}
    catalogue.store.put(key, good)

    run = DagRunByHand(IMPORT, "i1", **into)
    report = run.whole()
    assert (report["verdict"], statuses(report)["content"]) == ("PASS", "pass")
    assert there.complete() == {manifest.backup_id: manifest}
    for name in (one, two):
        assert content("kafka_target", name.replace("source", "target"), 2) == content("kafka_source", name, 2)

    files = [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        text = path.read_text(errors="replace")
        assert s3.SECRET not in text, path
        assert SECRET not in text, path


@pytest.mark.nightly
def test_records_written_meanwhile_come_to_the_target_once_and_soon(
    artifacts, connections, stack, monkeypatch, topic_prefix, make_topics, produce
):
    """Both followers at work; how long a record takes is measured at the target, against the time in the record."""
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t", partitions=3)
    target, over = f"{topic}.followed", threading.Event()
    monkeypatch.setattr(continuous, "until", functools.partial(until_told, over, continuous.until))
    send(stack.source_bootstrap, topic, 300)
    common = {"export": f"{topic_prefix}e", "location": LOCATION, "follow_for": 3600, "follow_interval": 1}
    runs = (
        DagRunByHand(EXPORT, "f", **common, topics=[topic]),
        DagRunByHand(IMPORT, "f", **common, rename={"(.*)": "\\1.followed"}),
    )
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(run.whole) for run in runs]
        try:
            with TargetWatch(stack.target_bootstrap, target, 3) as watch:
                watch.wait(300, done)
                for batch in range(5):
                    send(stack.source_bootstrap, topic, 30)
                    watch.wait(300 + 30 * (batch + 1), done)
        finally:
            over.set()
    reports = [one.result() for one in done]
    assert [report["verdict"] for report in reports] == ["PASS", "PASS"]
    assert [sum(line["source_records"] for line in report["topics"]) for report in reports] == [450, 450]
    assert content("kafka_target", target, 3) == content("kafka_source", topic, 3)
    increments = runs[0].artifacts.read_lines("followed.jsonl")
    assert sum(one["records"] for one in increments) == 150
    print(f"from record to target at a look every second: {watch.told(300)}")


def until_told(over: threading.Event, real: Callable[..., Any], deadline: float, interval: float, look: Any) -> Any:
    """``until``, whose deadline has come when the test says so."""
    return real(deadline, interval, look, lambda: deadline + 1 if over.is_set() else time.time())


def send(bootstrap: str, topic: str, records: int) -> None:
    """Records with the time at which each was written."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    for number in range(records):
        producer.produce(topic, value=b"v%d" % number, key=b"k%d" % number, partition=number % 3)
    assert producer.flush(60) == 0
