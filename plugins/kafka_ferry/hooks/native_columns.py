"""From librdkafka's messages to Arrow columns, without an object for each record."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from kafka_ferry.backup.columns import RecordColumns, binary_array, header_array, record_columns
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks import native_records
from kafka_ferry.hooks.native_client import NativeRun


def native_columns(partition: int, run: NativeRun) -> RecordColumns:
    """The records of a run; copied, so that they outlive it.

    :raises FerryError: a header's name is not UTF-8.
    """
    messages = run.messages
    timestamps, kinds, keys, values, counts, names, contents = native_records.measure(messages)
    hashes = native_records.hashes(messages, timestamps, counts, names, contents)
    lists, name_edges, name_data, value_edges, value_data, there = native_records.header_columns(
        messages, counts, names, contents
    )
    header_names = binary_array(name_edges, name_data, kind=pa.string())
    try:
        header_names.validate(full=True)
    except pa.ArrowInvalid as error:
        first, last = int(run.offsets[0]), run.last
        raise FerryError(f"offsets {first} to {last}: the name of a header is not UTF-8: {error}") from None
    return record_columns(
        partition,
        run.offsets,
        timestamps,
        kinds,
        _binary(messages, keys, False),
        _binary(messages, values, True),
        header_array(lists, header_names, binary_array(value_edges, value_data, there)),
        hashes,
    )


def _binary(messages: Any, sizes: Any, value: bool) -> Any:
    edges, data = native_records.column(messages, sizes, value)
    return binary_array(edges, data, sizes >= 0)
