"""Export and import with a connector of ours as transport, by the DAGs' own tasks on a real Kafka Connect worker."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.sdk.exceptions import AirflowFailException

import nasty
from dags_by_hand import DagRunByHand
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.jobs.s3.s3_spec import ExportSpec
from kafka_ferry.report.artifacts import WATCHED, RunArtifacts
from own_stacks import own_stack, use
from s3_connectors import Feed, content, hashes
from s3_faults import S3Faults
from stack import Stack, s3
from stack.stack import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

PARTITIONS = 9
LOCATION = "s3://ferry-backups/by-connector"
EXAMPLES = PROJECT / "include" / "examples" / "more"
TRANSPORT = {"transport": "connect", "location": LOCATION, "follow_interval": 1, "tasks_max": 3}


@pytest.fixture(scope="module")
def s3_stack() -> Iterator[Stack]:
    with own_stack("by-connector", s3_connectors=True, exactly_once=True) as stack:
        yield stack


@pytest.fixture
def kafka(s3_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    use(s3_stack, monkeypatch, tmp_path)
    yield s3_stack
    hook = ConnectHook("kafka_connect")
    for name in hook.connectors():
        hook.delete(name)


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


def example(way: str) -> dict[str, Any]:
    (file,) = EXAMPLES.glob(f"{way}_topics_*_s3.connect.json")
    return dict(json.loads(file.read_text()))


def export(run_id: str, name: str, topics: list[str], **more: Any) -> dict[str, Any]:
    """From the example's params, with this test's in place of theirs."""
    params = {**example("export"), "topics": topics, "export": name, "format": "avro", **TRANSPORT, **more}
    return DagRunByHand("export_topics_to_s3", run_id, **params).whole()


def bring(run_id: str, name: str, **more: Any) -> dict[str, Any]:
    params = {**example("import"), "topics": [], "export": name, **TRANSPORT, **more}
    return DagRunByHand("import_topics_from_s3", run_id, **params).whole()


def objects_of(name: str) -> list[str]:
    return sorted(entry.key for entry in store_of(LOCATION, "aws_default").list(f"{name}/data/"))


@pytest.mark.parametrize("kind", ["avro", "jsonl", "parquet"])
def test_two_topics_go_out_and_come_in_under_other_names(
    kafka: Stack, topic_prefix: str, make_topics: Any, produce: Any, kind: str
) -> None:
    names = {f"{topic_prefix}source-topic-{number}": f"{topic_prefix}sink-topic-{number}" for number in (1, 2)}
    one, two = make_topics(kafka.source_bootstrap, *names, partitions=PARTITIONS)
    own = [{**record, "partition": number % PARTITIONS} for number, record in enumerate(nasty.records()) if len(
        record["value"] or b"") < 900_000]  # fmt: skip
    produce(kafka.source_bootstrap, one, own)
    nasty.transactions(kafka.source_bootstrap, one, PARTITIONS)  # aborted ones, and markers at the ends
    produce(kafka.source_bootstrap, two, 900)
    there, name = content("kafka_source", names, PARTITIONS), f"{topic_prefix}e"

    report = export("e1", name, list(names), format=kind)
    assert report["verdict"] == "PASS", report
    assert statuses(report) == dict.fromkeys(("topics", "partitions", "counts", "content", "leftovers"), "pass")
    assert sum(line["source_records"] for line in report["topics"]) == sum(map(len, there.values()))
    assert ConnectHook("kafka_connect").connectors() == [], "the run takes away what it made"

    into = {"rename": {"(.*)source-(.*)": "\\1sink-\\2"}}
    report = bring("i1", name, **into)
    assert report["verdict"] == "PASS", report
    assert statuses(report)["content"] in ("pass", "explained")
    assert hashes(content("kafka_target", names.values(), PARTITIONS)) == hashes(there, names)
    assert ConnectHook("kafka_connect").connectors() == []

    # A second run of each goes on where the first one ended, with connectors that are made again.
    produce(kafka.source_bootstrap, two, 450)
    there = content("kafka_source", names, PARTITIONS)
    before = objects_of(name)
    report = export("e2", name, list(names), format=kind)
    assert report["verdict"] == "PASS"
    assert sum(line["source_records"] for line in report["topics"]) == 450
    assert set(before) < set(objects_of(name))
    assert bring("i2", name, **into)["verdict"] == "PASS"
    assert hashes(content("kafka_target", names.values(), PARTITIONS)) == hashes(there, names)
    # And one that finds nothing new says PASS, too.
    assert export("e3", name, list(names), format=kind)["verdict"] == bring("i3", name, **into)["verdict"] == "PASS"
    assert hashes(content("kafka_target", names.values(), PARTITIONS)) == hashes(there, names)
    # What a connector has exported the engine imports.
    copies = {source: source.replace("source-", "engine-") for source in names}
    report = bring("i4", name, transport="engine", rename={"(.*)source-(.*)": "\\1engine-\\2"})
    assert report["verdict"] == "PASS"
    assert hashes(content("kafka_target", copies.values(), PARTITIONS)) == hashes(there, copies)


def test_a_position_that_was_forgotten_is_found_by_what_is_proven(
    kafka: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, target, name = f"{topic_prefix}orders", f"{topic_prefix}copied", f"{topic_prefix}e"
    make_topics(kafka.source_bootstrap, topic, partitions=3)
    produce(kafka.source_bootstrap, topic, 300)
    into = {"rename": {topic: target}, "connector_afterwards": "forget"}
    assert export("e1", name, [topic])["verdict"] == "PASS"
    assert bring("i1", name, **into)["verdict"] == "PASS"
    produce(kafka.source_bootstrap, topic, 90)
    assert export("e2", name, [topic], connector_afterwards="pause")["verdict"] == "PASS"
    (kept,) = ConnectHook("kafka_connect").connectors()
    assert ConnectHook("kafka_connect").status(kept).state.value == "PAUSED"
    assert bring("i2", name, **into)["verdict"] == "PASS"
    there = content("kafka_source", [topic], 3)
    assert hashes(content("kafka_target", [target], 3)) == hashes(there, {topic: target}), "nothing is there twice"
    # The paused sink is adopted.
    produce(kafka.source_bootstrap, topic, 30)
    assert export("e3", name, [topic])["verdict"] == "PASS"
    assert ConnectHook("kafka_connect").connectors() == []


def test_a_sink_that_runs_and_writes_nothing_fails_the_run_and_says_so(
    kafka: Stack, topic_prefix: str, make_topics: Any, produce: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says RUNNING all the while: a stalled request is bounded by minutes, the run by its own param."""
    topic, name = f"{topic_prefix}orders", f"{topic_prefix}e"
    make_topics(kafka.source_bootstrap, topic, partitions=3)
    produce(kafka.source_bootstrap, topic, 300)
    with S3Faults(kafka.s3.url) as faults:
        aws = json.loads(kafka.variables()["AIRFLOW_CONN_AWS_DEFAULT"])
        aws["extra"]["service_config"]["s3"]["endpoint_url"] = faults.url
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(aws))
        faults.fault = lambda method, path: "stall" if method == "PUT" and "/data/" in path else None
        with pytest.raises(AirflowFailException, match="nothing was copied for no_progress_timeout, 10 s"):
            export("e1", name, [topic], no_progress_timeout=10)
        faults.fault = lambda method, path: 403 if method == "PUT" and "/data/" in path else None
        with pytest.raises(AirflowFailException, match=r"(?s)is FAILED.*cannot write"):
            export("e2", name, [topic], no_progress_timeout=60)
        assert ConnectHook("kafka_connect").connectors() == [], "the teardown ran after the failures"
        faults.fault = lambda method, path: None
        assert export("e3", name, [topic])["verdict"] == "PASS"


