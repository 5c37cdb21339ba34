"""Read records: the reference reader of verification, and the probe of convergence."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby, repeat
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.redaction import is_secret_key, redact_text
from kafka_ferry.exceptions import BadConnection, FerryError
from kafka_ferry.hooks.kafka.reading.batch_client import NativeClient
from kafka_ferry.hooks.kafka.reading.batch_stream import native_stream, worth_compiling
from kafka_ferry.hooks.kafka.reading.range_stream import CONSUMER_SETTINGS, SMALL_FETCHES, Event, Faults, RangeStream
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows
from kafka_ferry.records.batch_messages import BatchMessage, BatchMessages, MessageDecoder
from kafka_ferry.records.content import KeyColumns, PartitionContent, PartitionRange
from kafka_ferry.records.parts import Record
from kafka_ferry.records.record_batch import UnusualRecords
from kafka_ferry.records.record_hash import Headers, headers_without, key_hash, record_hash
from kafka_ferry.records.schema_id_forms import PARTS, found_in
from kafka_ferry.records.schema_ids import SchemaIds

if TYPE_CHECKING:
    from kafka_ferry.records.raw_records import RawRecords

log = logging.getLogger(__name__)

NATIVE_RECORDS = 50_000
"""From so many on records are read and hashed in machine code: many times as fast, after Numba's start of 0.5 s."""

HeadersOf = Callable[[Any], Headers | None]

_BATCH = 500  # 100 to 500 is faster than more: the messages stay in the CPU cache (measured)


class Messages(list[Message]):
    """A run of messages of one partition."""

    @property
    def last(self) -> int:
        """Offset of the last one."""
        return self[-1].offset() or 0

    def until(self, end: int) -> Messages:
        """Only those below this offset."""
        return Messages(message for message in self if (message.offset() or 0) < end)


class MessageClient:
    """confluent-kafka's consumer, which makes an object of each record.

    :param config: whole librdkafka configuration.
    """

    def __init__(self, config: Mapping[str, Any], faults: Faults) -> None:
        hooks = {
            "error_cb": lambda error: faults.on_error(error.code(), error.str()),
            "throttle_cb": lambda event: faults.on_throttle(event.throttle_time),
        }
        try:
            self._consumer = Consumer({**config, **hooks})
        except KafkaException as error:
            secrets = [str(value) for key, value in config.items() if is_secret_key(key)]
            problem = redact_text(error.args[0].str(), secrets)
            raise BadConnection(f"librdkafka refuses the connection's settings: {problem}") from None

    def assign(self, spans: Sequence[PartitionRange]) -> None:
        self._consumer.assign([TopicPartition(span.topic, span.partition, span.begin) for span in spans])

    def unassign(self) -> None:
        self._consumer.unassign()

    def pause(self, keys: Iterable[Partition]) -> None:
        self._consumer.pause([TopicPartition(*key) for key in keys])

    def resume(self, keys: Iterable[Partition]) -> None:
        self._consumer.resume([TopicPartition(*key) for key in keys])

    def consume(self, at_most: int, seconds: float) -> tuple[list[tuple[Partition, Messages]], list[Event]]:
        batch = self._consumer.consume(min(_BATCH, at_most), seconds)
        errors = [message for message in batch if message.error()] if any(map(Message.error, batch)) else []
        records = [message for message in batch if not message.error()] if errors else batch
        return [(key, Messages(run)) for key, run in groupby(records, _key)], list(map(_event, errors))

    def close(self) -> None:
        self._consumer.close()


def time_of(message: BatchMessage) -> tuple[int, int]:
    """Kind of timestamp (0 none, 1 CreateTime, 2 LogAppendTime) and ms since 1970, of a message of ours or
    confluent-kafka's; -1 ms of a record of before Kafka 0.10, as Kafka has it, where librdkafka says 0 (measured).
    """
    kind, time = message.timestamp()
    return kind, time if kind else -1


