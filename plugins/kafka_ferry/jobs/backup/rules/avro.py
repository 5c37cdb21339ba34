"""Segments as Avro object container files (fastavro, deflate). Pure; nothing is lost on the way.

The columns are those of the Parquet segments; ``timestamp`` is a plain long, ms since 1970: a logical type would make
readers refuse times that their dates cannot say. In a file with a header's name that is not UTF-8, which brokers take,
names are of the union string, bytes.
"""

from __future__ import annotations

import functools
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

import fastavro

from kafka_ferry.jobs.backup.rules.decoding import DECODED_BYTES, check_about, check_place, named, refuse_large, whole
from kafka_ferry.jobs.backup.rules.page_headers import zigzag
from kafka_ferry.jobs.backup.rules.segment import ROW_GROUP_BYTES, Draft, rows_of, timestamp_types
from kafka_ferry.records.columns import TIMESTAMP_TYPES, are_text
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.rows import Rows


def _schema(name: Any) -> dict[str, Any]:
    """:param name: type of a header's name."""
    symbols = list(TIMESTAMP_TYPES)
    fields = [{"name": "key", "type": name}, {"name": "value", "type": ["null", "bytes"]}]
    header = {"type": "record", "name": "Header", "fields": fields}
    return {
        "type": "record",
        "name": "Record",
        "namespace": "kafka_ferry",
        "fields": [
            {"name": "topic", "type": "string"},
            {"name": "partition", "type": "int"},
            {"name": "offset", "type": "long"},
            {"name": "timestamp", "type": "long"},
            {"name": "timestamp_type", "type": {"type": "enum", "name": "TimestampType", "symbols": symbols}},
            {"name": "key", "type": ["null", "bytes"]},
            {"name": "value", "type": ["null", "bytes"]},
            {"name": "headers", "type": {"type": "array", "items": header}},
        ],
    }


SCHEMA: Final = _schema("string")
_PARSED: Final = fastavro.parse_schema(SCHEMA)
_CANONICAL: Final = fastavro.schema.to_parsing_canonical_form(SCHEMA)
BINARY_NAMES: Final = _schema(["string", "bytes"])
_PARSED_BINARY: Final = fastavro.parse_schema(BINARY_NAMES)
_CANONICAL_BINARY: Final = fastavro.schema.to_parsing_canonical_form(BINARY_NAMES)
_RECORD_BYTES: Final = 8  # one for each field, at the least
_BLOCK_BYTES = 1024 * 1024
_MARKER = b"kafka-ferry-avro"  # 16 bytes; a random one would give one segment another SHA-256 at each try


def encode(draft: Draft, topic: str, about: dict[str, Any]) -> bytes:
    """The object of a segment.

    :param about: put into its metadata, so that an object tells what it is without its manifest.
    """
    sink = io.BytesIO()
    fastavro.writer(
        sink,
        _PARSED if all(map(are_text, draft.batches)) else _PARSED_BINARY,
        _records(draft, topic),
        codec="deflate",
        codec_compression_level=1,
        sync_interval=_BLOCK_BYTES,
        metadata={"kafka_ferry": json.dumps(about)},
        sync_marker=_MARKER,
    )
    return sink.getvalue()


def _records(draft: Draft, topic: str) -> Iterator[dict[str, Any]]:
    for table in draft.tables():
        rows, partitions = rows_of(table), table.column("partition").to_pylist()
        columns = zip(rows.offsets, partitions, rows.timestamps, timestamp_types(table), rows.keys, rows.values,
                      rows.headers, strict=True)  # fmt: skip
        for offset, partition, timestamp, kind, key, value, headers in columns:
            yield {
                "topic": topic,
                "partition": partition,
                "offset": offset,
                "timestamp": timestamp,
                "timestamp_type": kind,
                "key": key,
                "value": value,
                "headers": [{"key": _written(name), "value": content} for name, content in headers],
            }


def _written(name: str) -> str | bytes:
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return name


def _name(found: str | bytes) -> str:
    return found if isinstance(found, str) else found.decode("utf-8", "surrogateescape")


