"""Records of a segment as the buffers they lie in: hashed and sent without an object for each. Pure; loads Numba."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit, types

from kafka_ferry.records.columns import columns_of
from kafka_ferry.records.rows import Rows
from kafka_ferry.records.varint import put_varint
from kafka_ferry.records.xxh64 import xxh64

u64: Any = types.uint64
i64: Any = types.int64


class Packed(NamedTuple):
    """Binaries, one behind the other; Numba takes it as it is.

    :param edges: int32, one more than binaries. ``data``: uint8, at least one. ``there``: bool, False for null.
    """

    edges: Any
    data: Any
    there: Any

    @classmethod
    def of(cls, column: Any) -> Packed:
        """:param column: Arrow array of binaries or strings."""
        _, edges, data = column.buffers()
        ends = _view(edges, np.int32, column.offset, len(column) + 1)
        content = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
        return cls(ends, content, _there(column))

    def first(self, count: int) -> Packed:
        return Packed(self.edges[: count + 1], self.data, self.there[:count])

    def skip(self, count: int) -> Packed:
        return Packed(self.edges[count:], self.data, self.there[count:])

    def bytes(self) -> int:
        return int(self.edges[-1]) - int(self.edges[0])


@dataclass(frozen=True, eq=False)
class PackedRows:
    """What ``segment.Rows`` is, and can do, in buffers.

    :param offsets, timestamps: int64. ``lists``: int32, edges of each record's headers in ``names`` and ``contents``.
    """

    offsets: Any
    timestamps: Any
    keys: Packed
    values: Packed
    lists: Any
    names: Packed
    contents: Packed
    table: Any

    @classmethod
    def of(cls, table: Any) -> PackedRows:
        """:param table: with the columns of a segment, in one piece each."""
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        columns = {name: one.chunk(0) if isinstance(one, pa.ChunkedArray) else one for name, one in columns.items()}
        headers = columns["headers"]
        entries = headers.values
        return cls(
            offsets=_numbers(columns["offset"]),
            timestamps=_numbers(columns["timestamp"]),
            keys=Packed.of(columns["key"]),
            values=Packed.of(columns["value"]),
            lists=_view(headers.buffers()[1], np.int32, headers.offset, len(headers) + 1),
            names=Packed.of(entries.field("key")),
            contents=Packed.of(entries.field("value")),
            table=table,
        )

    @classmethod
    def of_rows(cls, rows: Rows) -> PackedRows:
        """The same records; at least one."""
        kinds = [0] * len(rows)
        made = columns_of(0, rows.offsets, rows.timestamps, kinds, rows.keys, rows.values, rows.headers)
        return cls.of(pa.Table.from_batches([made.batch]))

    def __len__(self) -> int:
        return len(self.offsets)

    def hashes(self) -> Any:
        """``record_hash`` of each, uint64."""
        return _hashes(self.timestamps, self.keys, self.values, self.lists, self.names, self.contents)

    def bytes(self) -> int:
        return self.keys.bytes() + self.values.bytes()

    def until(self, timestamp: int) -> PackedRows:
        """Only the records that are not younger."""
        kept = self.timestamps <= timestamp
        if kept.all():
            return self
        bits = pa.py_buffer(np.packbits(kept, bitorder="little"))
        return PackedRows.of(self.table.filter(pa.Array.from_buffers(pa.bool_(), len(kept), [None, bits])))

    def without_zero(self, timestamp: int) -> PackedRows:
        """With this timestamp in the place of 0."""
        return replace(self, timestamps=np.where(self.timestamps == 0, timestamp, self.timestamps))

    def first(self, count: int) -> PackedRows:
        """Only the first ``count`` records."""
        return replace(
            self,
            offsets=self.offsets[:count],
            timestamps=self.timestamps[:count],
            keys=self.keys.first(count),
            values=self.values.first(count),
            lists=self.lists[: count + 1],
        )

    def skip(self, count: int) -> PackedRows:
        """Without the first ``count`` records."""
        return replace(
            self,
            offsets=self.offsets[count:],
            timestamps=self.timestamps[count:],
            keys=self.keys.skip(count),
            values=self.values.skip(count),
            lists=self.lists[count:],
        )


def _view(buffer: Any, kind: Any, offset: int, count: int) -> Any:
    if buffer is None or buffer.size == 0:  # Arrow leaves the edges of nothing out
        return np.zeros(count, kind)
    return np.frombuffer(buffer, kind)[offset : offset + count]


def _numbers(column: Any) -> Any:
    return _view(column.buffers()[1], np.int64, column.offset, len(column))


def _there(column: Any) -> Any:
    validity = column.buffers()[0]
    if validity is None or column.null_count == 0:
        return np.ones(len(column), np.bool_)
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return bits[column.offset : column.offset + len(column)].astype(np.bool_)


@njit(cache=True, nogil=True)
def _hashes(timestamps: Any, keys: Any, values: Any, lists: Any, names: Any, contents: Any) -> Any:
    count = len(timestamps)
    result = np.empty(count, np.uint64)
    largest = 5
    for at in range(count):
        first, last = lists[at], lists[at + 1]
        size = names.edges[last] - names.edges[first] + contents.edges[last] - contents.edges[first]
        largest = max(largest, 5 + 10 * (last - first) + size)
    buffer = np.empty(largest, np.uint8)
    begin, none = u64(buffer.ctypes.data), u64(0xFFFFFFFFFFFFFFFF)
    key_data, value_data = u64(keys.data.ctypes.data), u64(values.data.ctypes.data)
    for at in range(count):
        end = put_varint(i64(lists[at + 1] - lists[at]), buffer, 0)
        for one in range(lists[at], lists[at + 1]):
            size = names.edges[one + 1] - names.edges[one]
            end = put_varint(i64(size), buffer, end)
            for place in range(size):
                buffer[end + place] = names.data[names.edges[one] + place]
            end += size
            if not contents.there[one]:
                end = put_varint(i64(-1), buffer, end)
            else:
                size = contents.edges[one + 1] - contents.edges[one]
                end = put_varint(i64(size), buffer, end)
                for place in range(size):
                    buffer[end + place] = contents.data[contents.edges[one] + place]
                end += size
        seed = xxh64(begin, u64(end), u64(timestamps[at]))
        if keys.there[at]:
            seed = xxh64(key_data + u64(keys.edges[at]), u64(keys.edges[at + 1] - keys.edges[at]), seed)
        else:
            seed = xxh64(begin, u64(0), seed ^ none)
        if values.there[at]:
            seed = xxh64(value_data + u64(values.edges[at]), u64(values.edges[at + 1] - values.edges[at]), seed)
        else:
            seed = xxh64(begin, u64(0), seed ^ none)
        result[at] = seed
    return result
