"""What files of others become, record by record; and files that are none. Made by the tests' own writer."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import cramjam
import fastavro
import pyarrow as pa
import pytest

from kafka_ferry.hooks.objects.store import StoredObject
from kafka_ferry.jobs.s3.files.rules import lines as text_lines
from kafka_ferry.jobs.s3.files.rules.file_segment import FileSegment
from kafka_ferry.jobs.s3.files.rules.formats import Formats
from kafka_ferry.jobs.s3.files.rules.names import NamedFile, listing_of, namer_of
from kafka_ferry.jobs.s3.files.rules.records import Losses, Parts, rows_of
from kafka_ferry.jobs.s3.files.rules.rendering import json_text
from kafka_ferry.jobs.s3.files.store.reading import unread
from kafka_ferry.records.damage import DamagedSegment
from others_files import AivenSink, ConfluentSink, LensesSink, Sent, avro, hard, json_lines, parquet, plain

Files = dict[str, bytes]
CONFLUENT = Formats("confluent")


def segment_of(files: Files, formats: Formats = CONFLUENT) -> tuple[FileSegment, Parts]:
    """The one set of files that these are."""
    listing = listing_of([StoredObject(key, len(data), 77) for key, data in files.items()], namer_of(formats))
    assert listing.named == []
    ((one,),) = listing.partitions.values()
    sides = [files[side.key] if side else None for side in (one.keys, one.headers)]
    return unread(one), Parts(files[one.value.key], *sides)


def read(files: Files, key: Any = "string", value: Any = "json", **cut: int) -> tuple[list[Any], set[str]]:
    """(offset, timestamp, key, value, headers) of all records, and what they lack."""
    return read_by(Formats("confluent", key, value), files, **cut)


def read_by(formats: Formats, files: Files, **cut: int) -> tuple[list[Any], set[str]]:
    segment, parts = segment_of(files, formats)
    losses = Losses()
    pieces = rows_of(formats, segment.model_copy(update=cut), parts, losses)
    found = [
        one
        for rows in pieces
        for one in zip(rows.offsets, rows.timestamps, rows.keys, rows.values, map(tuple, rows.headers), strict=True)
    ]
    return found, set(losses.found)


def alone(data: bytes, ending: str = ".json", **formats: Any) -> list[Any]:
    """Values of a file that has nothing beside it."""
    return [one[3] for one in read({f"t+0+0000000000{ending}": data}, **formats)[0]]


@pytest.mark.parametrize("ending", [".json", ".json.gz", ".avro", ".snappy.parquet"])
def test_values_keys_and_headers_come_together(ending: str) -> None:
    files: Files = {}
    records = [plain(number) for number in range(25_000)]
    ConfluentSink(files.__setitem__, "t", ending, keys=True, headers=True).write(3, 1000, records)
    assert len(files) == 3
    found, lost = read(files)
    assert found == [(1000 + at, 77, one.key, one.value, one.headers) for at, one in enumerate(records)]
    assert lost == {"timestamps", "bytes"}


def test_bytes_of_a_byte_array_converter_are_exact() -> None:
    files: Files = {}
    records = [Sent(b"\x00\xff", b"\n\r\0" + bytes([at])) for at in range(9)] + [Sent(b"k", None), Sent(b"", b"")]
    ConfluentSink(files.__setitem__, "t", base64=True, keys=True).write(0, 0, records)
    found, lost = read(files, key="base64", value="base64")
    assert [one[2:4] for one in found] == [(one.key, one.value) for one in records]
    assert lost == {"timestamps", "headers"}


def test_strings_are_their_text_and_json_is_what_stands_there() -> None:
    data = json_lines(['"ü\\n\\ud83d\\ude00"', "null", '""'])
    assert alone(data, value="string") == ["ü\n😀".encode(), None, b""]
    assert alone(json_lines(['{"b": 1.10,  "a":[1E2]}', "null", "7"])) == [b'{"b": 1.10,  "a":[1E2]}', None, b"7"]


def test_avro_becomes_json_as_connect_writes_it() -> None:
    schema = {
        "type": "record", "name": "com.x.Order", "fields": [
            {"name": "id", "type": "long"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
            {"name": "raw", "type": "bytes"},
            {"name": "sum", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            {"name": "one", "type": {"type": "record", "name": "Line", "fields": [{"name": "x", "type": "string"}]}},
            {"name": "more", "type": {"type": "array", "items": "com.x.Line"}},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
            {"name": "map", "type": {"type": "map", "values": ["null", "double"]}},
        ],
    }  # fmt: skip
    record = {
        "id": 2**62, "at": 1_700_000_000_123, "day": None, "raw": b"\x00\xff", "sum": Decimal("12.30"),
        "one": {"x": "ü"}, "more": [{"x": "1"}, {"x": "2"}], "kind": "B", "map": {"a": float("nan"), "b": None},
    }  # fmt: skip
    expected = (
        '{"id":4611686018427387904,"at":1700000000123,"day":null,"raw":"AP8=","sum":12.30,"one":{"x":"ü"},'
        '"more":[{"x":"1"},{"x":"2"}],"kind":"B","map":{"a":"NaN","b":null}}'
    )
    for codec in ("null", "deflate", "snappy", "bzip2", "xz"):
        assert alone(avro(schema, [record] * 3, codec), ".avro") == [expected.encode()] * 3
    assert alone(avro("bytes", [b"\x00\xff", b""]), ".avro", value="base64") == [b"\x00\xff", b""]
    assert alone(avro(["null", "string"], ["ü", None]), ".avro", value="string") == ["ü".encode(), None]


def test_parquet_becomes_the_same_json() -> None:
    rows = [{"id": 2**62, "at": 1_700_000_000_123, "tags": ["a", "b"], "map": [("k", 1.5)], "one": {"x": "ü"},
             "raw": b"\x00\xff", "sum": Decimal("12.30"), "none": None}]  # fmt: skip
    schema = pa.schema([
        ("id", pa.int64()), ("at", pa.timestamp("ms")), ("tags", pa.list_(pa.string())),
        ("map", pa.map_(pa.string(), pa.float64())), ("one", pa.struct([("x", pa.string())])), ("raw", pa.binary()),
        ("sum", pa.decimal128(9, 2)), ("none", pa.string()),
    ])  # fmt: skip
    for codec in ("snappy", "gzip", "zstd", "none"):
        (value,) = alone(parquet(rows, schema, codec), ".parquet")
        assert value.decode() == (
            '{"id":4611686018427387904,"at":1700000000123,"tags":["a","b"],"map":{"k":1.5},"one":{"x":"ü"},'
            '"raw":"AP8=","sum":12.30,"none":null}'
        )


def test_maps_of_parquet_are_objects_wherever_they_are() -> None:
    kind = pa.map_(pa.string(), pa.struct([("m", pa.map_(pa.string(), pa.int64()))]))
    schema = pa.schema([("a", kind), ("b", pa.list_(pa.map_(pa.string(), pa.int64()))), ("c", pa.list_(pa.int64()))])
    rows = [
        {"a": [("x", {"m": [("y", 1)]}), ("z", None)], "b": [[("k", 2)], [], None], "c": []},
        {"a": [], "b": None, "c": None},
    ]
    assert alone(parquet(rows, schema), ".parquet") == [
        b'{"a":{"x":{"m":{"y":1}},"z":null},"b":[{"k":2},{},null],"c":[]}', b'{"a":{},"b":null,"c":null}',
    ]  # fmt: skip
    with pytest.raises(DamagedSegment, match="a map has a key twice"):
        alone(parquet([{"a": [("x", None), ("x", None)]}], pa.schema([("a", kind)])), ".parquet")


def test_records_that_a_file_before_it_has_are_left_out() -> None:
    data = {"t+0+0000000010.json": json_lines("12345")}
    found, _ = read(data, begin=12, end=14)
    assert [one[:1] + one[3:4] for one in found] == [(12, b"3"), (13, b"4")]
    found, _ = read(data, begin=17, end=20, moved=5)
    assert [one[0] for one in found] == [17, 18, 19]


def test_whatever_packs_text_is_told_by_its_first_bytes() -> None:
    text = json_lines(str(at) for at in range(70_000))
    block = [bytes(cramjam.snappy.compress_raw(text[at : at + 32768])) for at in range(0, len(text), 32768)]
    xerial = b"\x82SNAPPY\x00" + bytes(8) + b"".join(len(one).to_bytes(4, "big") + one for one in block)
    zstd = pa.compress(text, "zstd", asbytes=True)
    for data in (text, gzip.compress(text), zstd, xerial):
        assert b"\n".join(text_lines.lines(data, "x")) + b"\n" == text
    twice = gzip.compress(text) + gzip.compress(text)
    assert sum(1 for _ in text_lines.lines(twice, "x")) == 140_000, "files that were put together"
    assert list(text_lines.lines(b"", "x")) == []


BOMB = gzip.compress(b'"' + b"0" * 3_000_000 + b'"')
_NODE = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}
_NOTHING = {"type": "array", "items": {"type": "record", "name": "E", "fields": []}}
_NULLS = {"type": "array", "items": {"type": "record", "name": "E", "fields": [{"name": "n", "type": "null"}]}}


def container(schema: Any, count: int, block: bytes) -> bytes:
    """A file with a block that says it has so many records."""
    sink, marker = io.BytesIO(), b"0123456789abcdef"
    fastavro.writer(sink, schema, [], sync_marker=marker)
    size, number = io.BytesIO(), io.BytesIO()
    fastavro.schemaless_writer(number, "long", count)
    fastavro.schemaless_writer(size, "long", len(block))
    return sink.getvalue() + number.getvalue() + size.getvalue() + block + marker


@pytest.mark.parametrize(
    ("ending", "data", "why"),
    [
        (".json", b'{"a":1}\n{"a":', "cannot be read as json"),
        (".json", b"\xff\xfe\n", "cannot be read as json"),
        (".json", b"NaN\n", "NaN is not JSON"),
        (".json", b"[" * 100_000 + b"\n", "RecursionError"),
        (".json", gzip.compress(b'"x"\n')[:-9], "cannot be read as json"),
        (".json", pa.compress(b'"x"\n' * 99, "zstd", asbytes=True)[:-3], "cannot be read as json"),
        (".avro", b"Obj\x01", "cannot be read as avro"),
        (".avro", b"", "cannot be read as avro"),
        (".avro", avro("string", ["abc"] * 9)[:-20], "the file is cut or damaged"),
        (".avro", avro(_NODE, []), "in itself"),
        (".avro", container(_NOTHING, 1, b"\x80\x80\x80\x80\x80\x80\x80\x01\x00"), "a list of nothing"),
        (".avro", container(_NULLS, 1, b"\x80\x80\x80\x80\x80\x80\x80\x01\x00"), "a list of nothing"),
        (".avro", container("null", 2**40, b"\x00"), "says it has 1099511627776 records"),
        (".avro", container("string", 1, b"\x02a\x02b"), "more in it than its 1 records"),
        (".parquet", b"PAR1", "cannot be read as parquet"),
        (".parquet", parquet([{"a": 1}])[:-9], "cannot be read as parquet"),
        (".parquet", parquet([{"a": "x" * at} for at in range(9)], use_dictionary=False,
                             column_encoding={"a": "DELTA_BYTE_ARRAY"}), "the encoding 7, which is not read"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,  # bytes with times and marks in them name no test
)  # fmt: skip
def test_a_file_that_is_none_is_named_with_the_reason(ending: str, data: bytes, why: str) -> None:
    with pytest.raises(DamagedSegment, match=why) as raised:
        alone(data, ending)
    assert "t+0+0000000000" in str(raised.value)


def test_a_line_and_a_file_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "LINE_BYTES", 1_000_000)
    with pytest.raises(DamagedSegment, match="a line has more than 1,000,000 bytes"):
        alone(BOMB)
    monkeypatch.setattr(text_lines, "_UNPACKED", 100_000)
    with pytest.raises(DamagedSegment, match="which no sink makes of records"):
        alone(gzip.compress(b"0\n" * 3_000_000))


def test_a_dictionary_that_stands_for_more_than_fits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from kafka_ferry.jobs.backup.rules import decoding

    monkeypatch.setattr(decoding, "DECODED_BYTES", 5_000_000)
    small = parquet([{"a": "x" * 10_000}] * 1000, codec="zstd")
    assert len(small) < 10_000
    with pytest.raises(DamagedSegment, match="at most 5,000,000 are taken"):
        alone(small, ".parquet")
    nested = parquet([{"a": [{"b": "x" * 10_000}]}] * 1000, codec="zstd")
    with pytest.raises(DamagedSegment, match="at most 5,000,000 are taken"):
        alone(nested, ".parquet")


def test_files_beside_each_other_must_have_as_many_records() -> None:
    files = {"t+0+0000000000.json": json_lines("123"), "t+0+0000000000.keys.json": json_lines(['"a"', '"b"'])}
    with pytest.raises(DamagedSegment, match=r"not the same number of records: one of them ends after 2"):
        read(files)


@pytest.mark.parametrize(
    ("line", "formats", "why"),
    [
        ("7", {"value": "string"}, "a value is a number, not a string: param value_format says string"),
        ('{"a":1}', {"value": "base64"}, "a value is an object, not a string: param value_format says base64"),
        ('"no base64!"', {"value": "base64"}, "a value is not base64: param value_format says so"),
        ('"\\ud800"', {"value": "string"}, "surrogates not allowed"),
    ],
)
def test_what_is_not_of_the_format_names_the_param(line: str, formats: Any, why: str) -> None:
    with pytest.raises(DamagedSegment, match=why):
        alone(json_lines([line]), **formats)


def test_numbers_keep_their_digits() -> None:
    assert json_text({"a": Decimal("1.10"), "b": 10**30, "c": [Decimal("1E+500")], "d": float("-inf")}) == (
        '{"a":1.10,"b":1000000000000000000000000000000,"c":[1E+500],"d":"-Infinity"}'
    )
    assert json.loads(json_text({"ü\n": b"\x00", "x": float("nan")})) == {"ü\n": "AA==", "x": "NaN"}


def test_a_named_file_is_what_the_listing_gave() -> None:
    one = namer_of(CONFLUENT).read(StoredObject("t+0+5.json", 3, 9))
    assert isinstance(one, NamedFile)
    assert (unread_of(one).first, unread_of(one).modified) == (5, 9)


def unread_of(one: NamedFile) -> FileSegment:
    from kafka_ferry.jobs.s3.files.rules.names import FileSet

    return unread(FileSet(one))


BYTES: dict[str, Any] = {"key": "base64", "value": "base64", "header": "base64"}


def aiven(kind: str, **more: Any) -> Formats:
    return Formats("aiven", **{**BYTES, "template": f"{AivenSink.template}.{kind}", **more})


@pytest.mark.parametrize(("kind", "packed"), [("jsonl", True), ("jsonl", False), ("json", True)])
def test_aivens_envelope_has_all_of_a_record(kind: str, packed: bool) -> None:
    files: Files = {}
    records = [hard(number) for number in range(300)]
    AivenSink(files.__setitem__, "t", kind, packed).write(3, 1000, records)
    found, lost = read_by(aiven(kind), files)
    assert found == [(1000 + at, one.timestamp, one.key, one.value, one.headers) for at, one in enumerate(records)]
    assert lost == set()


@pytest.mark.parametrize("kind", ["parquet", "avro"])
def test_aivens_avro_and_parquet_have_headers_without_order_and_repetition(kind: str) -> None:
    files: Files = {}
    records = [hard(number) for number in range(300)]
    records = [replace(one, headers=tuple((name, value or b"") for name, value in one.headers)) for one in records]
    AivenSink(files.__setitem__, "t", kind).write(3, 1000, records)
    found, lost = read_by(aiven(kind), files)
    assert found == [
        (1000 + at, one.timestamp, one.key, one.value, tuple(dict(one.headers).items()))
        for at, one in enumerate(records)
    ]
    assert lost == {"headers"}


def test_aivens_csv_knows_no_difference_between_null_and_empty() -> None:
    files: Files = {}
    records = [replace(hard(at), headers=(("a", b"1"), ("a", b"\xff"))) for at in range(40)] + [Sent(b"", b"")]
    sink = AivenSink(files.__setitem__, "t", "csv", fields=("value", "key", "headers", "timestamp", "offset"))
    sink.write(0, 7, records)
    found, lost = read_by(aiven("csv", fields=sink.fields), files)
    assert [one[1:] for one in found] == [
        (one.timestamp, one.key or None, one.value or None, one.headers) for one in records
    ]
    assert lost == {"bytes"}
    with pytest.raises(DamagedSegment, match="a line has 5 fields, param csv_fields 2"):
        read_by(aiven("csv", fields=("key", "value")), files)


def test_what_aivens_fields_leave_out_is_lost() -> None:
    files: Files = {}
    AivenSink(files.__setitem__, "t", fields=("value",)).write(0, 50, [hard(at) for at in range(4)])
    found, lost = read_by(aiven("jsonl"), files)
    assert [one[:4] for one in found] == [(50 + at, 77, None, hard(at).value) for at in range(4)]
    assert lost == {"keys", "headers", "timestamps"}
    name = "backup/t/2026/0000000000-00000000000000000007.jsonl"
    alone = {name: b'{"a": 1.10}\n{"a":2}'}
    found, _ = read_by(aiven("jsonl", envelope=False, value="json"), alone)
    assert [one[3] for one in found] == [b'{"a": 1.10}', b'{"a":2}']
    with pytest.raises(DamagedSegment, match="param envelope is false"):
        read_by(aiven("jsonl", value="json"), alone)
    with pytest.raises(DamagedSegment, match="its first record has offset 9, its name 7"):
        read_by(aiven("jsonl"), {name: b'{"value":null,"offset":9}'})


@pytest.mark.parametrize(
    ("said", "ms"),
    [
        ('"2026-01-01T00:00:00Z"', 1_767_225_600_000), ('"2026-01-01T00:00:00.123Z"', 1_767_225_600_123),
        ('"2026-01-01T00:00:00"', 1_767_225_600_000), ('"9999-12-31T23:59:59.999Z"', 253_402_300_799_999), ("7", 7),
    ],
)  # fmt: skip
def test_times_of_aiven_are_exact(said: str, ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    name = "backup/t/2026/0000000000-00000000000000000000.jsonl"
    found, _ = read_by(aiven("jsonl"), {name: f'{{"value":null,"timestamp":{said}}}'.encode()})
    assert [one[1] for one in found] == [ms]


def test_aivens_json_values_and_headers_of_other_converters() -> None:
    name = "backup/t/2026/0000000000-00000000000000000000.jsonl"
    line = b'{"key":"k","value":{"a":1.10,"b":"\xc3\xbc"},"headers":[{"key":"h","value":"x"},{"key":"n","value":7}]}'
    found, lost = read_by(aiven("jsonl", key="string", value="json", header="string"), {name: line})
    assert found == [(0, 77, b"k", '{"a":1.10,"b":"ü"}'.encode(), (("h", b"x"), ("n", b"7")))]
    assert lost == {"timestamps", "bytes"}


@pytest.mark.parametrize("kind", ["json", "avro", "parquet"])
def test_lenses_envelope(kind: str) -> None:
    files: Files = {}
    records = [replace(hard(at), headers=(("a", b"1"), ("b", b"x"))) for at in range(300)]
    LensesSink(files.__setitem__, "t", kind).write(3, 1000, records)
    found, lost = read_by(Formats("lenses"), files)
    assert found == [(1000 + at, one.timestamp, one.key, one.value, one.headers) for at, one in enumerate(records)]
    assert lost == {"headers"}, "a map"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"a":1}', "no metadata with its offset: the sink's store.envelope was not set"),
        (
            '{"value":"x","metadata":{"offset":1,"partition":4,"topic":"t"}}',
            "of partition 4, but its name says 3",
        ),
        (
            '{"value":"x","metadata":{"offset":1,"partition":3,"topic":"u"}}',
            "of topic 'u', but its name says 't'",
        ),
        ('{"value":"x","metadata":{"offset":"1"}}', "is not a 64-bit number"),
    ],
)
def test_what_is_no_envelope_of_lenses_is_named(line: str, why: str) -> None:
    with pytest.raises(DamagedSegment, match=why):
        read_by(Formats("lenses", value="string"), {"t/3/1.json": line.encode()})
