"""Parquet files of others: any columns, bounded memory. Pure.

Before a row group is unpacked its pages tell how large it becomes. What a dictionary would make of it is counted before
rows are made, as a page of some bytes can stand for gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kafka_ferry.jobs.backup.rules.decoding import refuse_large
from kafka_ferry.jobs.backup.rules.page_headers import pages, row_group
from kafka_ferry.records.damage import DamagedSegment

_ROWS: Final = 1000
_VALUE_BYTES: Final = 16
#: PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, RLE_DICTIONARY,
#: BYTE_STREAM_SPLIT. Not DELTA_BYTE_ARRAY: what repeats the text before it can grow without end.
_ENCODINGS: Final = {0, 2, 3, 4, 5, 6, 8, 9}


def records(data: Any, what: str) -> Iterator[dict[str, Any]]:
    """The rows of a file, one after the other, with their columns in order.

    Times are the numbers that they are stored as.

    :raises DamagedSegment: it becomes too large, or is packed in a way that is not read.
    """
    view = memoryview(data)
    probe = pq.ParquetFile(pa.BufferReader(pa.py_buffer(data)), pre_buffer=False)
    paths = [probe.schema.column(at).path for at in range(len(probe.schema))]
    texts = [path for at, path in enumerate(paths) if probe.schema.column(at).physical_type == "BYTE_ARRAY"]
    file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(data)), pre_buffer=False, read_dictionary=texts)
    for group in range(file.num_row_groups):
        _check(view, group, what)
        for batch in file.iter_batches(_ROWS, row_groups=[group], use_threads=False):
            refuse_large(what, sum(map(_expanded, batch.columns)))
            columns = [_numbers(column) for column in batch.columns]
            rows = pa.RecordBatch.from_arrays(columns, names=batch.schema.names).to_pylist()
            maps = {field.name: field.type for field in batch.schema if _has_map(field.type)}
            for row in rows:
                yield row | {name: _with_maps(row[name], kind) for name, kind in maps.items()} if maps else row


def _has_map(kind: Any) -> bool:
    return pa.types.is_map(kind) or any(_has_map(kind.field(at).type) for at in range(kind.num_fields))


def _with_maps(node: Any, kind: Any) -> Any:
    """Maps as such: pyarrow makes lists of pairs of them, and an option that does not came after 18.1.

    :raises ValueError: a map has a key twice.
    """
    if node is None or not _has_map(kind):
        return node
    if pa.types.is_struct(kind):
        return {field.name: _with_maps(node[field.name], field.type) for field in kind}
    if not pa.types.is_map(kind):
        return [_with_maps(one, kind.value_type) for one in node]
    found = {name: _with_maps(value, kind.item_type) for name, value in node}
    if len(found) < len(node):
        raise ValueError("a map has a key twice")
    return found


def _check(data: Any, group: int, what: str) -> None:
    _, chunks = row_group(data, group)
    total = 0
    for chunk in chunks:
        values = 0
        for page in pages(data, chunk.begin, chunk.end):
            if page.encoding not in _ENCODINGS:
                raise DamagedSegment(f"{what}: column {chunk.path} has the encoding {page.encoding}, which is not read")
            total += page.size
            values += 0 if page.is_dictionary else page.values
        if values != chunk.values:
            raise DamagedSegment(f"{what}: column {chunk.path} has {values} values, its footer says {chunk.values}")
        total += values * _VALUE_BYTES
        refuse_large(what, total)


def _expanded(column: Any) -> int:
    """Bytes of a column once each value stands for itself."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        found = pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() if len(column) else 0
        return int(found or 0)
    if pa.types.is_struct(kind):
        return sum(_expanded(column.field(at)) for at in range(kind.num_fields))
    if pa.types.is_map(kind):
        return _expanded(column.keys) + _expanded(column.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _expanded(column.flatten())
    return 0


def _numbers(column: Any) -> Any:
    """The column with times as numbers and values in place of a dictionary's codes."""
    wanted = _stored(column.type)
    return column if wanted.equals(column.type) else column.cast(wanted)


def _stored(kind: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return _stored(kind.value_type)
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind) or pa.types.is_duration(kind):
        return pa.int64()
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return pa.int32()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_stored(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_stored(kind.key_type), kind.item_field.with_type(_stored(kind.item_type)))
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_stored(kind.value_type)))
    return kind
