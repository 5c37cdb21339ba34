"""Segments as JSON lines, gzipped: for tools that read text. Pure; nothing is lost on the way.

One record a line, always with the same names, so that a reader finds one schema::

    {"topic": "orders", "partition": 0, "offset": 5, "timestamp": 1700000000000, "timestamp_type": "CreateTime",
     "key": "k", "key_encoding": "utf8", "value": "/wA=", "value_encoding": "base64",
     "headers": [{"key": "h", "value": null, "encoding": null}]}

Bytes that are UTF-8 stand as text, others as base64; the encoding says which, and is null where there is nothing (null
is not empty). Text with a NUL in it goes as base64 too: databases do not take it. Times are ms since 1970.

A header's name that is not UTF-8, which brokers take, stands as base64 beside ``"key_encoding": "base64"``; other
headers have no such field.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

from kafka_ferry.jobs.backup.rules.decoding import DECODED_BYTES, check_place, named, refuse_large, text, whole
from kafka_ferry.jobs.backup.rules.segment import ROW_GROUP_BYTES, Draft, rows_of, timestamp_types
from kafka_ferry.records.rows import Rows

_LEVEL = 1  # 6 takes three times as long for a tenth less (zlib's own figures)

Entry = dict[str, Any]


def encode(draft: Draft, topic: str) -> bytes:
    """The object of a segment."""
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=_LEVEL, mtime=0) as file:  # mtime: same bytes each time
        for batch in draft.tables():
            file.write(_lines(topic, batch).encode())
    return sink.getvalue()


def _lines(topic: str, table: Any) -> str:
    rows, partitions = rows_of(table), table.column("partition").to_pylist()
    columns = zip(rows.offsets, partitions, rows.timestamps, timestamp_types(table), rows.keys, rows.values,
                  rows.headers, strict=True)  # fmt: skip
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
    lines = []
    for offset, partition, timestamp, kind, key, value, headers in columns:
        key_text, key_encoding = _text(key)
        value_text, value_encoding = _text(value)
        record = {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "timestamp": timestamp,
            "timestamp_type": kind,
            "key": key_text,
            "key_encoding": key_encoding,
            "value": value_text,
            "value_encoding": value_encoding,
            "headers": [_header(name, content) for name, content in headers],
        }
        lines.append(dump(record))
    return "\n".join(lines) + "\n" if lines else ""


def _header(name: str, content: bytes | None) -> Entry:
    text, encoding = _text(content)
    try:
        name.encode()
    except UnicodeEncodeError:
        raw = base64.b64encode(name.encode("utf-8", "surrogateescape")).decode()
        return {"key": raw, "key_encoding": "base64", "value": text, "encoding": encoding}
    return {"key": name, "value": text, "encoding": encoding}


def _name(entry: Entry) -> str:
    name = text(entry["key"])
    if entry.get("key_encoding") == "base64":
        return base64.b64decode(name, validate=True).decode("utf-8", "surrogateescape")
    return name


def _text(content: bytes | None) -> tuple[str | None, str | None]:
    if content is None:
        return None, None
    if b"\0" not in content:
        try:
            return content.decode(), "utf8"
        except UnicodeDecodeError:
            pass
    return base64.b64encode(content).decode(), "base64"


def _bytes(text: str | None, encoding: str | None) -> bytes | None:
    if text is None:
        return None
    return base64.b64decode(text, validate=True) if encoding == "base64" else text.encode()


def decode(data: bytes, what: str) -> Iterator[Rows]:
    """Yield the records of an object, some at a time.

    :raises DamagedSegment: it is not what :func:`encode` writes.
    """
    with named(what, "JSON lines"), gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        rows, size = Rows([], [], [], [], []), 0
        # At most one byte more than is taken: a line of zeros without an end packs a thousandfold.
        while line := file.readline(DECODED_BYTES + 1):
            refuse_large(what, len(line))
            _take(rows, json.loads(line), what)
            size += len(line)
            if size >= ROW_GROUP_BYTES:
                yield rows
                rows, size = Rows([], [], [], [], []), 0
        yield rows


def _take(rows: Rows, record: Entry, what: str) -> None:
    check_place(what, record["topic"], record["partition"])
    rows.offsets.append(whole(record["offset"]))
    rows.timestamps.append(whole(record["timestamp"]))
    rows.keys.append(_bytes(record["key"], record["key_encoding"]))
    rows.values.append(_bytes(record["value"], record["value_encoding"]))
    rows.headers.append([(_name(one), _bytes(one["value"], one["encoding"])) for one in record["headers"]])
