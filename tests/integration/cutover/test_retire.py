"""May the source be switched off? On real secured clusters, after a real cutover."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cutover_lab import CutoverRun, Lab
from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec
from kafka_ferry.jobs.cutover.tasks.retire import (
    CertificateOperator,
    LookAtSourceOperator,
    PlanRetirementOperator,
    RetirementFingerprintOperator,
    RetirementReportOperator,
    RetirementShardsOperator,
    ValidateRetirementOperator,
)
from tasks_by_hand import TasksByHand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Produce = Callable[..., None]


class RetireRun(TasksByHand):
    """One run of the DAG ``retire_source``. Other tests' topics and groups are nobody's here."""

    def __init__(self, lab: Lab, name: str, **params: Any) -> None:
        defaults = {field: about.default for field, about in RetireSpec.model_fields.items()}
        others = {name: [f"(?!{lab.prefix}).*"] for name in ("left_behind", "left_groups")}
        super().__init__(
            "retire_source",
            f"{lab.prefix}{name}",
            "retire_source",
            {**defaults, **others, "watch_seconds": 1, **params},
        )

    def certificate(self) -> dict[str, Any]:
        """All tasks up to the certificate."""
        self.do(PlanRetirementOperator, "plan")
        for shard in self.do(RetirementShardsOperator, "shards"):
            self.do(RetirementFingerprintOperator, "fingerprint", shard=shard)
        self.do(LookAtSourceOperator, "look_at_source")
        self.do(ValidateRetirementOperator, "validate")
        self.do(CertificateOperator, "certificate")
        return self.written("certificate.json")

    def report(self) -> dict[str, Any]:
        self.do(RetirementReportOperator, "report")
        return self.written("report.json")


def against(found: dict[str, Any]) -> dict[str, list[str]]:
    """Check to the reasons."""
    assert (found["answer"] == "no") == bool(found["reasons"])
    return {one["check"]: one["found"] for one in found["reasons"]}


class Wave:
    """Topics with records of every kind of producer, handed over; the applications work on the target since."""

    def __init__(self, lab: Lab, replicate: Callable[..., Any], make_topics: Any, produce: Produce) -> None:
        self.lab = lab
        self.plain, self.keyed = f"{lab.prefix}orders", f"{lab.prefix}state"
        make_topics(lab.stack.client_settings("source"), self.plain, partitions=2)
        make_topics(lab.stack.client_settings("source"), self.keyed, config={"cleanup.policy": "compact"})
        self.write("source", produce, 100)
        self.transaction("source", 20)
        self.group = f"{lab.prefix}billing"
        lab.commit(self.group, {(self.plain, 0): 7, (self.keyed, 0): 3})
        self.connect = replicate().migration.connect
        run = CutoverRun(
            f"{lab.prefix}run", topics=[f"{lab.prefix}.*"], groups=[f"{lab.prefix}.*"],
            migration=f"{lab.prefix}wave"[:40],
        )  # fmt: skip
        run.prepare()
        run.gate()
        run.window()
        run.end()
        self.ends = run.journal()["ends"]

    def stop_replication(self) -> None:
        for name in self.connect.connectors():
            if self.lab.prefix in name:
                self.connect.stop(name)

    def write(self, side: str, produce: Produce, records: int, value: bytes = b"v") -> None:
        client = self.lab.client(side)
        produce(client, self.plain, ({"value": b"%s%d" % (value, n), "partition": n % 2} for n in range(records)))
        produce(client, self.keyed, ({"key": b"k%d" % (n % 10), "value": b"%s%d" % (value, n)} for n in range(records)))

    def transaction(self, side: str, records: int, *, commit: bool = True) -> None:
        producer = Producer(self.lab.client(side, **{"transactional.id": f"{self.lab.prefix}tx"}))
        producer.init_transactions(30)
        producer.begin_transaction()
        for number in range(records):
            producer.produce(self.plain, b"t%d" % number, partition=1)
        producer.flush(10)  # else nothing of what is aborted is sent
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)


@pytest.fixture
def wave(lab: Lab, replicate: Callable[..., Any], make_topics: Any, produce: Produce) -> Wave:
    return Wave(lab, replicate, make_topics, produce)


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PEM of a public key, whose private half is in connection ``signer``."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private)], check=True)
    subprocess.run(["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)], check=True)
    monkeypatch.setenv("AIRFLOW_CONN_SIGNER", json.dumps({"conn_type": "generic", "password": private.read_text()}))
    return public


def verified(certificate: str, key: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kafka_ferry.jobs.cutover.verify_certificate", certificate, "--key", str(key)]
    plugins = str(Path(__file__).resolve().parents[3] / "plugins")
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": plugins})


def test_a_source_that_nobody_uses_gets_a_signed_yes(wave: Wave, produce: Produce, key: Path) -> None:
    wave.stop_replication()
    wave.write("target", produce, 40, b"new")  # the applications work there: some keys are written again
    wave.lab.commit(wave.group, {(wave.plain, 0): 60}, "target")
    run = RetireRun(wave.lab, "clean", connect_conn_id="kafka_connect", signing_conn_id="signer")
    found = run.certificate()
    assert against(found) == {}
    assert found["answer"] == "yes"
    assert {one["name"]: one["status"] for one in found["checks"]}["replication"] == "pass"
    lines = {line["source"]: line for line in found["topics"]}
    assert (lines[wave.plain]["source_records"], lines[wave.plain]["target_records"]) == (120, 120)
    assert found["left_by_params"].keys() <= {"left_behind", "left_groups"}
    report = run.report()
    assert report["verdict"] == "PASS", report
    assert report["sentence"] == "" or "may be switched off" in report["sentence"]

    file, page = run.artifacts.path("certificate.json"), run.artifacts.path("certificate.html")
    signature = run.artifacts.path("certificate.sig")
    by_openssl = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin", "-in", file, "-sigfile"]
    assert subprocess.run([*by_openssl, signature], check=False, capture_output=True).returncode == 0
    for one in (file, page):
        done = verified(one, key)
        assert done.returncode == 0, done
        assert "yes" in done.stdout
    assert "PRIVATE KEY" not in Path(page).read_text() + Path(file).read_text()
    assert not any(word in Path(page).read_text() for word in ("src=", '<link rel="stylesheet"', "http://"))

    data = Path(file).read_bytes()
    Path(file).write_bytes(data.replace(b'"answer": "yes"', b'"answer": "yeS"'))
    assert subprocess.run([*by_openssl, signature], check=False, capture_output=True).returncode != 0
    assert verified(file, key).returncode == 1
    Path(file).write_bytes(data)
    facts = Path(run.artifacts.path("source.json"))
    facts.write_text(facts.read_text().replace("partitions", "partition"))
    done = verified(file, key)
    assert (done.returncode, done.stderr) == (1, "WRONG: source.json was changed since\n")


def test_whoever_still_uses_the_source_is_named(wave: Wave, make_topics: Any, produce: Produce) -> None:
    lab = wave.lab
    # Replication goes on, and nobody says so but the Connect cluster.
    found = against(RetireRun(lab, "replicated", connect_conn_id="kafka_connect").certificate())
    assert found.keys() == {"replication"}
    assert any("MirrorSourceConnector) is RUNNING, and reads from the source" in one for one in found["replication"])
    wave.stop_replication()

    # A transaction that was aborted is a writer too; the marker of one is none.
    wave.transaction("source", 3, commit=False)
    (late,) = against(RetireRun(lab, "late").certificate())["growth"]
    end = wave.ends[f"{wave.plain}:1"]
    assert late.startswith(f"{wave.plain}-1: 4 offsets since the hand-over, the first record at {end} (")
    assert f"transactional id {lab.prefix}tx" in late

    with consuming(lab, wave.plain):
        found = against(RetireRun(lab, "member").certificate())
        assert [one.partition(": ")[0] for one in found["members"]] == [f"group {lab.prefix}reader"]
        assert "late-client at 127.0.0.1" in found["members"][0]
    lab.commit(wave.group, {(wave.plain, 0): 9})
    found = against(RetireRun(lab, "late-commit").certificate())
    assert f"group {wave.group} on {wave.plain}-0: from 7 to 9" in found["commits"]
    assert any(one.startswith(f"group {lab.prefix}reader stands on {wave.plain}") for one in found["commits"])

    empty, more = f"{lab.prefix}empty", f"{lab.prefix}forgotten"
    make_topics(lab.stack.client_settings("source"), empty, more)
    produce(lab.client("source"), more, 5)
    found = against(RetireRun(lab, "more").certificate())
    assert found["other_topics"] == [
        f"{more}: holds records in 5 offsets, and no wave handed it over. Fix: cut it over, or left_behind"
    ]
    others = {"left_behind": [f"(?!{lab.prefix}).*", more], "left_groups": [f"(?!{lab.prefix}).*", f"{lab.prefix}.*"]}
    run = RetireRun(lab, "left", **others)
    assert against(run.certificate()).keys() == {"growth"}
    assert more in run.written("certificate.json")["left_by_params"]["left_behind"]


@contextmanager
def consuming(lab: Lab, topic: str) -> Iterator[None]:
    consumer = Consumer(lab.client("source", **{
        "group.id": f"{lab.prefix}reader", "client.id": "late-client", "auto.offset.reset": "earliest"}))  # fmt: skip
    consumer.subscribe([topic])
    while not consumer.assignment():
        consumer.poll(0.2)
    consumer.poll(1)
    consumer.commit(asynchronous=False)
    yield
    consumer.close()


def test_what_is_not_on_the_target_is_named(wave: Wave, make_topics: Any, produce: Produce) -> None:
    lab = wave.lab
    wave.stop_replication()
    target = AdminClient(lab.stack.client_settings("target"))
    # Deleted by hand, and young: no retention did it.
    for future in target.delete_records([TopicPartition(wave.plain, 0, 10)]).values():
        future.result(30)
    found = against(RetireRun(lab, "missing").certificate())
    assert any("lost 10 records: source offsets 0-9" in one or "10" in one for one in found["content"]), found
    assert found.keys() == {"content", "counts"}

    # The same, where the topic's retention has passed: told as such, and no reason against it.
    admin, both = lab.admins["target"], [(wave.plain, 0), (wave.plain, 1)]
    admin.set_configs({wave.plain: {"retention.ms": "1"}})
    deadline = time.monotonic() + 60  # in the middle of it a reader is told to try again, as its task would
    while admin.offsets(both, "earliest", "read_uncommitted") != admin.offsets(both, "latest", "read_uncommitted"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    run = RetireRun(lab, "expired")
    made = run.certificate()
    assert against(made) == {}
    assert "deleted on the target by its retention (retention.ms=1)" in json.dumps(made["topics"])

    # Another record in the place of one.
    lab.admins["target"].delete_topics([wave.keyed])
    make_topics(lab.stack.client_settings("target"), wave.keyed, config={"cleanup.policy": "compact"})
    produce(lab.client("target"), wave.keyed,
            ({"key": b"k%d" % (n % 10), "value": b"v%d" % (n if n != 99 else 0)} for n in range(100)))  # fmt: skip
    found = against(RetireRun(lab, "altered").certificate())
    assert any(one.startswith(f"{wave.keyed}-0: ") for one in found["content"]), found
    assert wave.plain not in json.dumps(found)
