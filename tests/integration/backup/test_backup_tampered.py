"""Objects that were exchanged together with their manifest, on a real S3 server and a real target."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.sdk.exceptions import AirflowFailException
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import true_manifests
from backup_lab import LOCATION, Backups
from dags_by_hand import DagRunByHand
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.jobs.backup.rules import avro
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, Format, segment_key
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, State, TopicBackup
from kafka_ferry.jobs.backup.store.process import run, store_order
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.records.columns import SCHEMA
from kafka_ferry.records.damage import DamagedSegment

pytestmark = pytest.mark.integration

RECORDS = 10


@pytest.fixture
def backups(connections, topic_prefix) -> Backups:
    return Backups(topic_prefix)


def parquet(change: Any) -> bytes:
    """A segment whose table was changed; what it says of itself stays."""
    sink = io.BytesIO()
    pq.write_table(change, sink, compression="zstd", use_dictionary=False)
    return sink.getvalue()


def as_parquet(data: bytes) -> Any:
    return pq.ParquetFile(pa.BufferReader(data)).read()


def retyped(table: Any, column: str, kind: Any) -> Any:
    at = SCHEMA.get_field_index(column)
    return table.set_column(at, pa.field(column, kind), pa.nulls(len(table), kind))


def of_another_partition(table: Any) -> Any:
    about = json.loads(table.schema.metadata[b"kafka_ferry"]) | {"partition": 7}
    return table.replace_schema_metadata({b"kafka_ferry": json.dumps(about)})


def packed_dictionary(table: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def with_line(data: bytes, **change: Any) -> bytes:
    lines = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    lines[3] |= change
    return gzip.compress("\n".join(map(json.dumps, lines)).encode())


def bad_text(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data).replace(b'"key":"h"', b'"key":"\xe9"'))


def other_schema() -> bytes:
    sink = io.BytesIO()
    fastavro.writer(sink, {"type": "record", "name": "Record", "fields": [{"name": "x", "type": "int"}]}, [{"x": 1}])
    return sink.getvalue()


def many(data: bytes) -> bytes:
    _, marker, at = avro.head_of(data)
    ((_, _, block),) = avro._blocks(data, "x")
    plain = data[:at].replace(b"\x0edeflate", b"\x08null")
    return plain + avro._long(10**9) + avro._long(len(block)) + block + marker


KINDS: dict[str, tuple[Format, Any]] = {
    "value is a number": ("parquet", lambda data: parquet(retyped(as_parquet(data), "value", pa.int64()))),
    "key is large": ("parquet", lambda data: parquet(retyped(as_parquet(data), "key", pa.large_binary()))),
    "no headers": ("parquet", lambda data: parquet(as_parquet(data).drop_columns(["headers"]))),
    "another partition": ("parquet", lambda data: parquet(of_another_partition(as_parquet(data)))),
    "another encoding": ("parquet", lambda data: packed_dictionary(as_parquet(data))),
    "records left out": ("parquet", lambda data: parquet(as_parquet(data).slice(2))),
    "records twice": ("parquet", lambda data: parquet(pa.concat_tables([as_parquet(data)] * 2))),
    "footer cut": ("parquet", lambda data: data[:-20]),
    "empty": ("parquet", lambda data: b"PAR1"),
    "offset as text": ("jsonl", lambda data: with_line(data, offset="3")),
    "offset of 100 bits": ("jsonl", lambda data: with_line(data, offset=2**100)),
    "no base64": ("jsonl", lambda data: with_line(data, value="*", value_encoding="base64")),
    "headers null": ("jsonl", lambda data: with_line(data, headers=None)),
    "topic of another": ("jsonl", lambda data: with_line(data, topic="else")),
    "name is no UTF-8": ("jsonl", bad_text),
    "no gzip": ("jsonl", lambda data: gzip.decompress(data)),
    "deeply nested": ("jsonl", lambda data: gzip.compress(b"[" * 100_000)),
    "header cut": ("avro", lambda data: data[:40]),
    "other schema": ("avro", lambda data: other_schema()),
    "a billion records": ("avro", many),
    "block cut": ("avro", lambda data: data[:-30]),
}


def tampered(backups: Backups, topic: str) -> Manifest:
    """A backup of one partition for each kind, and one that is whole; manifest and objects fit each other."""
    partitions = []
    for number, (kind, change) in enumerate([*KINDS.values(), ("parquet", lambda data: data)]):
        own = true_manifests.stored(backups.store, 0, [b"v%d" % n for n in range(RECORDS)], kind, partition=number,
                                    backup=backups.spec.backup, topic=topic)  # fmt: skip
        data = change(backups.store.get(str(own.key)))
        sha256 = hashlib.sha256(data).hexdigest()
        key = segment_key(backups.spec.backup, topic, true_manifests.TOPIC_ID, number, 0, sha256, SUFFIXES[kind])
        backups.store.put(key, data)
        part = own.model_copy(update={"key": key, "size": len(data), "sha256": sha256})
        partitions.append(PartitionBackup(partition=number, begin=0, end=RECORDS, segments=[part]))
    topics = [TopicBackup(name=topic, topic_id=true_manifests.TOPIC_ID, replication_factor=1, partitions=partitions)]
    manifest = Manifest(backup=backups.spec.backup, backup_id="b01", state=State.COMPLETE, mode="full",
                        created="2026-11-21T02:00:00+00:00", cluster_id="c", topics=topics)  # fmt: skip
    backups.catalogue.write(manifest)
    return manifest


@pytest.mark.parametrize("way", ["never", "always"])
def test_each_is_named_and_the_rest_is_judged_and_none_is_restored(backups, topic_prefix, stack, monkeypatch, way):
    monkeypatch.setenv("FERRY_NATIVE", way)
    topic = f"{topic_prefix}t"
    manifest = tampered(backups, topic)
    assert backups.catalogue.manifests()[1] == [], "the manifest itself says nothing that cannot be"
    order = {
        "kind": "verify",
        "store": store_order(LOCATION, store_settings("aws_default")),
        "segments": [(t.name, p.partition, s.model_dump(mode="json")) for t, p, s in manifest.segments()],
    }
    damage = {one["partition"]: one for one in run([order])[0]["damage"]}
    assert sorted(damage) == list(range(len(KINDS))), "the last one is whole"
    for number, name in enumerate(KINDS):
        key = manifest.topics[0].partitions[number].segments[0].key
        assert damage[number]["topic"] == topic, name
        assert damage[number]["key"] == key, name
        assert damage[number]["problem"].startswith(f"{key}: "), name

    restore_run = backups.restore_run()
    restore_run.provision({})
    for one in restore_run.ranges():
        if one.partition < len(KINDS):
            with pytest.raises(DamagedSegment, match=f"^{one.segments[0].key}: "):
                restore_shard(restore_run.config, restore_run.store, [one])
    whole = [one for one in restore_run.ranges() if one.partition == len(KINDS)]
    assert restore_shard(restore_run.config, restore_run.store, whole).records == RECORDS
    ends = restore_run.admin.offsets([(topic, n) for n in range(len(KINDS) + 1)], "latest", "read_uncommitted")
    lacking = list(KINDS).index("records left out"), list(KINDS).index("records twice")
    assert {n: end for (_, n), end in ends.items() if end and n not in lacking} == {len(KINDS): RECORDS}


@pytest.fixture
def artifacts(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


@pytest.mark.nightly
def test_verify_backup_names_them_all_and_ends_with_its_report(artifacts, backups, topic_prefix, stack):
    topic = f"{topic_prefix}t"
    manifest = tampered(backups, topic)
    late = {"backup_id": "b02", "parent": "b01", "mode": "incremental", "created": "2036-01-01T00:00:00+00:00"}
    part = PartitionBackup(partition=0, begin=RECORDS, end=RECORDS)
    empty = manifest.topics[0].model_copy(update={"partitions": [part]})
    backups.catalogue.write(manifest.model_copy(update={**late, "topics": [empty]}))
    verification = DagRunByHand("verify_backup", "verify", backup=backups.spec.backup, location=LOCATION)
    with pytest.raises(AirflowFailException):
        verification.whole()
    report = verification.artifacts.read_json("report.json")
    checks = {check["name"]: check for check in report["checks"]}
    assert (report["verdict"], checks["objects"]["status"], checks["counts"]["status"]) == ("FAIL", "fail", "pass")
    assert len(checks["objects"]["differences"]) == len(KINDS)
    for number in range(len(KINDS)):
        key = manifest.topics[0].partitions[number].segments[0].key
        start = f"{topic}-{number} offsets 0 to 9: {key}: "
        assert [text for text in checks["objects"]["differences"] if text.startswith(start)], start
    assert (checks["clocks"]["status"], checks["manifests"]["status"]) == ("explained", "pass")
    assert "backup b02 is from the future: created 2036-01-01" in checks["clocks"]["differences"][0]
    assert {line["backup_id"]: line["status"] for line in report["backups"]} == {"b01": "fail", "b02": "fail"}


def test_signed_nights_are_restored_by_who_only_checks_and_a_stranger_s_are_left_out(
    artifacts, backups, topic_prefix, stack, make_topics, produce, monkeypatch
):
    own = Ed25519PrivateKey.generate()
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for name, password in (("WRITER", pem), ("READER", public)):
        monkeypatch.setenv(f"AIRFLOW_CONN_SIGN_{name}", json.dumps({"conn_type": "generic", "password": password}))
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    common = {"backup": backups.spec.backup, "location": LOCATION}
    for night in range(2):
        produce(stack.source_bootstrap, topic, 10)
        made = DagRunByHand("backup_topics", f"night-{night}", **common, topics=[topic], groups=[], acls=False,
                            keep_last=5, signing_conn_id="sign_writer").whole()  # fmt: skip
        assert made["verdict"] == "PASS"
    true = [line["backup_id"] for line in made["backups"]]

    stranger = next(iter(backups.catalogue.complete().values())).model_copy(
        update={"backup_id": "20360101T020000Z", "created": "2036-01-01T02:00:00+00:00"}
    )
    backups.catalogue.write(stranger)
    restoring = DagRunByHand("restore_topics", "restore", **common, signing_conn_id="sign_reader")
    report = restoring.whole()
    assert report["verdict"] == "PASS"
    assert [line["target_records"] for line in report["topics"]] == [20]
    plan = restoring.artifacts.read_json("plan.json")
    assert plan["backup_id"] == true[0], "the newest that is signed"
    (note,) = [note for note in plan["notes"] if "20360101T020000Z" in note]
    assert note.startswith("left out: ")
    assert note.endswith("20360101T020000Z.json: refused, it is not signed")
    with pytest.raises(AirflowFailException, match="refused, it is not signed"):
        DagRunByHand("restore_topics", "by-id", **common, signing_conn_id="sign_reader", rename={"(.*)": "\\1.x"},
                     backup_id=stranger.backup_id).whole()  # fmt: skip
    verification = DagRunByHand("verify_backup", "verify", **common, signing_conn_id="sign_reader")
    with pytest.raises(AirflowFailException):
        verification.whole()
    checks = {check["name"]: check for check in verification.artifacts.read_json("report.json")["checks"]}
    assert checks["manifests"]["status"] == "fail"
    assert "refused, it is not signed" in checks["manifests"]["differences"][0]
    shown = b"".join(path.read_bytes() for path in artifacts.rglob("*") if path.is_file())
    assert pem.splitlines()[1].encode() not in shown
