"""``export_topics_to_s3`` and ``import_topics_from_s3`` in a real Airflow scheduler."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from demo.airflow_api import FINISHED, AirflowApi
from kafka_ferry.report.artifacts import RunArtifacts
from stack import Stack
from stack.s3 import SECRET
from target_watch import TargetWatch

# Following is bounded by the clock, for longer on a busy machine.
pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1_800)]

EXPORT, IMPORT = "export_topics_to_s3", "import_topics_from_s3"
PARTITIONS = 9
TIMEOUT = 560
FOLLOWED_SECONDS = 180
SOON = 180.0  # seconds from record to target topic; measured: 26 at a load of 9, on a page of the docs
HEADERS = [("a", b"1"), ("a", b"\xff"), ("n", None)]


@dataclass
class S3Lab:
    """Runs of both DAGs, as a user at the REST API sees them."""

    stack: Stack
    api: AirflowApi

    def trigger(self, dag: str, name: str, **conf: Any) -> str:
        self.api.trigger(dag, name, conf)
        return name

    def wait(self, dag: str, run: str, timeout: float = TIMEOUT) -> str:
        deadline = time.monotonic() + timeout
        while (state := self.api.state(dag, run)) not in FINISHED:
            assert time.monotonic() < deadline, f"{run} still {state}: {self.api.tasks(dag, run)}"
            time.sleep(0.3)
        return state

    def passed(self, dag: str, run: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Wait for the end, which must be a PASS; the report."""
        assert self.wait(dag, run, timeout) == "success", (self.report(dag, run) or {}).get("failures")
        report = self.report(dag, run)
        assert report["verdict"] == "PASS"
        return report

    def folder(self, dag: str, run: str) -> Path:
        return Path(RunArtifacts(dag, run, self.stack.variables()["FERRY_ARTIFACTS"]).path("report.json")).parent

    def report(self, dag: str, run: str) -> dict[str, Any]:
        path = self.folder(dag, run) / "report.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def clear(self, dag: str, run: str, task: str) -> None:
        body = {"dag_run_id": run, "task_ids": [task], "only_failed": False, "include_downstream": True,
                "reset_dag_runs": True, "dry_run": False}  # fmt: skip
        self.api._call("POST", f"/api/v2/dags/{dag}/clearTaskInstances", body)

    def kill(self, dag: str, run: str, task: str) -> None:
        """Kill the process of a task as soon as it runs."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            found = self.api._get(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}")
            assert found["state"] != "success", f"{task} was over before it could be killed"
            if found["state"] == "running" and found["pid"] and psutil.pid_exists(found["pid"]):
                return os.kill(found["pid"], signal.SIGKILL)
            assert time.monotonic() < deadline, self.api.tasks(dag, run)
            time.sleep(0.2)

    def until_running(self, dag: str, run: str, task: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while (found := next(one.state for one in self.api.tasks(dag, run) if one.task_id == task)) != "running":
            assert found != "success", f"{task} was over before anything could be followed"
            assert time.monotonic() < deadline, self.api.tasks(dag, run)
            time.sleep(0.2)

    def tries(self, dag: str, run: str, task: str) -> int:
        return next(one.try_number for one in self.api.tasks(dag, run) if one.task_id == task)


@pytest.fixture
def s3_lab(airflow_stack: Stack, airflow_api: AirflowApi) -> S3Lab:
    deadline = time.monotonic() + 120
    while not (airflow_api.dag_is_known(EXPORT) and airflow_api.dag_is_known(IMPORT)):
        assert time.monotonic() < deadline, airflow_api.import_errors()
        time.sleep(0.5)
    return S3Lab(airflow_stack, airflow_api)


def make(bootstrap: str, *topics: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    new = [NewTopic(name, PARTITIONS, 1, config={"retention.ms": "86400000"}) for name in topics]
    for future in admin.create_topics(new).values():
        future.result(30)


def send(bootstrap: str, topic: str, numbers: range, at: int | None = None) -> None:
    """Records as old as ``at`` says (ms), or of now."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    for n in numbers:
        producer.produce(
            topic,
            key=None if n % 10 == 0 else b"k%d" % n,
            value=None if n % 7 == 0 else b"v%d" % n,
            headers=HEADERS if n % 3 == 0 else None,
            timestamp=at + n if at else int(time.time() * 1000),
            partition=n % PARTITIONS,
        )
    assert producer.flush(120) == 0


