"""Segments: records of one partition as a Parquet file, and back. Pure; nothing is lost on the way.

Columns, as DuckDB, Athena and Spark read them: ``offset`` int64, ``partition`` int32, ``timestamp`` (ms, UTC),
``timestamp_type`` (CreateTime, LogAppendTime, NoTimestampType), ``key`` and ``value`` (binary; null is not empty), and
``headers``, a list of (key, value) in order, with duplicates, values binary or null. zstd. In a file with a header's
name that is not UTF-8 these names are binary.

Kafka knows no difference between no headers and an empty list of them: both are an empty list here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kafka_ferry.jobs.backup.rules.decoding import named
from kafka_ferry.jobs.backup.rules.manifest import GAPS_NAMED, Gap, LargestBatch, LargestRecord, Segment
from kafka_ferry.records.columns import BINARY_NAMES, SCHEMA, RecordColumns, are_text, with_names
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.record_size import packed_size, record_bytes
from kafka_ferry.records.rows import Rows

ROW_GROUP_BYTES = 16 * 1024 * 1024
"""Key and value bytes of a row group: what a reader holds decoded at once."""

RECORD_OVERHEAD = 24
"""Bytes that a buffered record takes beside its columns in Arrow: offset, timestamp, hash."""


class Buffer:
    """Takes the records of one partition until they make a segment.

    :param begin: first offset of the range that the next segment covers.
    """

    def __init__(self, begin: int) -> None:
        self._clear(begin)

    def _clear(self, begin: int) -> None:
        self.begin, self.bytes, self._columns = begin, 0, 0
        self._pieces: list[RecordColumns] = []
        self._count, self.next = 0, begin

    def __len__(self) -> int:
        return self._count

    @property
    def memory(self) -> int:
        return self._columns + len(self) * RECORD_OVERHEAD

    def add(self, columns: RecordColumns) -> None:
        """Add records behind those that are there."""
        self._pieces.append(columns)
        self._count += len(columns.offsets)
        self.next = int(columns.offsets[-1]) + 1
        self.bytes += columns.bytes
        self._columns += columns.batch.nbytes  # headers too, which ``bytes`` leaves out

    def cut(self, end: int, reason: Any) -> Draft:
        """Take what is there as a segment that covers all up to ``end``; the buffer goes on from there.

        :param reason: of gaps, see :class:`Gap`.
        """
        pieces = self._pieces
        draft = Draft(
            begin=self.begin,
            end=end,
            batches=[piece.batch for piece in pieces],
            offsets=np.concatenate([np.empty(0, np.int64), *(piece.offsets for piece in pieces)]),
            hashes=np.concatenate([np.empty(0, np.uint64), *(piece.hashes for piece in pieces)]),
            timestamps=[piece.timestamps for piece in pieces],
            bytes=self.bytes,
            largest=[piece.largest for piece in pieces],
            largest_batches=[piece.largest_batch for piece in pieces],
            reason=reason,
        )
        self._clear(end)
        return draft


class ScratchBuffer:
    """Memory that Parquet files are written into, one after the other.

    New memory for each cost 0.2 of an export's 4.7 s (measured, 1 GB): the kernel clears every page of it.
    """

    def __init__(self) -> None:
        self._memory = pa.allocate_buffer(0)

    def of(self, size: int) -> Any:
        """A buffer for the file of records of so many bytes in Arrow's memory; what is not used costs nothing."""
        # Parquet's plain encoding is no larger than Arrow's; zstd adds half a percent at the worst, each page a header.
        if self._memory.size < (needed := size + size // 8 + 1024 * 1024):
            self._memory = pa.allocate_buffer(needed)
        return self._memory


@dataclass(frozen=True, eq=False)
class Draft:
    """A segment's records, not yet written."""

    begin: int
    end: int
    batches: list[Any]
    offsets: Any
    hashes: Any
    timestamps: list[Any]
    bytes: int
    largest: list[tuple[int, int]]
    largest_batches: list[tuple[int, int] | None]
    reason: Any

    def describe(self) -> Segment:
        """All of the manifest's line that is known before the object is."""
        content = PartitionContent(self.offsets, self.hashes, self.bytes, self.begin, self.end)
        times = np.concatenate(self.timestamps) if self.timestamps else None
        gaps = holes(self.offsets, self.begin, self.end)
        return Segment(
            begin=self.begin,
            end=self.end,
            records=len(self.offsets),
            bytes=self.bytes,
            min_timestamp=None if times is None else int(times.min()),
            max_timestamp=None if times is None else int(times.max()),
            fingerprint=Fingerprint.of(content).to_json() if len(self.offsets) else None,
            missing=self.end - self.begin - len(self.offsets),
            gaps=[Gap(begin=begin, end=end, reason=self.reason) for begin, end in gaps[:GAPS_NAMED]],
            largest_record=self._largest_record(),
            largest_batch=self._largest_batch(),
        )

    def _largest_record(self) -> LargestRecord | None:
        if not self.batches:
            return None
        piece, (row, size) = max(enumerate(self.largest), key=lambda one: one[1][1])
        record = with_names(self.batches[piece].slice(row, 1), pa.binary())
        key, value, headers = (record.column(name)[0].as_py() for name in ("key", "value", "headers"))
        packed = packed_size(record_bytes(key, value, [(one["key"], one["value"]) for one in headers]))
        return LargestRecord(offset=record.column("offset")[0].as_py(), bytes=size, packed=packed)

    def _largest_batch(self) -> LargestBatch | None:
        known = [one for one in self.largest_batches if one is not None]
        if not known or len(known) < len(self.largest_batches):
            return None
        offset, size = max(known, key=lambda one: one[1])
        return LargestBatch(offset=offset, bytes=size)

    def tables(self) -> Iterator[Any]:
        """The records as tables of some thousand."""
        return (pa.Table.from_batches([batch], SCHEMA) for batch in self.batches)

    def encode(self, about: dict[str, Any], scratch: ScratchBuffer | None = None) -> memoryview:
        """The Parquet file.

        :param about: put into its footer, so that an object tells what it is without its manifest.
        :param scratch: to write it into; it is good until the next one is. None: memory of its own.
        """
        batches, schema = self.batches, SCHEMA
        if not all(map(are_text, batches)):
            batches, schema = [with_names(batch, pa.binary()) for batch in batches], BINARY_NAMES
        table = pa.Table.from_batches(batches, schema.with_metadata({"kafka_ferry": json.dumps(about)}))
        memory = (scratch or ScratchBuffer()).of(sum(batch.nbytes for batch in self.batches))
        sink = pa.FixedSizeBufferWriter(memory)
        pq.write_table(
            table,
            sink,
            compression="zstd",
            compression_level=1,  # 3 costs twice the time for some 5 % (zstd's own figures)
            use_dictionary=["timestamp_type", "headers.list.element.key"],
            write_statistics=["offset", "timestamp"],
            row_group_size=max(1, len(self.offsets) * ROW_GROUP_BYTES // max(1, self.bytes + 20 * len(self.offsets))),
        )
        return memoryview(memory)[: sink.tell()]


def _values(column: Any) -> list[bytes | None]:
    """The other way round; ten times as fast as ``to_pylist`` (measured)."""
    if len(column) == 0:
        return []
    _, ends, data = column.buffers()
    edges = np.frombuffer(ends, np.int32)[column.offset : column.offset + len(column) + 1].tolist()
    content = b"" if data is None else data.to_pybytes()
    found: list[bytes | None] = [content[begin:end] for begin, end in pairwise(edges)]
    if column.null_count:
        for at in np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False)).tolist():
            found[at] = None
    return found


