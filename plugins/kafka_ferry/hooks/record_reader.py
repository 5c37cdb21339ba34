"""Read records with librdkafka: the reference reader of verification, and the probe of convergence."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, repeat
from types import TracebackType
from typing import Any, Self

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from kafka_ferry.connectors.redaction import is_secret_key, redact_text
from kafka_ferry.exceptions import BadConnection, OutsideFault
from kafka_ferry.verification.content import KeyColumns, PartitionContent, PartitionRange
from kafka_ferry.verification.parts import Record
from kafka_ferry.verification.record_hash import Headers, headers_without, key_hash, record_hash

GROUP_ID = "kafka-ferry-verification"  # librdkafka insists on one; we assign and never commit, so it never exists

_SETTINGS: dict[str, Any] = {
    "group.id": GROUP_ID,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # never jump over records that are gone: say so
    "enable.partition.eof": True,
    "check.crcs": True,
    "fetch.queue.backoff.ms": 1,  # the default 1000 made reading ten times slower (measured; librdkafka issue 2879)
    "queued.max.messages.kbytes": 65536,
    "fetch.wait.max.ms": 100,
    "reconnect.backoff.max.ms": 2000,
    "topic.metadata.propagation.max.ms": 5000,  # how long an unknown topic may still turn up; default 30 s of silence
    "log_level": 2,  # what librdkafka would print 20 times a second while a broker is away is in our exception
}
_SMALL_FETCHES: dict[str, Any] = {"max.partition.fetch.bytes": 65536, "fetch.max.bytes": 1048576}
_BATCH = 500  # 100 to 500 is faster than more: the messages stay in the CPU cache (measured)
_POLL_SECONDS = 0.1
_HELD_STALLS = 9

_DENIED = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError._SSL,
}
_GONE = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
_OUT_OF_RANGE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}

Key = tuple[str, int]
HeadersOf = Callable[[Message], Headers | None]


class LibrdkafkaReader:
    """Reads ranges of offsets to their exact end; see :class:`kafka_ferry.verification.reader.RecordReader`.

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
    :param without_headers: names of headers that count neither in a hash nor in a record.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        isolation_level: str = "read_uncommitted",
        stall_seconds: float = 30.0,
        max_records: int = 4_000_000,
        few: bool = False,
        without_headers: Collection[str] = (),
    ) -> None:
        names = frozenset(without_headers)
        # Without names the bare method: it is called for each record.
        self._headers: HeadersOf = (lambda one: headers_without(one.headers(), names)) if names else Message.headers
        self._config = {
            **config,
            **_SETTINGS,
            **(_SMALL_FETCHES if few else {}),
            "isolation.level": isolation_level,
            "error_cb": self._on_error,
            "throttle_cb": self._on_throttle,
        }
        self.isolation_level, self.stall_seconds, self.max_records = isolation_level, stall_seconds, max_records
        self._consumer: Consumer | None = None
        self._denied: str | None = None
        self._last_error = ""
        self._held_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer, self._denied, self._last_error = None, None, ""

    def read(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool = True, with_keys: bool = False
    ) -> dict[Key, PartitionContent]:
        """Return all records of each range, hashed.

        :raises OutsideFault: an end was not reached, or the log start passed a begin meanwhile.
        :raises BadConnection: the cluster refused the credentials or the topic.
        """
        contents: dict[Key, PartitionContent] = {}
        for some in self._portions(ranges):
            columns = {span.key: _Columns(span, with_timestamp, with_keys, self._headers) for span in some}
            for key, messages in self._stream(some):
                columns[key].extend(messages)
            for key in list(columns):
                contents[key] = columns.pop(key).content()
        return contents

    def read_records(self, wanted: Mapping[Key, Sequence[int]]) -> dict[tuple[str, int, int], Record]:
        """Return whole records by (topic, partition, offset); an offset without a record is left out.

        Meant for some dozens of offsets: all of them stay in memory, and scattered ones cost a fetch each.
        """
        found: dict[tuple[str, int, int], Record] = {}
        runs = {key: _runs(sorted(set(offsets))) for key, offsets in wanted.items()}
        while any(runs.values()):
            turn = [PartitionRange(*key, *left.pop(0)) for key, left in runs.items() if left]
            for (topic, partition), messages in self._stream(turn):
                asked = set(wanted[topic, partition])
                records = (_record(message, self._headers) for message in messages)
                found.update({(topic, partition, one.offset): one for one in records if one.offset in asked})
        return found

    def probe(self, ranges: Sequence[PartitionRange]) -> dict[Key, int | None]:
        """Return the first record's offset of each range, ``None`` where the end was reached without one.

        All partitions at once. Markers, aborted records (read_committed) and compacted gaps are no records.

        :raises OutsideFault: undecided within ``stall_seconds``.
        """
        first: dict[Key, int | None] = {span.key: None for span in ranges}
        for key, messages in self._stream(ranges, only_first=True):
            if first[key] is None:
                first[key] = messages[0].offset()
        return first

    def stream(self, ranges: Sequence[PartitionRange]) -> Iterator[tuple[Key, list[Message]]]:
        """Yield the whole messages of the ranges, in runs of one partition; returns when each is read to its end.

        All ranges at once: choose few enough.

        :raises OutsideFault, BadConnection: as :meth:`read`.
        """
        return self._stream(ranges)

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

    def _stream(
        self, ranges: Sequence[PartitionRange], only_first: bool = False
    ) -> Iterator[tuple[Key, list[Message]]]:
        """Yield the records of the ranges in runs of one partition, and return when each range is read to its end.

        A range ends with its record end - 1, with a later record, or with the partition's EOF at or after its end,
        whichever comes first: so a tail of markers ends it too.
        """
        if len({span.key for span in ranges}) < len(ranges):
            raise ValueError("each partition can be read once at a time")
        reading = _Reading({span.key: span for span in ranges if span.begin < span.end}, only_first)
        if not reading.ranges:
            return
        consumer = self._assign(reading.ranges.values())
        deadline = time.monotonic() + self.stall_seconds
        try:
            while reading.ranges:
                before = reading.progress()
                batch = consumer.consume(min(_BATCH, reading.left()), _POLL_SECONDS)
                events = [message for message in batch if message.error()] if any(map(Message.error, batch)) else []
                records = [message for message in batch if not message.error()] if events else batch
                for key, run in groupby(records, _key):
                    wanted = reading.take(key, list(run))
                    if wanted:
                        yield key, wanted
                self._on_events(events, reading)  # after the records: an EOF stands behind those of its partition
                if reading.progress() != before:
                    self._pause(consumer, reading)
                    deadline = time.monotonic() + self.stall_seconds
                elif time.monotonic() > min(
                    max(deadline, self._held_until + self.stall_seconds), deadline + _HELD_STALLS * self.stall_seconds
                ):
                    raise OutsideFault(self._stalled(reading))
        except (BadConnection, OutsideFault):
            self.close()  # else its threads go on knocking at the cluster for as long as the reader lives
            raise
        if reading.paused:  # a pause outlives the assignment
            consumer.resume([TopicPartition(*key) for key in reading.paused])
        consumer.unassign()

    def _assign(self, ranges: Iterable[PartitionRange]) -> Consumer:
        if self._consumer is None:
            try:
                self._consumer = Consumer(self._config)
            except KafkaException as error:
                secrets = [str(value) for key, value in self._config.items() if is_secret_key(key)]
                problem = redact_text(error.args[0].str(), secrets)
                raise BadConnection(f"librdkafka refuses the connection's settings: {problem}") from None
        self._consumer.assign([TopicPartition(span.topic, span.partition, span.begin) for span in ranges])
        return self._consumer

    @staticmethod
    def _pause(consumer: Consumer, reading: _Reading) -> None:
        """Stop fetching what is behind the end of finished ranges: on a live topic that never ends."""
        done = reading.assigned - reading.ranges.keys() - reading.paused
        if done and reading.ranges:
            consumer.pause([TopicPartition(*key) for key in done])
            reading.paused |= done

    def _on_events(self, events: Iterable[Message], reading: _Reading) -> None:
        if self._denied:
            raise BadConnection(f"cannot read {_names(reading.ranges)}: {self._denied}")
        for event in events:
            self._on_event(event, reading)

    def _on_event(self, message: Message, reading: _Reading) -> None:
        error = message.error()
        assert error is not None  # noqa: S101
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            reading.end_of_log(_key(message), message.offset() or 0)
        elif code in _OUT_OF_RANGE:
            span = reading.ranges.get(_key(message))
            raise OutsideFault(
                f"{span or _key(message)}: offset out of range; its log start moved on, by retention or deletion, "
                f"or the topic was created anew, after the offsets were asked for ({error.str()})"
            )
        elif code in _DENIED:
            place = f"topic {message.topic()!r}" if message.topic() else _names(reading.ranges)
            cure = ". Cure: grant READ on it to this user" if code == KafkaError.TOPIC_AUTHORIZATION_FAILED else ""
            raise BadConnection(f"cannot read {place}: {error.str()}{cure}")
        elif code in _GONE:
            raise OutsideFault(f"{message.topic() or _names(reading.ranges)}: no such topic or partition any more")
        elif code != KafkaError.GROUP_AUTHORIZATION_FAILED:  # we are in no group: no right to one is needed
            self._last_error = error.str()

    def _on_throttle(self, event: Any) -> None:
        """A quota of the cluster: the broker answers nothing for so many seconds, and means no harm."""
        self._held_until = max(self._held_until, time.monotonic() + event.throttle_time)

    def _on_error(self, error: KafkaError) -> None:
        """Take a global error. Refusals end the reading; librdkafka retries the rest, and a stall quotes the last."""
        if error.code() in _DENIED:
            self._denied = error.str()
        else:
            self._last_error = error.str()

    def _stalled(self, reading: _Reading) -> str:
        places = ", ".join(
            f"{span} stands at {reading.reached[key]}"
            + (f", where its log ends for {self.isolation_level}" if key in reading.at_eof else "")
            for key, span in list(reading.ranges.items())[:5]
        )
        more = f" and {len(reading.ranges) - 5} more" if len(reading.ranges) > 5 else ""
        why = f"; last error: {self._last_error}" if self._last_error else ""
        if self._held_until:
            why += "; a client quota of the cluster holds this reader back. Cure: raise consumer_byte_rate for its user"
        if reading.at_eof and self.isolation_level == "read_committed":
            why += "; an open transaction may hold the last stable offset"
        return f"no records for {self.stall_seconds:g} s, end not reached: {places}{more}{why}"


