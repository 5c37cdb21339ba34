"""Read ranges of offsets as columns: in compiled code where that is worth its start, from messages otherwise."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.reading.batch_stream import native_stream
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader, headers_of, time_of
from kafka_ferry.hooks.kafka.reading.range_stream import CONSUMER_SETTINGS, RangeStream
from kafka_ferry.records.batch_messages import BatchMessage, largest_batch
from kafka_ferry.records.columns import RecordColumns, binary_array, columns_of, header_array, record_columns
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.record_batch import UnusualRecords

if TYPE_CHECKING:
    from kafka_ferry.records.raw_records import RawRecords

log = logging.getLogger(__name__)

NATIVE_RECORDS = 50_000
"""From so many on columns are made in machine code."""

_CHUNK, _CHUNK_BYTES = 2000, 4 * 1024 * 1024  # messages turned into columns together


class ColumnReader:
    """Reads ranges to their exact end; see :class:`kafka_ferry.hooks.kafka.reading.message_reader.LibrdkafkaReader`.

    :param config: librdkafka settings of the connection.
    :param native: in machine code: some times as fast, after Numba is loaded. Connections that only librdkafka knows
        (OAuth, MSK IAM, Kerberos) and records from before Kafka 0.11 are read by it all the same.
    """

    def __init__(self, config: Mapping[str, Any], isolation_level: str, stall_seconds: float, native: bool) -> None:
        self._native: RangeStream[Any] | None = None
        self._messages = LibrdkafkaReader(config, isolation_level, stall_seconds)
        if native:
            settings = {**config, **CONSUMER_SETTINGS, "isolation.level": isolation_level}
            self._native = native_stream(settings, isolation_level, stall_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._messages.close()
        if self._native is not None:
            self._native.close()

    def stream(self, spans: Sequence[PartitionRange]) -> Iterator[tuple[Partition, RecordColumns]]:
        """Yield the records of the ranges; returns when each is read to its end. All ranges at once: choose few enough.

        :raises TransientError: an end was not reached, or the log start passed a begin meanwhile.
        :raises BadConnection: the cluster refused the credentials or the topic.
        """
        left = {span.key: span for span in spans}
        if self._native is not None:
            try:
                for key, run in self._native.stream(spans):
                    yield key, native_columns(key[1], run)
                    left[key] = replace(left[key], begin=run.last + 1)
                left.clear()
            except UnusualRecords as error:
                log.info("the rest is read one by one, which is several times slower: %s", error)
                self._native.close()
                self._native = None
        yield from _from_messages(self._messages, list(left.values()))


def _from_messages(
    reader: LibrdkafkaReader, spans: Sequence[PartitionRange]
) -> Iterator[tuple[Partition, RecordColumns]]:
    """Some thousand messages of a partition at a time."""
    ends = {span.key: span.end for span in spans}
    waiting: dict[Partition, list[BatchMessage]] = {}
    sizes: dict[Partition, int] = {}
    for key, messages in reader.stream(spans):
        some = waiting.setdefault(key, [])
        some += messages
        sizes[key] = sizes.get(key, 0) + sum(map(len, messages))  # of their values
        if len(some) >= _CHUNK or sizes[key] >= _CHUNK_BYTES or messages.last + 1 >= ends[key]:
            del waiting[key], sizes[key]
            yield key, _columns(key[1], some)
    for key, some in waiting.items():
        yield key, _columns(key[1], some)


def _columns(partition: int, messages: list[BatchMessage]) -> RecordColumns:
    times = [time_of(one) for one in messages]
    return columns_of(
        partition,
        offsets=[one.offset() or 0 for one in messages],
        timestamps=[at for _, at in times],
        kinds=[kind for kind, _ in times],
        keys=[one.key() for one in messages],
        values=[one.value() for one in messages],
        headers=[headers_of(one) for one in messages],
        largest_batch=largest_batch(messages),
    )


def native_columns(partition: int, run: RawRecords) -> RecordColumns:
    """The records of a run; copied, so that what was fetched can go."""
    from kafka_ferry.records.raw_records import KEY, VALUE  # needs Numba

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
