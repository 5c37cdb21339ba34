"""Records of one partition as Arrow columns, with the hash of each. Pure.

For the columns themselves see ``segment``. Names of headers are kept as the bytes they are, in a column of strings that
may not be UTF-8; as Python's strings they have surrogate escapes then (PEP 383).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from kafka_ferry.records.record_hash import Headers, record_hash
from kafka_ferry.records.record_size import header_sizes, largest

# librdkafka's rd_kafka_timestamp_type_t, in its order.
TIMESTAMP_TYPES = ("NoTimestampType", "CreateTime", "LogAppendTime")
HEADER = pa.struct([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.binary())])
SCHEMA = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("timestamp", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("timestamp_type", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field("headers", pa.list_(HEADER), nullable=False),
    ]
)

#: The same of a file in which a header's name is not UTF-8: names are binary there, as text they would stop readers.
BINARY_NAMES = SCHEMA.set(
    SCHEMA.get_field_index("headers"),
    pa.field(
        "headers",
        pa.list_(pa.struct([pa.field("key", pa.binary(), nullable=False), pa.field("value", pa.binary())])),
        nullable=False,
    ),
)


@dataclass(frozen=True, eq=False)
class RecordColumns:
    """Some records of one partition, at least one, in offset order.

    :param batch: ``pyarrow.RecordBatch`` of ``SCHEMA``.
    :param offsets: int64. ``timestamps``: ms, int64. ``hashes``: ``record_hash`` of each, uint64.
    :param bytes: of all keys and values.
    :param largest: (row, bytes of a batch of it alone, uncompressed) of the largest record.
    :param largest_batch: (base offset, bytes on the wire) of the largest batch they came in; None: it is not known.
    """

    batch: Any
    offsets: Any
    timestamps: Any
    hashes: Any
    bytes: int
    largest: tuple[int, int]
    largest_batch: tuple[int, int] | None = None


def record_columns(
    partition: int, offsets: Any, timestamps: Any, kinds: Any, keys: Any, values: Any, headers: Any, hashes: Any,
    largest_batch: tuple[int, int] | None = None,
) -> RecordColumns:  # fmt: skip
    """Put finished columns together.

    :param kinds: int8, index into ``TIMESTAMP_TYPES``. ``keys``, ``values``, ``headers``: Arrow arrays that begin at
        the begin of their buffers.
    """
    columns = [
        _numbers(pa.int64(), offsets),
        _numbers(pa.int32(), np.full(len(offsets), partition, dtype=np.int32)),
        _numbers(pa.timestamp("ms", tz="UTC"), timestamps),
        pa.DictionaryArray.from_arrays(_numbers(pa.int8(), kinds), _TYPE_NAMES),
        keys,
        values,
        headers,
    ]
    batch = pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
    return RecordColumns(
        batch,
        offsets,
        timestamps,
        hashes,
        _bytes(keys) + _bytes(values),
        _largest(keys, values, headers),
        largest_batch,
    )


def _largest(keys: Any, values: Any, headers: Any) -> tuple[int, int]:
    """Row and bytes, from the edges alone."""
    names, contents = (headers.values.field(name) for name in ("key", "value"))
    of_headers = header_sizes(_edges(headers), np.diff(_edges(names)), np.diff(_edges(contents)))
    return largest(np.diff(_edges(keys)), np.diff(_edges(values)), of_headers)


def _edges(column: Any) -> Any:
    """Where each value begins, and where the last one ends; int32."""
    edges = column.buffers()[1]
    return np.zeros(1, np.int32) if edges is None else np.frombuffer(edges, np.int32)[: len(column) + 1]


def _numbers(kind: Any, values: Any) -> Any:
    """An Arrow array over numpy's; ``pa.array`` would import pandas first, where it is installed: a second."""
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def _bytes(column: Any) -> int:
    ends = np.frombuffer(column.buffers()[1], np.int32)
    return int(ends[len(column)])


