"""Export and import by our connectors on MSK Connect, by the DAGs' own tasks: a double with real workers behind it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

import nasty
from dags_by_hand import DagRunByHand
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.offsets_topic import OffsetsTopic
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from own_stacks import own_stack, use
from s3_connectors import Feed, content, hashes
from stack import Stack, jars, plugins, s3
from stack.java import find_java
from stack.msk import CLUSTER
from stack.msk_double import BUCKET, ROLE
from stack.stack import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(900)]

PARTITIONS = 9
EXAMPLES = PROJECT / "include" / "examples" / "more"
ENTRIES = {"export": "export_topics_to_s3", "import": "import_topics_from_s3"}


@pytest.fixture(scope="module")
def msk_stack() -> Iterator[Stack]:
    """Its workers are of MSK Connect's own version."""
    with own_stack("s3-on-msk", msk=True, connect="3.7.2") as stack:
        yield stack


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the ZIP that ``make plugins`` makes."""
    built = plugins.build_s3(jars.cache_folder(PROJECT), find_java(print), print)
    folder = tmp_path_factory.mktemp("plugin")
    with zipfile.ZipFile(folder / plugins.S3_ZIP, "w") as made:
        for path in sorted(built.rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to(built))
    return folder


class Msk:
    """Runs of both DAGs, and what is left on MSK Connect and on both clusters."""

    def __init__(self, stack: Stack, plugin: Path) -> None:
        self.stack = stack
        self.here = {"service_execution_role_arn": ROLE, "plugin_bucket": BUCKET, "plugin_folder": str(plugin),
                     "log_group": "/ferry", "follow_interval": 1, "running_timeout": 300}  # fmt: skip

    def run(self, kind: str, run_id: str, name: str, **more: Any) -> dict[str, Any]:
        return self.by_hand(kind, run_id, name, **more).whole()

    def by_hand(self, kind: str, run_id: str, name: str, **more: Any) -> DagRunByHand:
        example = json.loads((EXAMPLES / f"{ENTRIES[kind]}.msk_connect.json").read_text())
        cluster: dict[str, Any] = {"cluster_arn": CLUSTER}
        if kind == "export":  # the double knows the target alone by an ARN
            brokers = self.stack.source_bootstrap
            cluster = {"cluster_arn": None, "bootstrap": brokers, "subnets": ["subnet-0a"], "encryption": "PLAINTEXT"}
        return DagRunByHand(ENTRIES[kind], run_id, **{**example, "export": name, **self.here, **cluster, **more})

    def connectors(self) -> list[str]:
        return [one["connectorName"] for one in MskConnectHook().pages("list_connectors", "connectors")]

    def left(self, export: str) -> list[str]:
        """Of whatever was made for an export on MSK Connect and in its bucket, and topics of its workers."""
        hook = MskConnectHook()
        found = self.connectors()
        found += [one["name"] for one in hook.pages("list_custom_plugins", "customPlugins")]
        found += [one["name"] for one in hook.pages("list_worker_configurations", "workerConfigurations")]
        found += [path.name for path in (self.stack.folder / "data" / "s3" / BUCKET).iterdir()]
        for conn_id in ("kafka_source", "kafka_target"):
            names = KafkaClusterHook(conn_id).admin.topic_names()
            found += [name for name in names if name.startswith("__amazon_msk_connect_")]
        return [name for name in found if export in name]

    def forget(self) -> None:
        hook = MskConnectHook()
        for name in self.connectors():
            if found := hook.find_connector(name):
                hook.delete_connector(found.arn)
                hook.wait("connector_deleted", 0.5, 120, connectorArn=found.arn)


@pytest.fixture
def msk(msk_stack: Stack, plugin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Msk]:
    use(msk_stack, monkeypatch, tmp_path)
    made = Msk(msk_stack, plugin)
    yield made
    msk_stack.msk.plan(override_policy="All")
    made.forget()


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


def kept(export: str) -> list[dict[str, Any]]:
    """Offsets that outlive a source connector."""
    target = KafkaClusterHook("kafka_target")
    (topic,) = [name for name in target.admin.topic_names() if export in name and name.endswith(".kept")]
    connector = topic.removeprefix("__amazon_msk_connect_offsets_").removesuffix(".kept")
    return OffsetsTopic(target, topic, connector).entries()


@pytest.mark.parametrize("kind", ["avro", "jsonl"])
def test_two_topics_go_out_and_come_in_under_other_names(
    msk: Msk, topic_prefix: str, make_topics: Any, produce: Any, kind: str
) -> None:
    """From the params of the examples, with this test's topics in place of theirs."""
    source = msk.stack.source_bootstrap
    names = {f"{topic_prefix}source-topic-{number}": f"{topic_prefix}sink-topic-{number}" for number in (1, 2)}
    one, two = make_topics(source, *names, partitions=PARTITIONS)
    own = [{**record, "partition": number % PARTITIONS} for number, record in enumerate(nasty.records()) if len(
        record["value"] or b"") < 900_000]  # fmt: skip
    produce(source, one, own)
    nasty.transactions(source, one, PARTITIONS)  # aborted ones, and markers at the ends
    produce(source, two, 900)
    there, name = content("kafka_source", names, PARTITIONS), f"{topic_prefix}e"
    out: dict[str, Any] = {"topics": list(names), "format": kind}
    into: dict[str, Any] = {"topics": list(names), "rename": {"(.*)source-(.*)": "\\1sink-\\2"}}

    report = msk.run("export", f"e1{kind}", name, **out)
    assert report["verdict"] == "PASS", report
    passed = dict.fromkeys(("topics", "partitions", "counts", "content", "leftovers", "service_role"), "pass")
    assert statuses(report) == passed
    assert report["words"]["engine"] == "Kafka Ferry's S3 connector, on Amazon MSK Connect"
    assert sum(line["source_records"] for line in report["topics"]) == sum(map(len, there.values()))
    assert msk.left(name) == [], "the run takes away what it made"

    report = msk.run("import", f"i1{kind}", name, **into)
    assert report["verdict"] == "PASS", report
    assert statuses(report)["leftovers"] == "pass"
    assert hashes(content("kafka_target", names.values(), PARTITIONS)) == hashes(there, names)
    (topic,) = msk.left(name)
    assert topic.endswith(".kept"), "the position stays, and nothing else"

    # A second run of each goes on where the first one ended, with connectors that are made again.
    produce(source, two, 450)
    there = content("kafka_source", names, PARTITIONS)
    report = msk.run("export", f"e2{kind}", name, **out)
    assert report["verdict"] == "PASS", report
    assert sum(line["source_records"] for line in report["topics"]) == 450
    assert msk.run("import", f"i2{kind}", name, **into, connector_afterwards="forget")["verdict"] == "PASS"
    assert hashes(content("kafka_target", names.values(), PARTITIONS)) == hashes(there, names)
    assert msk.left(name) == []