class _Reading:
    """How far each range has been read; finished ones leave ``ranges``."""

    def __init__(self, ranges: dict[Key, PartitionRange], only_first: bool) -> None:
        self.ranges, self._only_first = ranges, only_first
        self.assigned = frozenset(ranges)
        self.paused: set[Key] = set()
        self.at_eof: set[Key] = set()
        self.reached = {key: span.begin for key, span in ranges.items()}

    def left(self) -> int:
        """Upper bound of the records still to come, at least 1."""
        return max(1, sum(span.end - self.reached[key] for key, span in self.ranges.items()))

    def progress(self) -> tuple[int, int]:
        """Changes whenever anything was reached."""
        return len(self.ranges), self.left()

    def take(self, key: Key, records: list[Message]) -> list[Message]:
        """Note that these arrived and return those inside the range."""
        span = self.ranges.get(key)
        if span is None:
            return []
        self.at_eof.discard(key)
        self.reached[key] = (records[-1].offset() or 0) + 1
        inside = records
        if self.reached[key] > span.end:
            inside = [record for record in records if (record.offset() or 0) < span.end]
        if self.reached[key] >= span.end or self._only_first:
            del self.ranges[key]
        return inside

    def end_of_log(self, key: Key, offset: int) -> None:
        if key not in self.ranges:
            return
        self.reached[key] = max(self.reached[key], offset)
        self.at_eof.add(key)
        if offset >= self.ranges[key].end:
            del self.ranges[key]


