"""A Parquet segment's records in buffers. Pure; loads Numba."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_ferry.jobs.backup.rules.decoding import named
from kafka_ferry.jobs.backup.rules.segment import row_groups
from kafka_ferry.records.packed_rows import PackedRows


def decode_packed(data: bytes, what: str) -> Iterator[PackedRows]:
    """Yield the records of a Parquet segment, a row group at a time.

    :raises DamagedSegment: it is no segment.
    """
    with named(what, "a segment"):
        yield from (PackedRows.of(table) for table in row_groups(data, what) if table.num_rows)