def records(bootstrap: str, topic: str) -> list[Any]:
    """All of a topic: partition, timestamp, key, value, headers in the order of the partitions."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "look", "auto.offset.reset": "earliest",
                "enable.partition.eof": True}  # fmt: skip
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    found: list[Any] = []
    ended: set[int] = set()
    deadline = time.monotonic() + 180
    while len(ended) < PARTITIONS:
        assert time.monotonic() < deadline
        for message in consumer.consume(500, 0.5):
            if error := message.error():
                assert error.code() == KafkaError._PARTITION_EOF, error
                ended.add(message.partition())
            else:
                found.append((message.partition(), message.offset(), message.timestamp()[1], message.key(),
                              message.value(), message.headers()))  # fmt: skip
    consumer.close()
    return [one[:1] + one[2:] for one in sorted(found, key=lambda one: one[:2])]


def sizes(bootstrap: str, topic: str) -> int:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "sizes"})
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1] for number in range(PARTITIONS)]
    consumer.close()
    return sum(ends)


def test_two_topics_go_through_s3_to_target_topics_and_later_records_follow(s3_lab: S3Lab) -> None:
    """The how-to's job: source-topic-1/2 to target-topic-1/2, nine partitions, through JSON lines; copied to a second
    location on the way. Records older than the topics' retention arrive all the same."""
    source, target = s3_lab.stack.source_bootstrap, s3_lab.stack.target_bootstrap
    names = ("source-topic-1", "source-topic-2")
    make(source, *names)
    now = int(time.time() * 1000)
    for name in names:
        send(source, name, range(2000), now - 3_600_000)
    out = {"topics": ["source-topic-.*"], "export": "orders", "format": "jsonl"}
    into = {"export": "orders", "rename": {"source-(.*)": "target-\\1"}, "copy_to": "s3://ferry-backups/elsewhere"}
    s3_lab.trigger(EXPORT, "e1", **out)
    report = s3_lab.passed(EXPORT, "e1")
    assert [(line["source"], line["source_records"]) for line in report["topics"]] == [(name, 2000) for name in names]
    checks = {check["name"]: check["status"] for check in report["checks"]}
    assert (checks["content"], checks["counts"], "groups" in checks) == ("pass", "pass", False)

    s3_lab.trigger(IMPORT, "i1", **into)
    report = s3_lab.passed(IMPORT, "i1")
    assert [(line["target"], line["target_records"]) for line in report["topics"]] == [
        ("target-topic-1", 2000), ("target-topic-2", 2000),
    ]  # fmt: skip
    for name in names:
        assert records(target, name.replace("source", "target")) == records(source, name)
    admin = AdminClient({"bootstrap.servers": target})
    partitions = {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=10).topics.items()}
    assert (partitions["target-topic-1"], partitions["target-topic-2"]) == (PARTITIONS, PARTITIONS)

    # Later: only what is new goes through, and a clear or a second import repeats nothing.
    send(source, names[0], range(2000, 2500), now)
    s3_lab.trigger(EXPORT, "e2", **out)
    assert sum(line["source_records"] for line in s3_lab.passed(EXPORT, "e2")["topics"]) == 500
    s3_lab.trigger(IMPORT, "i2", **into)
    report = s3_lab.passed(IMPORT, "i2")
    assert [line["target_records"] for line in report["topics"]] == [500, 0]
    s3_lab.clear(IMPORT, "i2", "provision_topics")
    s3_lab.clear(EXPORT, "e2", "freeze")
    s3_lab.passed(IMPORT, "i2")
    s3_lab.passed(EXPORT, "e2")
    assert (sizes(target, "target-topic-1"), sizes(target, "target-topic-2")) == (2500, 2000)
    assert records(target, "target-topic-1") == records(source, "source-topic-1")
    for run in (s3_lab.folder(EXPORT, "e1"), s3_lab.folder(IMPORT, "i1")):
        assert not [path for path in run.rglob("*") if path.is_file() and SECRET in path.read_text()], "no secret"