def test_what_cannot_work_is_refused_by_the_plan(
    kafka: Stack, topic_prefix: str, make_topics: Any, produce: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, name = f"{topic_prefix}orders", f"{topic_prefix}e"
    make_topics(kafka.source_bootstrap, topic)
    produce(kafka.source_bootstrap, topic, 30)
    engine = {"transport": "engine", "format": "parquet"}
    assert export("e1", name, [topic], **engine)["verdict"] == "PASS"
    with pytest.raises(AirflowFailException, match="has exports that our S3 sink did not write"):
        export("e2", name, [topic])
    # But the source reads what the engine wrote, as Parquet too.
    assert bring("i1", name, rename={topic: f"{topic}.copied"})["verdict"] == "PASS"
    assert hashes(content("kafka_target", [f"{topic}.copied"], 1)) == hashes(
        content("kafka_source", [topic], 1), {topic: f"{topic}.copied"}
    )
    run = DagRunByHand("export_topics_to_s3", "e3", topics=[topic], export=f"{name}2", format="avro", dry_run=True,
                       **TRANSPORT)  # fmt: skip
    run.whole()
    plan = run.artifacts.read_json("plan.json") or {}
    (config,) = plan["engine"]["connectors"].values()
    assert config["topics"] == topic
    assert s3.SECRET not in json.dumps(plan)
    assert config["aws.secret.access.key"].startswith("${file:")
    assert [change["action"] for change in plan["changes"]] == ["create"]
    assert requests.get(f"{kafka.connect_url}/connectors", timeout=60).json() == []


def test_what_is_written_to_source_topic_1_is_in_sink_topic_1_within_a_minute(
    kafka: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    """The demonstration of the recipe, with the DAGs' own intervals. It prints (``-s``) how long each record takes.

    Each is written at a moment that has nothing to do with when the connectors look.
    """
    topic, target, name = f"{topic_prefix}source-topic-1", f"{topic_prefix}sink-topic-1", f"{topic_prefix}e"
    make_topics(kafka.source_bootstrap, topic, partitions=PARTITIONS)
    produce(kafka.source_bootstrap, topic, 90)
    own = {"follow_interval": ExportSpec.model_fields["follow_interval"].default, "connector_afterwards": "run"}
    assert export("e1", name, [topic], **own)["verdict"] == "PASS"
    assert bring("i1", name, rename={topic: target}, **own)["verdict"] == "PASS"
    took, moments = [], random.Random(1)
    for number in range(8):
        time.sleep(moments.uniform(0, own["follow_interval"]))
        there = hashes(content("kafka_target", [target], PARTITIONS))
        began = time.monotonic()
        produce(kafka.source_bootstrap, topic, [{"value": b"seen %d" % number, "partition": number}])
        while hashes(content("kafka_target", [target], PARTITIONS)) == there:
            assert time.monotonic() < began + 60
            time.sleep(0.2)
        took.append(time.monotonic() - began)
    print(f"from source-topic-1 to sink-topic-1, eight records at odd moments: {', '.join(f'{s:.1f}' for s in took)} s")
    names = {topic: target}
    assert hashes(content("kafka_source", [topic], PARTITIONS), names) == hashes(
        content("kafka_target", [target], PARTITIONS)
    )


def test_both_go_on_while_records_come_and_are_watched(
    kafka: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, target, name = f"{topic_prefix}orders", f"{topic_prefix}copied", f"{topic_prefix}e"
    make_topics(kafka.source_bootstrap, topic, partitions=3)
    produce(kafka.source_bootstrap, topic, 300)
    going = {"connector_afterwards": "run"}
    with Feed(kafka, topic, 3, 24):  # beyond the time until it follows
        report = export("e1", name, [topic], **going, follow_for=30)
    assert report["verdict"] == "PASS", report
    assert statuses(report)["leftovers"] == "skipped"
    looks = RunArtifacts("export_topics_to_s3", "e1").read_lines(WATCHED)
    assert len(looks) >= 8
    assert max(line["behind"] for line in looks) > 0
    assert all(0 <= line["seconds"] < 30 for line in looks)
    assert sum(line["source_records"] for line in report["topics"]) == sum(
        map(len, content("kafka_source", [topic], 3).values())
    )
    with Feed(kafka, topic, 3, 8):
        report = bring("i1", name, rename={topic: target}, **going, follow_for=12)
    assert report["verdict"] == "PASS", report
    assert sum(line["target_records"] for line in report["topics"]) > 300
    looks = RunArtifacts("import_topics_from_s3", "i1").read_lines(WATCHED)  # a quick source is never seen behind
    assert max(line["seconds"] for line in looks) > 0
    assert min(line["behind"] for line in looks) == 0
    assert all(0 <= line["seconds"] < 30 for line in looks)
    assert len(ConnectHook("kafka_connect").connectors()) == 2
    # Without a run they go on, too.
    produce(kafka.source_bootstrap, topic, 60)
    there = hashes(content("kafka_source", [topic], 3), {topic: target})
    until = time.monotonic() + 60
    while hashes(content("kafka_target", [target], 3)) != there:
        assert time.monotonic() < until
        time.sleep(0.5)
    # A run that ends them finds them where they are.
    assert export("e2", name, [topic])["verdict"] == "PASS"
    assert bring("i2", name, rename={topic: target})["verdict"] == "PASS"
    assert ConnectHook("kafka_connect").connectors() == []
    assert hashes(content("kafka_target", [target], 3)) == there