def test_what_another_way_has_imported_is_not_repeated(
    msk: Msk, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    """The connector, which is kept paused meanwhile, is told of it, by the very keys that its worker uses."""
    topic, target, name = f"{topic_prefix}orders", f"{topic_prefix}copied", f"{topic_prefix}e"
    make_topics(msk.stack.source_bootstrap, topic, partitions=3)
    into: dict[str, Any] = {"topics": [topic], "rename": {topic: target}}
    for number, ways in enumerate((("msk_connect", "pause"), ("engine", "remove"), ("msk_connect", "remove"))):
        produce(msk.stack.source_bootstrap, topic, 300)
        stays = {"connector_afterwards": "pause" if number < 2 else "remove"}
        report = msk.run("export", f"e{number}", name, topics=[topic], **stays)
        assert report["verdict"] == "PASS", report
        way, afterwards = ways
        report = msk.run("import", f"i{number}", name, **into, transport=way, connector_afterwards=afterwards)
        assert report["verdict"] == "PASS", report
        there = content("kafka_source", [topic], 3)
        assert hashes(content("kafka_target", [target], 3)) == hashes(there, {topic: target}), "nothing is there twice"
    assert len(kept(name)) == 3, "one position a partition: ours and the worker's are one key"
    assert msk.connectors() == []


def test_a_worker_that_refuses_the_override_ends_the_run_with_the_cure(
    msk: Msk, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, name = f"{topic_prefix}orders", f"{topic_prefix}e"
    make_topics(msk.stack.source_bootstrap, topic, partitions=3)
    produce(msk.stack.source_bootstrap, topic, 300)
    msk.stack.msk.plan(override_policy="None")
    words = r"(?s)is FAILED.*InvalidConnectorConfiguration.*Fix: isolation_level: read_uncommitted"
    with pytest.raises(AirflowFailException, match=words):
        msk.run("export", "e1", name, topics=[topic])
    assert msk.left(name) == [], "the teardown ran after the failure"
    report = msk.run("export", "e2", name, topics=[topic], isolation_level="read_uncommitted")
    assert report["verdict"] == "PASS", report
    assert sum(line["source_records"] for line in report["topics"]) == 300
    assert msk.left(name) == []


def test_both_go_on_while_records_come_and_are_watched(
    msk: Msk, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, target, name = f"{topic_prefix}orders", f"{topic_prefix}copied", f"{topic_prefix}e"
    make_topics(msk.stack.source_bootstrap, topic, partitions=3)
    produce(msk.stack.source_bootstrap, topic, 300)
    going: dict[str, Any] = {"topics": [topic], "follow_for": 60, "connector_afterwards": "run"}
    with Feed(msk.stack, topic, 3, 45):
        report = msk.run("export", "e1", name, **going)
    assert report["verdict"] == "PASS", report
    assert statuses(report)["leftovers"] == "skipped"
    assert sum(line["source_records"] for line in report["topics"]) > 300
    into: dict[str, Any] = {**going, "rename": {topic: target}}
    with Feed(msk.stack, topic, 3, 45):
        report = msk.run("import", "i1", name, **into)
    assert report["verdict"] == "PASS", report
    assert len(msk.connectors()) == 2, "without a run they go on"
    # A run that ends them finds them where they are.
    last = {"follow_for": 0, "connector_afterwards": "forget"}
    assert msk.run("export", "e2", name, **{**going, **last})["verdict"] == "PASS"
    assert msk.run("import", "i2", name, **{**into, **last})["verdict"] == "PASS"
    there = content("kafka_source", [topic], 3)
    assert hashes(content("kafka_target", [target], 3)) == hashes(there, {topic: target})
    assert msk.left(name) == []


def test_a_plan_tells_what_would_be_made_and_a_failure_what_msk_connect_says(
    msk: Msk, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, name = f"{topic_prefix}orders", f"{topic_prefix}e"
    make_topics(msk.stack.source_bootstrap, topic, partitions=3)
    produce(msk.stack.source_bootstrap, topic, 300)
    dry = msk.by_hand("export", "e1", name, topics=[topic], dry_run=True)
    dry.whole()
    plan = dry.artifacts.read_json("plan.json") or {}
    changes = [(change["action"], change["kind"]) for change in plan["changes"]]
    assert changes == [("create", kind) for kind in ("custom plugin", "worker configuration", "connector")]
    assert (plan["engine"]["name"], plan["engine"]["bootstrap_servers"]) == ("msk_connect", msk.stack.source_bootstrap)
    assert s3.SECRET not in json.dumps(plan)
    assert any("by its service role, whose rights there are not checked" in note for note in plan["notes"])
    # Twice, as the wait makes one again that has failed before it begins.
    msk.stack.msk.plan(connectors=[{"code": "UnknownError.Unknown", "message": "no route to the brokers"}] * 2)
    with pytest.raises(AirflowFailException, match=r"(?s)is FAILED: .*no route to the brokers"):
        msk.run("export", "e2", name, topics=[topic])
    assert msk.left(name) == [], "the teardown ran after the failure"
    assert msk.run("export", "e3", name, topics=[topic])["verdict"] == "PASS"
    with pytest.raises(AirflowFailException, match=r"'custom_plugin_arn': there is no custom plugin"):
        absent = "arn:aws:kafkaconnect:eu-west-1:123456789012:custom-plugin/s3/1a2b3c4d-0000-0000-0000-000000000000-5"
        msk.run("export", "e4", name, topics=[topic], plugin_folder=None, custom_plugin_arn=absent)


def test_a_worker_that_is_killed_while_it_copies_loses_and_repeats_nothing(
    msk: Msk, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, target, name = f"{topic_prefix}orders", f"{topic_prefix}copied", f"{topic_prefix}e"
    make_topics(msk.stack.source_bootstrap, topic, partitions=3)
    produce(msk.stack.source_bootstrap, topic, 300)
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 120
        while not Catalogue(store_of("s3://ferry-backups/exports", "aws_default"), name).complete():
            assert time.monotonic() < until
            time.sleep(0.5)
        time.sleep(5)  # in the middle of what comes
        ((_, worker),) = msk.stack.msk.workers().items()
        os.kill(worker["pid"], signal.SIGKILL)
        killed.append(worker["pid"])

    thread = threading.Thread(target=kill)
    with Feed(msk.stack, topic, 3, 60):
        thread.start()
        with pytest.raises(AirflowFailException, match=r"(?s)is FAILED: WorkerEnded"):
            msk.run("export", "e1", name, topics=[topic], follow_for=90)
        thread.join()
    assert killed
    assert msk.left(name) == [], "the teardown ran after the failure"
    assert msk.run("export", "e2", name, topics=[topic])["verdict"] == "PASS"
    report = msk.run("import", "i1", name, topics=[topic], rename={topic: target}, transport="engine")
    assert report["verdict"] == "PASS", report
    there = content("kafka_source", [topic], 3)
    assert hashes(content("kafka_target", [target], 3)) == hashes(there, {topic: target})