def headers_of(message: BatchMessage) -> Headers | None:
    """Headers of a message, ours or confluent-kafka's.

    :raises FerryError: librdkafka's Python client cannot give them: a name is not UTF-8.
    """
    try:
        return message.headers()
    except (SystemError, UnicodeDecodeError):
        raise FerryError(
            f"{message.topic()}-{message.partition()}: offset {message.offset()}: a header's name is not UTF-8, "
            "which librdkafka's Python client cannot read. Fix: a connection that needs no librdkafka (no OAuth, MSK "
            "IAM or Kerberos)"
        ) from None


def _message_stream(
    settings: Mapping[str, Any], isolation_level: str, stall_seconds: float, by_librdkafka: bool = False
) -> RangeStream[Any]:
    """Record batches opened here; by librdkafka where only it knows the connection."""

    def of_batches(faults: Faults) -> NativeClient[BatchMessages]:
        decoder = MessageDecoder()
        return NativeClient(settings, faults, lambda key, batches: decoder.records(*key, batches))

    if by_librdkafka or only_librdkafka_knows(settings):
        return RangeStream(lambda faults: MessageClient(settings, faults), isolation_level, stall_seconds)
    return RangeStream(of_batches, isolation_level, stall_seconds)


class LibrdkafkaReader:
    """Reads ranges of offsets to their exact end; see :class:`kafka_ferry.records.reader.RecordReader`.

    Record batches are fetched as they are and opened some megabytes at a time, many of them in machine code
    (``NATIVE_RECORDS``), to the same hashes; librdkafka reads what only it knows: OAuth, MSK IAM, Kerberos, records of
    before Kafka 0.11. It opens a batch whole, however large it becomes.

    Memory: 16 bytes a record that is kept (25 with key columns), twice that while a batch of partitions ends, plus
    up to 64 MB fetched ahead. ``read`` takes as many partitions at once as ``max_records`` allows by end - begin; one
    partition above it is read alone. Not thread-safe: one reader, one thread.

    :param config: librdkafka settings of the connection.
    :param isolation_level: "read_committed" reads to the last stable offset: an open transaction below the end of a
        range is a stall, and said so.
    :param stall_seconds: how long nothing may arrive before the reading is given up. Time for which the broker holds
        us back by a quota (KIP-219) does not count, up to nine times as long: a batch larger than the quota allows in
        its window (11 s by default) is never delivered at all, only empty answers (measured).
    :param few: for some records of many partitions: small fetches, so that a quota is not spent on what is not read.
    :param schema_ids: takes the ids of schemas that keys and values have, of all that ``read`` reads.
    :param without_headers: names of headers that count neither in a hash nor in a record. Read from messages then.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        isolation_level: str,
        stall_seconds: float = 30.0,
        max_records: int = 4_000_000,
        few: bool = False,
        without_headers: Collection[str] = (),
        schema_ids: SchemaIds | None = None,
    ) -> None:
        names = frozenset(without_headers)
        # Without names the bare method: it is called for each record.
        self._headers: HeadersOf = (lambda one: headers_without(headers_of(one), names)) if names else headers_of
        settings = {
            **config,
            **CONSUMER_SETTINGS,
            **(SMALL_FETCHES if few else {}),
            "isolation.level": isolation_level,
        }
        self.isolation_level, self.stall_seconds, self.max_records = isolation_level, stall_seconds, max_records
        self._schema_ids = schema_ids
        self._settings, self._from_messages = settings, few or bool(names)
        self._messages = _message_stream(settings, isolation_level, stall_seconds)
        self._native: RangeStream[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._messages.close()
        if self._native is not None:
            self._native.close()

    def read(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool = True, with_keys: bool = False
    ) -> dict[Partition, PartitionContent]:
        """Return all records of each range, hashed.

        :raises TransientError: an end was not reached, or the log start passed a begin meanwhile.
        :raises BadConnection: the cluster refused the credentials or the topic.
        """
        records = sum(span.estimated_records for span in ranges)
        contents: dict[Partition, PartitionContent] = {}
        for some in self._portions(ranges):
            try:
                contents |= self._read(some, records, with_timestamp, with_keys)
            except UnusualRecords as error:
                self._leave_to_librdkafka(error)
                contents |= self._read(some, records, with_timestamp, with_keys)
        return contents

    def _read(
        self, ranges: Sequence[PartitionRange], records: int, with_timestamp: bool, with_keys: bool
    ) -> dict[Partition, PartitionContent]:
        stream, column = self._way_for(records)
        columns = {span.key: column(span, with_timestamp, with_keys) for span in ranges}
        for key, run in stream.stream(ranges):
            columns[key].extend(run)
            if self._schema_ids is not None:
                _note_ids(self._schema_ids, key, run)
        return {key: columns.pop(key).content() for key in list(columns)}

    def _way_for(self, records: int) -> tuple[RangeStream[Any], Callable[[PartitionRange, bool, bool], Any]]:
        if self._native is None and not self._from_messages and worth_compiling(records, NATIVE_RECORDS):
            self._native = native_stream(self._settings, self.isolation_level, self.stall_seconds)
        if self._native is None:
            return self._messages, partial(_Columns, headers=self._headers)
        from kafka_ferry.hooks.kafka.reading.batch_content import NativeContent  # Numba: 0.4 s, where it is wanted

        return self._native, NativeContent

    def read_records(self, wanted: Mapping[Partition, Sequence[int]]) -> dict[tuple[str, int, int], Record]:
        """Return whole records by (topic, partition, offset); an offset without a record is left out.

        Meant for some dozens of offsets: all of them stay in memory, and scattered ones cost a fetch each.
        """
        return {
            (topic, partition, message.offset() or 0): _record(message, self._headers)
            for (topic, partition), message in self._single(wanted)
        }

    def producer_ids(self, wanted: Mapping[Partition, Sequence[int]]) -> dict[tuple[str, int, int], int]:
        """Return who wrote these records, by producer id; -1: a producer without one. librdkafka does not tell it."""
        return {
            (topic, partition, message.offset()): message.producer_id()
            for (topic, partition), message in self._single(wanted)
            if isinstance(message, BatchMessage)
        }

    def _single(self, wanted: Mapping[Partition, Sequence[int]]) -> Iterator[tuple[Partition, Any]]:
        runs = {key: _runs(sorted(set(offsets))) for key, offsets in wanted.items()}
        while any(runs.values()):
            turn = [PartitionRange(*key, *left.pop(0)) for key, left in runs.items() if left]
            for key, messages in self.stream(turn):
                asked = set(wanted[key])
                yield from ((key, message) for message in messages if message.offset() in asked)

    def probe(self, ranges: Sequence[PartitionRange]) -> dict[Partition, int | None]:
        """Return the first record's offset of each range, ``None`` where the end was reached without one.

        All partitions at once. Markers, aborted records (read_committed) and compacted gaps are no records.

        :raises TransientError: undecided within ``stall_seconds``.
        """
        first: dict[Partition, int | None] = {span.key: None for span in ranges}
        for key, messages in self.stream(ranges, only_first=True):
            if first[key] is None:
                first[key] = messages[0].offset()
        return first

    def stream(
        self, ranges: Sequence[PartitionRange], only_first: bool = False
    ) -> Iterator[tuple[Partition, BatchMessages | Messages]]:
        """Yield the whole messages of the ranges, in runs of one partition; returns when each is read to its end.

        All ranges at once: choose few enough.

        :param only_first: returns when the first run of each was yielded.
        :raises TransientError, BadConnection: as :meth:`read`.
        """
        left = {span.key: span for span in ranges}
        try:
            for key, run in self._messages.stream(ranges, only_first):
                left[key] = replace(left[key], begin=left[key].end if only_first else run.last + 1)
                yield key, run
        except UnusualRecords as error:
            self._leave_to_librdkafka(error)
            rest = [span for span in left.values() if span.begin < span.end]
            yield from self._messages.stream(rest, only_first)

    def _leave_to_librdkafka(self, error: UnusualRecords) -> None:
        log.info("records are read by librdkafka from here on, which is several times slower: %s", error)
        self.close()
        self._native, self._from_messages = None, True
        self._messages = _message_stream(self._settings, self.isolation_level, self.stall_seconds, by_librdkafka=True)

    def _portions(self, ranges: Sequence[PartitionRange]) -> Iterator[list[PartitionRange]]:
        portion: list[PartitionRange] = []
        estimate = 0
        for span in ranges:
            if portion and estimate + span.estimated_records > self.max_records:
                yield portion
                portion, estimate = [], 0
            portion.append(span)
            estimate += span.estimated_records
        if portion:
            yield portion


class _Columns:
    """Grows the arrays of one partition."""

    def __init__(self, span: PartitionRange, with_timestamp: bool, with_keys: bool, headers: HeadersOf) -> None:
        self._span, self._with_timestamp, self._with_keys, self._headers = span, with_timestamp, with_keys, headers
        self._offsets, self._hashes, self._bytes = array("q"), array("Q"), 0
        self._keys, self._tombstones = array("Q"), bytearray()

    def extend(self, messages: Sequence[BatchMessage]) -> None:
        self._offsets.extend(one.offset() or 0 for one in messages)
        keys, values = [one.key() for one in messages], [one.value() for one in messages]
        times = [time_of(one)[1] for one in messages] if self._with_timestamp else repeat(None)
        self._hashes.extend(map(record_hash, times, map(self._headers, messages), keys, values))
        self._bytes += sum(map(len, filter(None, keys))) + sum(map(len, filter(None, values)))
        if self._with_keys:
            self._keys.extend(map(key_hash, keys))
            self._tombstones.extend(value is None for value in values)

    def content(self) -> PartitionContent:
        keys = None
        if self._with_keys:
            keys = KeyColumns(np.array(self._keys, dtype=np.uint64), np.array(self._tombstones, dtype=np.bool_))
        return PartitionContent(
            offsets=np.array(self._offsets, dtype=np.int64),
            hashes=np.array(self._hashes, dtype=np.uint64),
            bytes=self._bytes,
            begin=self._span.begin,
            end=self._span.end,
            keys=keys,
        )


def _note_ids(ids: SchemaIds, key: Partition, run: RawRecords | Sequence[BatchMessage]) -> None:
    if isinstance(run, Sequence):
        offsets = np.array([one.offset() or 0 for one in run], np.int64)
        headers = [headers_of(one) for one in run]
        contents = [one.key() for one in run], [one.value() for one in run]
        ids.take(key, offsets, *(found_in(part, some, headers) for part, some in zip(PARTS, contents, strict=True)))
    else:
        from kafka_ferry.records.raw_schema_ids import raw_schema_ids  # slow to load, and few look for ids

        ids.take(key, run.offsets, *(raw_schema_ids(run, part) for part in range(len(PARTS))))


def _key(message: Message) -> Partition:
    return message.topic(), message.partition()


def _event(message: Message) -> Event:
    error = message.error()
    assert error is not None  # noqa: S101
    return Event(message.topic(), message.partition() or 0, message.offset() or 0, error.code(), error.str())


def _runs(offsets: list[int]) -> list[tuple[int, int]]:
    """Group neighbouring offsets into ranges: [3, 4, 9] -> [(3, 5), (9, 10)]."""
    runs: list[tuple[int, int]] = []
    for offset in offsets:
        if runs and runs[-1][1] == offset:
            runs[-1] = runs[-1][0], offset + 1
        else:
            runs.append((offset, offset + 1))
    return runs


def _record(message: BatchMessage, headers: HeadersOf) -> Record:
    return Record(
        offset=message.offset() or 0,
        timestamp_ms=time_of(message)[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(headers(message) or ()),
    )
