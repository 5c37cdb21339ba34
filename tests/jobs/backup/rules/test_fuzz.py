"""Damaged and hostile objects: each is read, or is named as damaged; nothing else ever happens.

Each seed is one test of its own, so that a failure can be repeated. Short here, long every night.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import true_manifests
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.backup.rules import avro, json_lines
from kafka_ferry.jobs.backup.rules.archive import backup_lines
from kafka_ferry.jobs.backup.rules.formats import decode, encode, offsets_of
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, Format
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Gap, GroupOffset, Manifest
from kafka_ferry.jobs.backup.rules.order import futures, ordered
from kafka_ferry.jobs.backup.rules.packed_segment import decode_packed
from kafka_ferry.jobs.backup.rules.ranges import assemble, lineage, reached
from kafka_ferry.jobs.backup.rules.retention import prune
from kafka_ferry.jobs.backup.rules.segment import Buffer
from kafka_ferry.records.columns import SCHEMA, columns_of
from kafka_ferry.records.damage import DamagedSegment
from mutations import mutated, mutated_json

SECONDS = 5.0
NOW = datetime(2026, 11, 28, tzinfo=UTC)
FORMATS: tuple[Format, ...] = ("parquet", "jsonl", "avro")
CODECS = ("zstd", "snappy", "gzip", "lz4", "brotli", "none")
LONG = [pytest.mark.integration, pytest.mark.nightly]

seeds = pytest.mark.parametrize(
    ("seed", "rounds"), [(1, 60), *(pytest.param(seed, 5_000, marks=LONG) for seed in range(2, 6))]
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """What hashes records is compiled, which takes seconds, before anything is timed."""
    ours = bytes(encode(table(random.Random(0)), "parquet", {}))
    assert read_in_every_way(ours, "parquet", seconds=60) == "read"


def table(rng: random.Random) -> Any:
    count = rng.randint(1, 40)
    some = [None, b"", b"k", b"\xff\0", "ü€".encode(), b"x" * 300]
    headers = [None, [], [("a", b"1"), ("a", None)], [("", b"")], [("é", b"\xff")]]
    made = Buffer(0)
    times, keys, values = (rng.choices(each, k=count) for each in ((0, -1, 5, 2**40), some, some))
    made.add(columns_of(3, range(count), times, [1] * count, keys, values, rng.choices(headers, k=count)))
    return made.cut(count, "transaction")


def honest(rng: random.Random, kind: Format) -> bytes:
    draft = table(rng)
    about = {"topic": "t", "topic_id": "x", "partition": 3, "begin": 0, "end": 9}
    if kind != "parquet" or rng.random() < 0.3:
        return bytes(encode(draft, kind, about))
    sink = io.BytesIO()
    pq.write_table(
        pa.concat_tables(draft.tables()), sink, compression=rng.choice(CODECS), use_dictionary=rng.random() < 0.5,
        data_page_version=rng.choice(("1.0", "2.0")), row_group_size=rng.choice((1, 7, 1000)),
    )  # fmt: skip
    return sink.getvalue()


def inside(rng: random.Random, kind: Format) -> bytes:
    """Damage below the packing, so that it is the records that are wrong, and the packing is whole."""
    data = honest(rng, kind)
    if kind == "jsonl":
        lines = [json.loads(line) for line in gzip.decompress(data).splitlines()]
        text = "\n".join(json.dumps(mutated_json(rng, line)) for line in lines).encode()
        return gzip.compress(mutated(rng, text) if rng.random() < 0.3 else text, 1)
    if kind == "avro":
        _, marker, at = avro.head_of(data)
        ((_, count, block),) = avro._blocks(data, "x")
        block = mutated(rng, block)
        pack = zlib.compressobj(1, wbits=-15)
        packed = pack.compress(block) + pack.flush()
        count = rng.choice((count, count + 1, 0, 2**40))
        return data[:at] + avro._long(count) + avro._long(len(packed)) + packed + marker
    return other_columns(rng)


def other_columns(rng: random.Random) -> bytes:
    kinds = [pa.int64(), pa.int32(), pa.string(), pa.binary(), pa.large_binary(), pa.bool_(), pa.float64(), pa.null(),
             pa.list_(pa.int8()), pa.binary(3), pa.timestamp("us"), pa.list_(pa.string())]  # fmt: skip
    fields, count = list(SCHEMA), rng.randint(0, 5)
    for _ in range(rng.randint(0, 2)):
        at = rng.randrange(len(fields))
        fields[at] = pa.field(rng.choice((fields[at].name, "x")), rng.choice(kinds))
    if rng.random() < 0.2:
        fields.pop(rng.randrange(len(fields)))
    arrays = [pa.nulls(count, field.type) if field.nullable else pa.array(_filled(field.type, count), field.type)
              for field in fields]  # fmt: skip
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), sink, compression=rng.choice(CODECS))
    return sink.getvalue()


def _filled(kind: Any, count: int) -> list[Any]:
    if pa.types.is_list(kind):
        return [[]] * count
    return ["CreateTime"] * count if pa.types.is_dictionary(kind) else [7] * count


def read_in_every_way(data: bytes, kind: Format, seconds: float = SECONDS) -> str:
    """What came of it: read, or damaged. Whatever else is raised fails the test, and what takes longer."""
    key, result = f"x{SUFFIXES[kind]}", "read"

    def objects() -> None:
        for rows in decode(data, key):
            columns = rows.offsets, rows.timestamps, rows.keys, rows.values, rows.headers
            assert {len(column) for column in columns} == {len(rows)}
            rows.hashes()
            np.array(rows.offsets, dtype=np.int64)

    def buffers() -> None:
        for rows in decode_packed(data, key) if kind == "parquet" else ():
            assert len(rows.hashes()) == len(rows)

    for way in (objects, buffers, lambda: offsets_of(data, key)):
        begun = time.process_time()  # not the clock: the machine may be busy
        try:
            way()
        except DamagedSegment as error:
            assert str(error).startswith("x."), "the object is named"
            result = "damaged"
        assert time.process_time() - begun < seconds
    return result


@pytest.mark.parametrize("kind", FORMATS)
@seeds
def test_segments_are_read_or_named(kind: Format, seed: int, rounds: int) -> None:
    rng, found = random.Random(seed * 7919), {"read": 0, "damaged": 0}
    for _ in range(rounds):
        data = inside(rng, kind) if rng.random() < 0.4 else mutated(rng, honest(rng, kind))
        found[read_in_every_way(data, kind)] += 1
    assert found["damaged"] > rounds // 3, "the damage does reach the decoders"


@pytest.mark.parametrize("kind", FORMATS)
def test_honest_ones_of_every_kind_are_read(kind: Format) -> None:
    rng = random.Random(5)
    for _ in range(20):
        about = {"topic": "t", "topic_id": "x", "partition": 3, "begin": 0, "end": 9}
        assert read_in_every_way(bytes(encode(table(rng), kind, about)), kind) == "read"


def chain(rng: random.Random) -> list[Manifest]:
    gap = Gap(begin=4, end=5, reason="compaction")
    first = true_manifests.segment(0, 5, records=4, missing=1, gaps=[gap], fingerprint=true_manifests.fingerprint(4))
    full = true_manifests.manifest(
        "20261120T020000Z", first, groups={"g": [GroupOffset(topic="t", partition=0, offset=3)]}
    )
    begin = rng.choice((5, 5, 6, 3))
    second = true_manifests.segment(begin, 9 + begin)
    return [full, true_manifests.manifest("20261121T020000Z", second, parent=full.backup_id, follows=full.backup_id)]


def hostile(rng: random.Random, manifest: Manifest) -> bytes:
    """Its bytes damaged; or what it says changed, with the digest that fits."""
    if rng.random() < 0.2:
        return mutated(rng, manifest.to_bytes())
    content = json.loads(manifest.to_bytes())
    del content["sha256"]
    content = mutated_json(rng, content)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({"sha256": digest, **content} if isinstance(content, dict) else content).encode()


@seeds
def test_manifests_are_read_or_named_and_all_that_is_made_of_them_is_too(seed: int, rounds: int) -> None:
    rng, refused = random.Random(seed * 104_729), 0
    for _ in range(rounds * 3):
        known: dict[str, Manifest] = {}
        for manifest in chain(rng):
            key = f"b/manifests/{manifest.backup_id}.json"
            try:
                found = Manifest.from_bytes(hostile(rng, manifest) if rng.random() < 0.7 else manifest.to_bytes(), key)
                known[found.backup_id] = found
            except DamagedManifest as error:
                refused += 1
                assert str(error).startswith(f"{key}: "), "the manifest is named"
        use(known)
    assert refused > rounds // 3


def use(known: dict[str, Manifest]) -> None:
    for now in (NOW, NOW.replace(year=1971), NOW.replace(year=9998)):
        in_order = ordered(known.values(), now)
        assert len(in_order) == len(known)
        futures(in_order, now)
        prune(in_order, 1, 3, now)
    backup_lines(known, {})
    for backup_id in known:
        try:
            steps = lineage(known, backup_id)
            reached(steps)
            assemble(steps)
        except FerryError as error:
            assert str(error)


def zeros(size: int) -> Iterator[bytes]:
    for _ in range(size // 1_000_000):
        yield b"0" * 1_000_000


def bomb(kind: str, size: int) -> tuple[Format, bytes]:
    """A small object that becomes ``size`` bytes when it is unpacked as it asks for."""
    if kind == "line":
        sink = io.BytesIO()
        with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1) as file:
            for piece in zeros(size):
                file.write(piece)
        return "jsonl", sink.getvalue()
    if kind == "block":
        empty = io.BytesIO()
        fastavro.writer(empty, avro._PARSED, [], codec="deflate", sync_marker=avro._MARKER)
        head = empty.getvalue()[: avro.head_of(empty.getvalue())[2]]
        pack = zlib.compressobj(1, wbits=-15)
        packed = b"".join(map(pack.compress, zeros(size))) + pack.flush()
        return "avro", head + avro._long(1) + avro._long(len(packed)) + packed + avro._MARKER
    if kind == "records of nothing":
        empty = io.BytesIO()
        fastavro.writer(empty, fastavro.parse_schema({"type": "record", "name": "Record", "fields": []}), [])
        data = empty.getvalue()
        return "avro", data + avro._long(2**50) + avro._long(0) + data[-16:]
    count = max(1, size // 1_000_000)
    names = [[("n" * 1_000_000, b"")]] if kind == "header names" else [None]
    value = b"v" if kind == "header names" else b"0" * 1_000_000
    made = Buffer(0)
    for begin in range(0, count, 20):
        some = min(20, count - begin)
        made.add(
            columns_of(
                0, range(begin, begin + some), [1] * some, [1] * some, [b"k"] * some, [value] * some, names * some
            )
        )
    draft = made.cut(count, "transaction")
    sink = io.BytesIO()
    coded = kind in ("dictionary", "header names")
    columns = ["timestamp_type", "headers.list.element.key", *(["value"] if kind == "dictionary" else [])]
    pq.write_table(
        pa.concat_tables(draft.tables()), sink, compression="zstd", use_dictionary=columns if coded else False
    )
    return "parquet", sink.getvalue()


BOMBS = ["line", "block", "records of nothing", "pages", "dictionary", "header names"]


@pytest.mark.parametrize("kind", BOMBS)
def test_what_would_grow_without_end_is_refused_before_it_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 30_000_000
    format_, data = bomb(kind, 4 * limit)
    assert len(data) < 1_200_000 * (4 if kind == "header names" else 1), "it is small as it lies there"
    for module in ("decoding", "json_lines", "avro", "parquet_check"):
        monkeypatch.setattr(f"kafka_ferry.jobs.backup.rules.{module}.DECODED_BYTES", limit)
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    assert read_in_every_way(data, format_) == "damaged"
    assert pa.total_allocated_bytes() - before < limit
    assert pool.bytes_allocated() < before + limit
    assert limit == json_lines.DECODED_BYTES
