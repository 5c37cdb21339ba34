"""Segments as Avro object container files (fastavro, deflate). Pure; nothing is lost on the way.

The columns are those of the Parquet segments; ``timestamp`` is a plain long, ms since 1970: a logical type would make
readers refuse times that their dates cannot say.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

import fastavro

from kafka_ferry.backup.columns import TIMESTAMP_TYPES
from kafka_ferry.backup.segment import (
    ROW_GROUP_BYTES,
    DamagedSegment,
    Draft,
    Rows,
    rows_of,
    timestamp_types,
)

SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Record",
    "namespace": "kafka_ferry",
    "fields": [
        {"name": "topic", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "timestamp", "type": "long"},
        {"name": "timestamp_type", "type": {"type": "enum", "name": "TimestampType", "symbols": list(TIMESTAMP_TYPES)}},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"]},
        {
            "name": "headers",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Header",
                    "fields": [{"name": "key", "type": "string"}, {"name": "value", "type": ["null", "bytes"]}],
                },
            },
        },
    ],
}
_PARSED: Final = fastavro.parse_schema(SCHEMA)
_BLOCK_BYTES = 1024 * 1024
_MARKER = b"kafka-ferry-avro"  # 16 bytes; a random one would give one segment another SHA-256 at each try


def encode(draft: Draft, topic: str, about: dict[str, Any]) -> bytes:
    """The object of a segment.

    :param about: put into its metadata, so that an object tells what it is without its manifest.
    """
    sink = io.BytesIO()
    fastavro.writer(
        sink,
        _PARSED,
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
                "headers": [{"key": name, "value": content} for name, content in headers],
            }


def decode(data: bytes, what: str) -> Iterator[Rows]:
    """Yield the records of an object, some at a time.

    :raises DamagedSegment: it is not what :func:`encode` writes.
    """
    try:
        rows, size = Rows([], [], [], [], []), 0
        for record in fastavro.reader(io.BytesIO(data)):
            size += _take(rows, record)
            if size >= ROW_GROUP_BYTES:
                yield rows
                rows, size = Rows([], [], [], [], []), 0
        yield rows
    except (ValueError, EOFError, KeyError, IndexError, TypeError, zlib.error) as error:
        raise DamagedSegment(f"{what}: cannot be read as Avro: {type(error).__name__}") from None


def _take(rows: Rows, record: Any) -> int:
    key, value = record["key"], record["value"]
    rows.offsets.append(record["offset"])
    rows.timestamps.append(record["timestamp"])
    rows.keys.append(key)
    rows.values.append(value)
    rows.headers.append([(one["key"], one["value"]) for one in record["headers"]])
    return len(key or b"") + len(value or b"") + 20