def decode(data: bytes, what: str) -> Iterator[Rows]:
    """Yield the records of an object, some at a time.

    fastavro unpacks a block whole, whatever it becomes, and follows the schema that it finds. So blocks are unpacked
    here, to a bound, and handed to it one by one behind a header of ours.

    :raises DamagedSegment: it is not what :func:`encode` writes.
    """
    with named(what, "Avro"):
        rows, size = Rows([], [], [], [], []), 0
        for head, count, block in _blocks(data, what):
            single = io.BytesIO(head + _long(count) + _long(len(block)) + block + _MARKER)
            for record in fastavro.reader(single):
                size += _take(rows, record, what)
                if size >= ROW_GROUP_BYTES:
                    yield rows
                    rows, size = Rows([], [], [], [], []), 0
        yield rows


def _blocks(data: bytes, what: str) -> Iterator[tuple[bytes, int, bytes]]:
    """Header of a file of ours that could hold it, records and unpacked bytes of each block.

    :raises DamagedSegment: another schema or codec, or a block that would become too large.
    """
    about, marker, at = head_of(data)
    schema = fastavro.schema.to_parsing_canonical_form(json.loads(about["avro.schema"]))
    if schema not in (_CANONICAL, _CANONICAL_BINARY):
        raise DamagedSegment(f"{what}: it has an unexpected schema: {schema[:300]}")
    codec = about.get("avro.codec", b"null")
    if codec not in (b"null", b"deflate"):
        raise DamagedSegment(f"{what}: its codec is {codec[:20]!r}")
    check_about(what, about.get("kafka_ferry"))
    while at < len(data):
        count, at = zigzag(data, at)
        size, at = zigzag(data, at)
        end = at + size
        if size < 0 or data[end : end + len(marker)] != marker:
            raise DamagedSegment(f"{what}: a block at byte {at} does not end where it says")
        block = _inflated(data[at:end], what) if codec == b"deflate" else data[at:end]
        if not 0 < count <= len(block) // _RECORD_BYTES:  # blocks of nothing would unpack for hours
            raise DamagedSegment(f"{what}: a block of {len(block)} bytes says it has {count} records")
        yield _own_head(schema == _CANONICAL_BINARY), count, block
        at = end + len(marker)


def _inflated(block: bytes, what: str) -> bytes:
    unpacking = zlib.decompressobj(-15)
    found = unpacking.decompress(block, DECODED_BYTES + 1)
    refuse_large(what, len(found))
    if not unpacking.eof:
        raise DamagedSegment(f"{what}: a block is cut")
    return found


def head_of(data: bytes) -> tuple[dict[str, bytes], bytes, int]:
    """Metadata, marker and end of a file's header.

    :raises ValueError: it is none. ``IndexError``: it ends too soon.
    """
    if data[:4] != b"Obj\x01":
        raise ValueError("no Avro object container file")
    about, at = dict[str, bytes](), 4
    while True:
        count, at = zigzag(data, at)
        if count < 0:  # its size in bytes follows
            _, at = zigzag(data, at)
        for _ in range(abs(count)):
            name, at = _bytes(data, at)
            about[name.decode()], at = _bytes(data, at)
        if count == 0:
            return about, data[at : at + len(_MARKER)], at + len(_MARKER)


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = zigzag(data, at)
    if size < 0 or at + size > len(data):
        raise ValueError(f"a field of {size} bytes in its header")
    return data[at : at + size], at + size


def _long(number: int) -> bytes:
    number, result = number << 1, bytearray()
    while number > 127:
        result.append(number & 127 | 128)
        number >>= 7
    result.append(number)
    return bytes(result)


@functools.cache
def _own_head(binary_names: bool) -> bytes:
    """The header of a file of ours that is not packed."""
    sink = io.BytesIO()
    fastavro.writer(sink, _PARSED_BINARY if binary_names else _PARSED, [], codec="null", sync_marker=_MARKER)
    data = sink.getvalue()
    return data[: head_of(data)[2]]


def _take(rows: Rows, record: Any, what: str) -> int:
    key, value = record["key"], record["value"]
    check_place(what, record["topic"], record["partition"])
    rows.offsets.append(whole(record["offset"]))
    rows.timestamps.append(whole(record["timestamp"]))
    rows.keys.append(key)
    rows.values.append(value)
    rows.headers.append([(_name(one["key"]), one["value"]) for one in record["headers"]])
    return len(key or b"") + len(value or b"") + 20
