"""``connector`` of an export, on a real Kafka Connect worker that has none of the others' plugins, and on files that a
writer of the tests made as a sink would: the connectors themselves cannot be had here."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

import nasty
from dags_by_hand import DagRunByHand
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.jobs.s3.connect.planning import way_back
from kafka_ferry.jobs.s3.connect.rules.vendors.aiven import Aiven
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import VENDORS
from kafka_ferry.jobs.s3.connect.vendor_export import VendorExportRun
from kafka_ferry.jobs.s3.runs import export_run
from kafka_ferry.records.content import PartitionRange
from others_files import AivenSink, ConfluentSink, Sent
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

DAG = "export_topics_to_s3"
FORMATS = {"confluent": "avro", "aiven": "jsonl", "lenses": "avro", "camel": "bytes"}


@pytest.fixture(autouse=True)
def artifacts(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, connections: None) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


def params(topic: str, prefix: str, maker: str, **more: Any) -> dict[str, Any]:
    location = "s3://ferry-backups" if maker == "camel" else f"s3://ferry-backups/{prefix}vendors"
    return {
        "topics": [topic], "export": f"{prefix}e", "transport": "connect", "connector": maker, "location": location,
        "format": FORMATS[maker], "connect_conn_id": "kafka_connect",
        "accept_losses": ["keys", "headers", "timestamps", "partitions", "order", "tombstones"], **more,
    }  # fmt: skip


@pytest.mark.parametrize("maker", VENDORS)
def test_workers_without_the_plugin_are_refused_with_the_class_and_where_it_is_had(
    maker: str, stack: Stack, topic_prefix: str, make_topics: Any
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders")
    with pytest.raises(AirflowFailException) as refused:
        DagRunByHand(DAG, "r", **params(topic, topic_prefix, maker)).whole()
    said = str(refused.value)
    assert f"the workers do not have {VENDORS[maker].classes['sink']}" in said
    assert f"Fix: unpack {VENDORS[maker].plugin['sink']} into their plugin.path and restart them" in said
    assert not [name for name in ConnectHook("kafka_connect").connectors() if name.startswith(topic_prefix)]


@pytest.mark.parametrize("maker", VENDORS)
def test_the_makers_own_source_is_asked_for_too(
    maker: str, stack: Stack, topic_prefix: str, make_topics: Any, tmp_path: Any
) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders")
    accepted = ["keys", "headers", "timestamps", "partitions", "order", "tombstones", "objects"]
    run = export_run(DAG, "r", params(topic, topic_prefix, maker, accept_losses=accepted))
    assert isinstance(run, VendorExportRun)
    told = way_back(run.carrier, run.artifacts)[-1]
    assert f"the workers do not have {VENDORS[maker].classes['source']}" in told
    assert f"Fix: unpack {VENDORS[maker].plugin['source']} into their plugin.path and restart them" in told


def test_a_worker_that_has_the_source_checks_its_config(
    stack: Stack, topic_prefix: str, make_topics: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connector that is in the worker stands for Aiven's source: its own keys are not there."""
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders")
    classes = {**Aiven.classes, "source": "org.apache.kafka.connect.mirror.MirrorCheckpointConnector"}
    monkeypatch.setattr(Aiven, "classes", classes)
    run = export_run(DAG, "r", params(topic, topic_prefix, "aiven"))
    assert isinstance(run, VendorExportRun)
    told = way_back(run.carrier, run.artifacts)[-1]
    assert "the workers of this run cannot run it: " in told
    assert "source.cluster.alias" in told


def test_losses_are_refused_before_anything_is_made(stack: Stack, topic_prefix: str, make_topics: Any) -> None:
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders")
    told = r"'accept_losses'.*timestamps: .*Fix: accept_losses with timestamps"
    with pytest.raises(AirflowFailException, match=told):
        DagRunByHand(DAG, "r", **params(topic, topic_prefix, "confluent", accept_losses=[])).whole()


