"""From records as they lie in batches to Arrow columns, without an object for each record."""

from __future__ import annotations

import pyarrow as pa

from kafka_ferry.records.columns import RecordColumns, binary_array, header_array, record_columns
from kafka_ferry.records.raw_records import KEY, VALUE, RawRecords


def native_columns(partition: int, run: RawRecords) -> RecordColumns:
    """The records of a run; copied, so that what was fetched can go."""
    lists, name_edges, name_data, value_edges, value_data, there = run.headers()
    header_names = binary_array(name_edges, name_data, kind=pa.string())
    return record_columns(
        partition,
        run.offsets,
        run.timestamps,
        run.kinds,
        binary_array(*run.column(KEY)),
        binary_array(*run.column(VALUE)),
        header_array(lists, header_names, binary_array(value_edges, value_data, there)),
        run.hashes(),
        run.largest_batch,
    )