class _Columns:
    """Grows the arrays of one partition."""

    def __init__(self, span: PartitionRange, with_timestamp: bool, with_keys: bool, headers: HeadersOf) -> None:
        self._span, self._with_timestamp, self._with_keys, self._headers = span, with_timestamp, with_keys, headers
        self._offsets, self._hashes, self._bytes = array("q"), array("Q"), 0
        self._keys, self._tombstones = array("Q"), bytearray()

    def extend(self, messages: list[Message]) -> None:
        self._offsets.extend(map(Message.offset, messages))
        keys, values = list(map(Message.key, messages)), list(map(Message.value, messages))
        times = [at for _, at in map(Message.timestamp, messages)] if self._with_timestamp else repeat(None)
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


def _key(message: Message) -> Key:
    return message.topic(), message.partition()


def _names(ranges: Mapping[Key, PartitionRange]) -> str:
    names = [str(span) for span in ranges.values()]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _runs(offsets: list[int]) -> list[tuple[int, int]]:
    """Group neighbouring offsets into ranges: [3, 4, 9] -> [(3, 5), (9, 10)]."""
    runs: list[tuple[int, int]] = []
    for offset in offsets:
        if runs and runs[-1][1] == offset:
            runs[-1] = runs[-1][0], offset + 1
        else:
            runs.append((offset, offset + 1))
    return runs


def _record(message: Message, headers: HeadersOf) -> Record:
    return Record(
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(headers(message) or ()),
    )