@pytest.fixture
def exported(stack: Stack, topic_prefix: str, make_topics: Any, produce: Any) -> tuple[str, list[tuple[int, Sent]]]:
    """A topic of one partition, with markers of transactions, and its records by offset."""
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders")
    own = [record for record in nasty.records() if len(record["value"] or b"") < 100_000]
    produce(stack.source_bootstrap, topic, own)
    nasty.transactions(stack.source_bootstrap, topic, 1)
    produce(stack.source_bootstrap, topic, 50)
    admin = KafkaClusterHook("kafka_source").admin
    end = admin.offsets([(topic, 0)], "latest", "read_committed")[topic, 0]
    found: list[tuple[int, Sent]] = []
    with KafkaClusterHook("kafka_source").reader("read_committed") as reader:
        kept = reader.read([PartitionRange(topic, 0, 0, end)])[topic, 0].offsets.tolist()
        for (_, _, offset), one in sorted(reader.read_records({(topic, 0): kept}).items()):
            headers = tuple((name, value) for name, value in one.headers or ())
            found.append((offset, Sent(one.key, one.value, headers, one.timestamp_ms)))
    assert len(found) < end, "there are offsets without records"
    return topic, found


def runs(records: list[tuple[int, Sent]], most: int) -> list[tuple[int, list[Sent]]]:
    """Files of records without a hole between them: the writer counts offsets from the first one."""
    found: list[tuple[int, list[Sent]]] = []
    for offset, one in records:
        if found and len(found[-1][1]) < most and found[-1][0] + len(found[-1][1]) == offset:
            found[-1][1].append(one)
        else:
            found.append((offset, [one]))
    return found


def run_of(given: dict[str, Any]) -> VendorExportRun:
    run = export_run(DAG, "r", given)
    assert isinstance(run, VendorExportRun)
    run.begin()
    return run


def proven(run: VendorExportRun, topic: str) -> dict[str, Any]:
    run.verify_shard([(topic, 0)])
    return {check.name: check for check in run.judged()["checks"]}


def test_files_of_aivens_sink_are_compared_record_by_record_with_the_source(
    exported: tuple[str, list[tuple[int, Sent]]], topic_prefix: str
) -> None:
    topic, records = exported
    given = params(topic, topic_prefix, "aiven", accept_losses=["keys"])
    run = run_of(given)
    store = store_of(f"{given['location']}/{given['export']}", "aws_default")
    sink = AivenSink(
        lambda key, data: store.put(key.removeprefix("backup/").replace("/2026/", "/"), data), topic, packed=True
    )
    for offset, some in runs(records, 40):
        sink.write(0, offset, some)
    found = proven(run, topic)
    assert {name: one.status.value for name, one in found.items()} == dict.fromkeys(found, "pass"), found
    gone = sorted(entry.key for entry in store.list(""))[1]
    store.delete([gone])
    lacking = proven(run, topic)
    assert lacking["counts"].status.value == "fail"
    assert lacking["content"].status.value == "pass", "what is there is right"


def test_files_of_confluents_sink_are_counted_though_they_say_no_offsets(
    exported: tuple[str, list[tuple[int, Sent]]], topic_prefix: str
) -> None:
    topic, records = exported
    given = params(topic, topic_prefix, "confluent", format="jsonl")
    run = run_of(given)
    store = store_of(f"{given['location']}/{given['export']}", "aws_default")
    sink = ConfluentSink(store.put, topic, ".json.gz", base64=True)
    kept = [(offset, one) for offset, one in records if one.value is not None]  # behavior.on.null.values=ignore
    assert len(kept) < len(records)
    for begin in range(0, len(kept), 40):  # over markers, too
        sink.write(0, kept[begin][0], [one for _, one in kept[begin : begin + 40]])
    found = proven(run, topic)
    assert found["counts"].status.value == "pass", found["counts"]
    assert found["counts"].actual == f"{len(kept):,}"
    assert found["content"].detail == "files do not keep keys, headers, tombstones, timestamps"
    sink.write(0, kept[0][0], [one for _, one in kept[:39]])  # one record less than its place
    lacking = proven(run, topic)
    assert lacking["counts"].differences[0].endswith("has 39 of 40 records")
