"""Segments: what goes in comes out, and what is damaged is refused."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kafka_ferry.jobs.backup.rules.segment import Buffer, decode, holes, offsets_of, row_groups
from kafka_ferry.records.columns import SCHEMA, columns_of
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.record_hash import record_hash
from kafka_ferry.records.rows import Rows

KEYS = [None, b"", b"k\x00\xff", b"k", None]
VALUES = [b"v", None, b"", b"\n" * 1000, None]
HEADERS = [None, [], [("a", b"1"), ("a", b"2"), ("a", b"1")], [("", b""), ("n", None)], [("é😀", b"\xff")]]
OFFSETS = [10, 11, 15, 16, 20]
TIMES = [5, 1, -1, 2**52, 0]


def buffer() -> Buffer:
    made = Buffer(8)
    made.add(columns_of(3, OFFSETS[:2], TIMES[:2], [1, 2], KEYS[:2], VALUES[:2], HEADERS[:2]))
    made.add(columns_of(3, OFFSETS[2:], TIMES[2:], [0, 1, 1], KEYS[2:], VALUES[2:], HEADERS[2:]))
    return made


def encoded() -> bytes:
    return bytes(buffer().cut(25, "transaction").encode({"topic": "t"}))


def test_records_come_back_as_they_were():
    (rows,) = decode(encoded(), "s")
    assert (rows.offsets, rows.timestamps, rows.keys, rows.values) == (OFFSETS, TIMES, KEYS, VALUES)
    assert rows.headers == [headers or [] for headers in HEADERS]
    assert rows.hashes() == [record_hash(*one) for one in zip(TIMES, HEADERS, KEYS, VALUES, strict=True)]
    assert offsets_of(encoded(), "s").tolist() == OFFSETS


def recoded(kinds):
    """The same file with other codes of timestamp types, 32 bits wide: older pyarrows make that of every one."""
    table = pq.read_table(pa.BufferReader(encoded()))
    at = table.schema.get_field_index("timestamp_type")
    field = table.schema.field(at).with_type(pa.dictionary(pa.int32(), pa.string()))
    codes = [kinds.index(kind) for kind in table.column(at).to_pylist()]
    column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(kinds))
    file = io.BytesIO()
    pq.write_table(
        table.set_column(at, field, pa.chunked_array([column])), file, compression="zstd", use_dictionary=
        ["timestamp_type", "headers.list.element.key"],
    )  # fmt: skip
    return file.getvalue()


def test_codes_are_read_as_an_older_pyarrow_widens_them():
    kinds = ["LogAppendTime", "CreateTime", "NoTimestampType"]
    data = recoded(kinds)
    assert pq.read_schema(io.BytesIO(data)).field("timestamp_type").type.index_type == pa.int32()
    (table,), (plain,) = row_groups(data, "s"), row_groups(encoded(), "s")
    assert table.schema.remove_metadata() == plain.schema.remove_metadata() == SCHEMA
    assert table.column("timestamp_type").to_pylist() == plain.column("timestamp_type").to_pylist()
    (rows,) = decode(data, "s")
    assert rows.hashes() == [record_hash(*one) for one in zip(TIMES, HEADERS, KEYS, VALUES, strict=True)]


def test_more_kinds_than_there_are_codes_for_are_damage():
    with pytest.raises(DamagedSegment, match="cannot be read as a segment"):
        list(row_groups(recoded([*map(str, range(200)), "CreateTime", "LogAppendTime", "NoTimestampType"]), "s"))


def test_the_manifests_line_says_what_is_in_it():
    made = buffer()
    segment = made.cut(25, "transaction").describe()
    assert (segment.begin, segment.end, segment.records, segment.missing) == (8, 25, 5, 12)
    assert (segment.min_timestamp, segment.max_timestamp) == (-1, 2**52)
    assert [(gap.begin, gap.end, gap.reason) for gap in segment.gaps] == [
        (8, 10, "transaction"), (12, 15, "transaction"), (17, 20, "transaction"), (21, 25, "transaction"),
    ]  # fmt: skip
    assert segment.bytes == sum(len(part or b"") for part in (*KEYS, *VALUES))
    assert (made.begin, len(made), made.memory) == (25, 0, 0), "the buffer goes on behind it"


def test_an_empty_range_has_no_fingerprint():
    segment = Buffer(3).cut(7, "compaction").describe()
    assert (segment.records, segment.missing, segment.fingerprint, segment.key) == (0, 4, None, None)


def test_other_tools_can_read_it():
    table = pq.read_table(io.BytesIO(encoded()))
    assert table.column_names == ["offset", "partition", "timestamp", "timestamp_type", "key", "value", "headers"]
    assert table.column("partition").to_pylist() == [3] * 5
    assert table.column("timestamp_type").to_pylist() == [
        "CreateTime", "LogAppendTime", "NoTimestampType", "CreateTime", "CreateTime",
    ]  # fmt: skip
    assert table.column("key").to_pylist() == KEYS
    assert table.column("headers").to_pylist()[2] == [
        {"key": "a", "value": b"1"}, {"key": "a", "value": b"2"}, {"key": "a", "value": b"1"},
    ]  # fmt: skip
    assert str(table.schema.field("timestamp").type) == "timestamp[ms, tz=UTC]"


def test_large_segments_are_read_in_pieces():
    made, value = Buffer(0), bytes(100_000)
    made.add(columns_of(0, range(400), [1] * 400, [1] * 400, [None] * 400, [value] * 400, [None] * 400))
    pieces = list(decode(bytes(made.cut(400, "transaction").encode({})), "s"))
    assert len(pieces) >= 2
    assert [offset for rows in pieces for offset in rows.offsets] == list(range(400))


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: b"", lambda data: b"x" * 100])
def test_what_is_no_segment_is_named(damage):
    with pytest.raises(DamagedSegment, match="s/1"):
        list(decode(damage(encoded()), "s/1"))


def test_rows_are_cut_by_time_and_place():
    rows = Rows([1, 2, 3], [10, 30, 20], [b"a", b"b", b"c"], [None] * 3, [[]] * 3)
    assert rows.until(20).keys == [b"a", b"c"]
    assert rows.until(30) is rows
    assert rows.skip(2).offsets == [3]
    assert rows.without_zero(1) is rows
    assert Rows([1, 2, 3], [-1, 0, 2**63 - 1], [], [], []).without_zero(1).timestamps == [-1, 1, 2**63 - 1]


def test_holes():
    assert holes(np.array([], dtype=np.int64), 3, 5) == [(3, 5)]
    assert holes(np.array([3, 4]), 3, 5) == []
    assert holes(np.array([4, 6]), 3, 9) == [(3, 4), (5, 6), (7, 9)]


def test_headers_count_as_memory_too():
    """Records of headers alone would else be held without a bound."""
    made = Buffer(0)
    made.add(columns_of(0, range(10), [1] * 10, [1] * 10, [None] * 10, [None] * 10, [[("h", b"x" * 100_000)]] * 10))
    assert made.bytes == 0
    assert made.memory > 1_000_000
    made.cut(10, "transaction")
    assert made.memory == 0
