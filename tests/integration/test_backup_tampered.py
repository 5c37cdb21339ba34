"""Objects that were exchanged together with their manifest, on a real S3 server and a real target."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import true_manifests
from backup_lab import LOCATION, Backups
from kafka_ferry.backup import avro
from kafka_ferry.backup.columns import SCHEMA
from kafka_ferry.backup.layout import SUFFIXES, Format, segment_key
from kafka_ferry.backup.manifest import Manifest, PartitionBackup, State, TopicBackup
from kafka_ferry.backup.segment import DamagedSegment
from kafka_ferry.hooks.aws_store import store_settings
from kafka_ferry.hooks.backup.process import run, store_order
from kafka_ferry.hooks.backup.restore import restore_shard

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
    _, marker, at = avro._head(data)
    ((_, block),) = avro._blocks(data, "x")
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

    restoration = backups.restoration()
    restoration.provision({})
    for one in restoration.ranges():
        if one.partition < len(KINDS):
            with pytest.raises(DamagedSegment, match=f"^{one.segments[0].key}: "):
                restore_shard(restoration.config, restoration.store, [one])
    whole = [one for one in restoration.ranges() if one.partition == len(KINDS)]
    assert restore_shard(restoration.config, restoration.store, whole).records == RECORDS
    ends = restoration.admin.offsets([(topic, n) for n in range(len(KINDS) + 1)], "latest", "read_uncommitted")
    lacking = list(KINDS).index("records left out"), list(KINDS).index("records twice")
    assert {n: end for (_, n), end in ends.items() if end and n not in lacking} == {len(KINDS): RECORDS}