def columns_of(
    partition: int,
    offsets: Sequence[int],
    timestamps: Sequence[int],
    kinds: Sequence[int],
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    headers: Sequence[Headers | None],
    largest_batch: tuple[int, int] | None = None,
) -> RecordColumns:
    """Columns of Python's own values, all lists of equal length."""
    return record_columns(
        partition,
        np.array(offsets, dtype=np.int64),
        np.array(timestamps, dtype=np.int64),
        np.array(kinds, dtype=np.int8),
        _binary(keys),
        _binary(values),
        _header_column(headers),
        np.fromiter(map(record_hash, timestamps, headers, keys, values), np.uint64, len(offsets)),
        largest_batch,
    )


def binary_array(edges: Any, data: Any, there: Any = None, kind: Any = None) -> Any:
    """An Arrow array over these buffers, without a copy.

    :param edges: int32, one more than values. ``there``: bool array, False for null; None: no nulls.
    :param kind: binary by default, or string.
    """
    validity, nulls = None, 0
    if there is not None:
        nulls = len(there) - int(np.count_nonzero(there))
        validity = pa.py_buffer(np.packbits(there, bitorder="little")) if nulls else None
    buffers = [validity, pa.py_buffer(edges), pa.py_buffer(data)]
    return pa.Array.from_buffers(kind or pa.binary(), len(edges) - 1, buffers, nulls)


def header_array(ends: Any, names: Any, values: Any) -> Any:
    """The column of headers: ``ends`` int32, one more than records; ``names``, ``values``: Arrow arrays of all."""
    entries = pa.StructArray.from_arrays([names, values], fields=list(HEADER))
    return pa.ListArray.from_arrays(_numbers(pa.int32(), ends), entries, type=pa.list_(HEADER))


def _binary(values: Sequence[bytes | None]) -> Any:
    """A binary column; five times as fast as ``pa.array`` (measured)."""
    there = None
    if values.count(None):
        there = np.fromiter((value is not None for value in values), np.bool_, len(values))
        values = [value or b"" for value in values]
    ends = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=ends[1:])  # type: ignore[arg-type]
    return binary_array(ends, b"".join(values), there)  # type: ignore[arg-type]


def _header_column(headers: Sequence[Headers | None]) -> Any:
    ends = array("i", [0])
    names: list[str] = []
    values: list[bytes | None] = []
    for some in headers:
        if some:
            names.extend(name for name, _ in some)
            values.extend(value for _, value in some)
        ends.append(len(names))
    raw = _binary([name.encode("utf-8", "surrogateescape") for name in names])
    return header_array(np.array(ends, dtype=np.int32), _text(raw), _binary(values))


def are_text(batch: Any) -> bool:
    """Whether all names of headers are UTF-8. Brokers take any bytes, though clients send text."""
    try:
        batch.column("headers").values.field("key").validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def with_names(batch: Any, kind: Any) -> Any:
    """The same records, with names of headers as binary or string; their bytes stay as they are."""
    schema = BINARY_NAMES if kind == pa.binary() else SCHEMA
    lists = batch.column("headers")
    names, values = lists.values.field("key"), lists.values.field("value")
    names = pa.Array.from_buffers(kind, len(names), names.buffers(), offset=names.offset)
    at = schema.get_field_index("headers")
    entry = schema.field(at).type.value_type
    entries = pa.StructArray.from_arrays([names, values], fields=list(entry))
    made = pa.ListArray.from_arrays(lists.offsets, entries, type=schema.field(at).type)
    return pa.RecordBatch.from_arrays([*batch.columns[:at], made, *batch.columns[at + 1 :]], schema=schema)


def _text(column: Any) -> Any:
    return pa.Array.from_buffers(pa.string(), len(column), column.buffers())


_TYPE_NAMES = _text(_binary([name.encode() for name in TIMESTAMP_TYPES]))