def holes(offsets: Any, begin: int, end: int) -> list[tuple[int, int]]:
    """Runs of offsets in ``[begin, end)`` that are not among the sorted ``offsets``."""
    edges = np.concatenate(([begin - 1], offsets, [end]))
    at = np.flatnonzero(np.diff(edges) > 1)
    return [(int(edges[i]) + 1, int(edges[i + 1])) for i in at]


def decode(data: bytes, what: str) -> Iterator[Rows]:
    """Yield the records of a segment, a row group at a time.

    :raises DamagedSegment: it is no segment.
    """
    with named(what, "a segment"):
        yield from map(rows_of, row_groups(data, what))


def row_groups(data: bytes, what: str) -> Iterator[Any]:
    """Yield a segment's tables, a row group each.

    :raises DamagedSegment: it is no segment.
    """
    from kafka_ferry.jobs.backup.rules.parquet_check import check_group, open_file, read_group

    with named(what, "a segment"):
        file = open_file(data, what)
        for group in range(file.num_row_groups):
            check_group(group, data, what)
            table = read_group(file, group)
            table.validate(full=True)  # edges in order and inside, text that is UTF-8: what comes then trusts it
            if table.schema.field("headers").type != SCHEMA.field("headers").type:
                table = pa.Table.from_batches([with_names(one, pa.string()) for one in table.to_batches()], SCHEMA)
            yield table


def offsets_of(data: bytes, what: str) -> Any:
    """Only the offsets, as an array of int64.

    :raises DamagedSegment: it is no segment.
    """
    from kafka_ferry.jobs.backup.rules.parquet_check import check_group, open_file

    with named(what, "a segment"):
        file = open_file(data, what)
        for group in range(file.num_row_groups):
            check_group(group, data, what)
        return file.read(columns=["offset"], use_threads=False).column(0).to_numpy()


def _whole(column: Any) -> Any:
    """A column as one array."""
    found = column.combine_chunks()
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found


def _names(column: Any) -> list[str]:
    """Header names: few different ones, so each is made once."""
    raw = pa.Array.from_buffers(pa.binary(), len(column), column.buffers(), offset=column.offset)
    coded = raw.dictionary_encode()
    known = [name.decode("utf-8", "surrogateescape") for name in coded.dictionary.to_pylist()]
    return [known[code] for code in coded.indices.to_numpy().tolist()]


def timestamp_types(table: Any) -> list[str]:
    """One of ``TIMESTAMP_TYPES`` for each record of a table with our columns."""
    column = _whole(table.column("timestamp_type"))
    known = column.dictionary.to_pylist()
    return [known[code] for code in column.indices.to_numpy().tolist()]


def rows_of(table: Any) -> Rows:
    """The records of a table with our columns."""
    table = table.combine_chunks()
    lists = _whole(table.column("headers"))
    ends = lists.offsets.to_numpy()
    names, values = (lists.values.field(name) for name in ("key", "value"))
    if len(names) == 0:
        headers: list[list[tuple[str, bytes | None]]] = [[] for _ in range(table.num_rows)]
    else:
        pairs = list(zip(_names(names), _values(values), strict=True))
        edges = ends.tolist()
        headers = [pairs[begin:end] for begin, end in pairwise(edges)]
    return Rows(
        table.column("offset").to_numpy().tolist(),
        table.column("timestamp").cast(pa.int64()).to_numpy().tolist(),
        _values(_whole(table.column("key"))),
        _values(_whole(table.column("value"))),
        headers,
    )