def test_records_written_meanwhile_arrive_soon_also_when_followers_are_killed(s3_lab: S3Lab) -> None:
    """As a user follows, looks every 15 s. Each record's way is timed at the target, before and behind the kills."""
    source, target = s3_lab.stack.source_bootstrap, s3_lab.stack.target_bootstrap
    make(source, "follow.me")
    send(source, "follow.me", range(1000))
    # How long a task takes now: following is bounded by the clock, and a busy machine comes to it later.
    begun = time.monotonic()
    s3_lab.trigger(EXPORT, "how-fast", topics=["follow.me"], export="live", dry_run=True)
    assert s3_lab.wait(EXPORT, "how-fast") == "success"
    common: dict[str, Any] = {"export": "live", "follow_for": round(FOLLOWED_SECONDS + 20 * (time.monotonic() - begun))}
    with TargetWatch(target, "followed", PARTITIONS) as watch:
        s3_lab.trigger(EXPORT, "follow", topics=["follow.me"], **common)
        s3_lab.trigger(IMPORT, "follow", rename={"follow.me": "followed"}, **common)
        watch.wait(1000)
        for dag in (EXPORT, IMPORT):
            s3_lab.until_running(dag, "follow", "follow")
        sent = write(source, "follow.me", 1000, seconds=45)
        watch.wait(sent)
        before = watch.told(1000)
        half = sent
        for dag in (EXPORT, IMPORT):
            s3_lab.kill(dag, "follow", "follow")
        sent = write(source, "follow.me", sent, seconds=5)
        watch.wait(sent)
    for dag in (EXPORT, IMPORT):
        report = s3_lab.passed(dag, "follow", common["follow_for"] + TIMEOUT)
        assert s3_lab.tries(dag, "follow", "follow") >= 2
        assert sum(line["source_records"] for line in report["topics"]) == sent, "increments are in the report"
    assert max(watch.seconds[1000:]) < SOON
    print(f"from record to target topic, a look every 15 s: {before}")
    print(f"written when both followers had just been killed: {watch.told(half)}")
    assert sizes(target, "followed") == sent, "nothing twice"
    assert records(target, "followed") == records(source, "follow.me")


def write(bootstrap: str, topic: str, begin: int, seconds: float) -> int:
    """50 records twice a second; the number behind the last one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        send(bootstrap, topic, range(begin, begin + 50))
        begin += 50
        time.sleep(0.5)
    return begin


def test_bad_params_are_refused_with_the_cure_and_a_dry_run_writes_nothing(s3_lab: S3Lab) -> None:
    source = s3_lab.stack.source_bootstrap
    make(source, "bad.params")
    send(source, "bad.params", range(9))
    cases: dict[str, tuple[str, dict[str, Any], str]] = {
        "unknown": (EXPORT, {"topics": ["x"], "formt": "avro"}, "param 'formt' is unknown; did you mean 'format'?"),
        "nothing": (EXPORT, {"topics": ["no-such-topic"]}, "param 'topics': nothing on the cluster matches"),
        "place": (
            EXPORT,
            {"topics": ["bad.params"], "location": "nowhere"},
            "param 'location': 'nowhere' is not a location",
        ),
        "none": (IMPORT, {"export": "never-made"}, "there is no export 'never-made'"),
        "both": (IMPORT, {"export_id": "x", "follow_for": 5}, "param 'export_id' is set, but follow_for"),
    }
    for name, (dag, conf, _) in cases.items():
        s3_lab.trigger(dag, name, **{"export": f"bad-{name}", **conf})  # one run at a time works on a name
    s3_lab.trigger(EXPORT, "dry", topics=["bad.params"], export="dry", dry_run=True)
    for name, (dag, _, words) in cases.items():
        assert s3_lab.wait(dag, name) == "failed", name
        failures = " ".join(s3_lab.report(dag, name)["failures"])
        assert words in failures, (name, failures)
    assert s3_lab.wait(EXPORT, "dry") == "success"
    assert json.loads((s3_lab.folder(EXPORT, "dry") / "plan.json").read_text())["records"] == 9
    assert not (s3_lab.stack.s3.data / "ferry-backups" / "exports" / "dry").exists()

    # Into itself: the target would be the very topic that was exported.
    s3_lab.trigger(EXPORT, "self", topics=["bad.params"], export="self", format="avro")
    s3_lab.passed(EXPORT, "self")
    s3_lab.trigger(IMPORT, "self", export="self", target_conn_id="kafka_source")
    assert s3_lab.wait(IMPORT, "self") == "failed"
    assert "param 'rename': 'bad.params' is the topic that was exported" in " ".join(
        s3_lab.report(IMPORT, "self")["failures"]
    )
    s3_lab.trigger(IMPORT, "same-cluster", export="self", target_conn_id="kafka_source", rename={"(.*)": "\\1.back"})
    s3_lab.passed(IMPORT, "same-cluster")
    assert records(source, "bad.params.back") == records(source, "bad.params")
