"""Every format gives back what went in, and refuses what is damaged; other tools read it as it is."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import numpy as np
import pyarrow.parquet as pq
import pytest

from kafka_ferry.jobs.backup.rules import avro
from kafka_ferry.jobs.backup.rules.formats import decode, encode, offsets_of
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, Format
from kafka_ferry.jobs.backup.rules.segment import Buffer, Draft
from kafka_ferry.records.columns import SCHEMA, columns_of
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.record_hash import record_hash

KEYS = [None, b"", b"k\x00\xff", "ü€😀\n".encode(), None, b"nul \0 in text"]
VALUES = [b"v", None, b"", b"\n" * 1000, None, b'{"a": "\\u0000"}']
HEADERS: list[Any] = [
    None,
    [],
    [("a", b"1"), ("a", b"2"), ("a", b"1")],
    [("", b""), ("n", None)],
    [("é😀", b"\xff")],
    [("b", b""), ("a", b"1")],
]
OFFSETS = [10, 11, 15, 16, 20, 21]
TIMES = [5, 1, -1, 2**40, 0, 1_790_000_000_000]
TYPES = [1, 2, 0, 1, 1, 1]
ABOUT = {"topic": "t.1", "topic_id": "x", "partition": 3, "begin": 8, "end": 25}
FORMATS: tuple[Format, ...] = ("parquet", "jsonl", "avro")


def draft() -> Draft:
    made = Buffer(8)
    for part in (slice(0, 2), slice(2, 6)):
        made.add(columns_of(3, OFFSETS[part], TIMES[part], TYPES[part], KEYS[part], VALUES[part], HEADERS[part]))
    return made.cut(25, "transaction")


@pytest.mark.parametrize("kind", FORMATS)
def test_records_come_back_as_they_were(kind: Format) -> None:
    data, key = bytes(encode(draft(), kind, ABOUT)), f"a/b{SUFFIXES[kind]}"
    pieces = list(decode(data, key))
    assert [at for rows in pieces for at in rows.offsets] == OFFSETS
    expected = [record_hash(*one) for one in zip(TIMES, HEADERS, KEYS, VALUES, strict=True)]
    assert [one for rows in pieces for one in rows.hashes()] == expected
    assert [headers for rows in pieces for headers in rows.headers] == [headers or [] for headers in HEADERS]
    found = offsets_of(data, key)
    assert found.dtype == np.int64
    assert found.tolist() == OFFSETS


@pytest.mark.parametrize("kind", FORMATS)
def test_two_tries_write_the_same_bytes(kind: Format) -> None:
    assert bytes(encode(draft(), kind, ABOUT)) == bytes(encode(draft(), kind, ABOUT))


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_damaged_is_refused(kind: Format) -> None:
    data, key = bytes(encode(draft(), kind, ABOUT)), f"b{SUFFIXES[kind]}"
    for broken in (data[: len(data) // 2], b"not it at all"):
        with pytest.raises(DamagedSegment, match=r"^b\."):
            list(decode(broken, key))


def test_another_ending_is_no_format() -> None:
    with pytest.raises(DamagedSegment, match=r"x\.csv: no known format"):
        decode(b"", "x.csv")


@pytest.mark.parametrize("kind", FORMATS)
def test_large_objects_are_read_some_records_at_a_time(kind: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("json_lines", "avro"):
        monkeypatch.setattr(f"kafka_ferry.jobs.backup.rules.{module}.ROW_GROUP_BYTES", 2000)
    monkeypatch.setattr("kafka_ferry.jobs.backup.rules.segment.ROW_GROUP_BYTES", 2000)
    made = Buffer(0)
    made.add(columns_of(0, range(100), range(1, 101), [1] * 100, [b"k"] * 100, [b"v" * 100] * 100, [None] * 100))
    pieces = list(decode(bytes(encode(made.cut(100, "transaction"), kind, ABOUT)), f"x{SUFFIXES[kind]}"))
    assert len(pieces) > 2
    assert [at for rows in pieces for at in rows.offsets] == list(range(100))


def test_a_line_of_json_says_what_is_text_and_what_is_not() -> None:
    lines = [json.loads(line) for line in gzip.decompress(bytes(encode(draft(), "jsonl", ABOUT))).splitlines()]
    assert {tuple(line) for line in lines} == {tuple(lines[0])}, "every line has the same names"
    assert lines[2] == {
        "topic": "t.1", "partition": 3, "offset": 15, "timestamp": -1, "timestamp_type": "NoTimestampType",
        "key": "awD/", "key_encoding": "base64", "value": "", "value_encoding": "utf8",
        "headers": [{"key": "a", "value": text, "encoding": "utf8"} for text in ("1", "2", "1")],
    }  # fmt: skip
    assert (lines[0]["key"], lines[0]["key_encoding"]) == (None, None)
    assert (lines[3]["key"], lines[5]["key_encoding"]) == ("ü€😀\n", "base64")


def test_avro_has_its_schema_with_it() -> None:
    reader = fastavro.reader(io.BytesIO(bytes(encode(draft(), "avro", ABOUT))))
    records: list[Any] = list(reader)
    assert [record["timestamp_type"] for record in records][:3] == ["CreateTime", "LogAppendTime", "NoTimestampType"]
    assert {record["topic"] for record in records} == {"t.1"}
    assert json.loads(reader.metadata["kafka_ferry"]) == ABOUT


@pytest.mark.parametrize(("kind", "reader"), [("parquet", "read_parquet"), ("jsonl", "read_json")])
def test_duckdb_reads_it_as_it_is(kind: Format, reader: str, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}{SUFFIXES[kind]}").write_bytes(bytes(encode(draft(), kind, ABOUT)))
    table = f"{reader}('{tmp_path}/*{SUFFIXES[kind]}')"

    time = "epoch_ms(timestamp)" if kind == "parquet" else "timestamp"

    def ask(query: str) -> list[Any]:
        return duckdb.sql(query.format(table=table, time=time)).fetchall()

    assert ask("select count(*), count(key), count(value), min(\"offset\"), max(partition) from {table}") == [
        (12, 8, 8, 10, 3)
    ]  # fmt: skip
    assert ask('select distinct "offset" from {table} where value is null order by 1') == [(11,), (20,)]
    assert ask('select distinct {time} from {table} where "offset" = 21') == [(1_790_000_000_000,)]
    ((names, values),) = ask(
        "select distinct [h.key for h in headers], [h.value for h in headers] "
        "from {table} where \"offset\" = 15"
    )  # fmt: skip
    assert names == ["a", "a", "a"]
    assert [value.encode() if isinstance(value, str) else bytes(value) for value in values] == [b"1", b"2", b"1"]
    ((last,),) = ask('select distinct headers[2].value from {table} where "offset" = 16')
    assert last is None, "null is not empty"
    assert ask("select distinct key = '' from {table} where \"offset\" = 11") == [(True,)]
    assert ask("select distinct timestamp_type from {table} order by 1") == [
        ("CreateTime",), ("LogAppendTime",), ("NoTimestampType",),
    ]  # fmt: skip


def test_portions_without_a_record_are_refused_as_they_cost_time_and_hold_nothing() -> None:
    data = bytes(encode(draft(), "avro", ABOUT))
    _, marker, at = avro.head_of(data)
    empty = zlib.compress(b"0" * 100_000, wbits=-15)
    with pytest.raises(DamagedSegment, match="says it has 0 records"):
        list(decode(data[:at] + avro._long(0) + avro._long(len(empty)) + empty + marker, "x.avro"))
    sink = io.BytesIO()
    pq.write_table(SCHEMA.empty_table(), sink, use_dictionary=False)
    found = pq.ParquetFile(io.BytesIO(sink.getvalue()))
    assert found.num_row_groups <= 1
    if found.num_row_groups:
        with pytest.raises(DamagedSegment, match="without records"):
            list(decode(sink.getvalue(), "x.parquet"))


@pytest.mark.parametrize("kind", FORMATS)
def test_header_names_that_are_not_utf8_come_back_as_the_bytes_they_are(kind: Format, tmp_path: Path) -> None:
    """Brokers take any bytes. Other headers of the same file keep their names, and other tools can read the file."""
    names = [b"caf\xe9", b"h", "é".encode(), b"\xff\xfe", b"", b"a\xffb"]
    headers = [[(name.decode("utf-8", "surrogateescape"), b"%d" % n)] for n, name in enumerate(names)]
    made = Buffer(0)
    made.add(columns_of(3, [0], [1], [1], [b"k"], [b"v"], [[("plain", b"x")]]))
    made.add(columns_of(3, list(range(1, 7)), [1] * 6, [1] * 6, [b"k"] * 6, [b"v"] * 6, headers))
    data, key = bytes(encode(made.cut(7, "transaction"), kind, {**ABOUT, "begin": 0, "end": 7})), f"x{SUFFIXES[kind]}"
    rows = [one for piece in decode(data, key) for one in piece.headers]
    assert rows == [[("plain", b"x")], *headers]
    hashes = [one for piece in decode(data, key) for one in piece.hashes()]
    assert hashes == [record_hash(1, one, b"k", b"v") for one in rows]
    if kind == "parquet":
        (tmp_path / key).write_bytes(data)
        found = duckdb.sql(f"select headers[1].key from '{tmp_path / key}' order by \"offset\"").fetchall()
        assert [name for (name,) in found] == [b"plain", *names]


@pytest.mark.parametrize("kind", FORMATS)
def test_timestamps_of_any_size_come_back(kind: Format) -> None:
    times = [2**63 - 1, 2**62, 0, -1, -(2**63)]
    made = Buffer(0)
    made.add(columns_of(3, list(range(5)), times, [1] * 5, [b"k"] * 5, [b"v"] * 5, [None] * 5))
    draft = made.cut(5, "transaction")
    assert (draft.describe().min_timestamp, draft.describe().max_timestamp) == (-(2**63), 2**63 - 1)
    data = bytes(encode(draft, kind, {**ABOUT, "begin": 0, "end": 5}))
    assert [at for rows in decode(data, f"x{SUFFIXES[kind]}") for at in rows.timestamps] == times
