"""Records of format 2 as one object each, with the methods of confluent-kafka's messages: for small work. Pure.

What librdkafka's Python client cannot give is given here too: names of headers that are not UTF-8 (it fails with
SystemError), lengths below -1, and batches that become larger than memory. Such names are strings with surrogate
escapes (PEP 383), so that ``name.encode("utf-8", "surrogateescape")`` gives their bytes.

Source: Kafka's protocol guide, "Record".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.records.record_batch import RecordBatch
from kafka_ferry.records.record_hash import Headers
from kafka_ferry.records.record_window import PIECE_BYTES, RecordWindow

_MOST_RECORDS = 2000  # objects made at once: a record of 7 bytes becomes some hundred
_CREATE_TIME, _LOG_APPEND_TIME = 1, 2  # rd_kafka_timestamp_type_t


class BatchMessage:
    """One record, read as a ``confluent_kafka.Message`` is."""

    __slots__ = ("_batch", "_headers", "_key", "_offset", "_partition", "_producer", "_timestamp", "_topic", "_value")

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        timestamp: tuple[int, int],
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]] | None,
        batch: tuple[int, int],
        producer: int,
    ) -> None:
        self._topic, self._partition, self._offset, self._timestamp = topic, partition, offset, timestamp
        self._key, self._value, self._headers = key, value, headers
        self._batch, self._producer = batch, producer

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        """(1 CreateTime or 2 LogAppendTime, ms)."""
        return self._timestamp

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Headers | None:
        """None where there are none."""
        return self._headers

    def batch(self) -> tuple[int, int]:
        """(base offset, bytes on the wire) of the batch it came in."""
        return self._batch

    def producer_id(self) -> int:
        """Of who wrote it; -1: a producer without an id."""
        return self._producer

    def error(self) -> None:
        """None: errors come as events."""

    def __len__(self) -> int:
        return len(self._value or b"")


class BatchMessages(list[BatchMessage]):
    """A run of them, of one partition."""

    @property
    def last(self) -> int:
        """Offset of the last one."""
        return self[-1].offset()

    def until(self, end: int) -> BatchMessages:
        """Only those below this offset."""
        return BatchMessages(one for one in self if one.offset() < end)

    def since(self, begin: int) -> BatchMessages:
        """Only those from this offset on."""
        return BatchMessages(one for one in self if one.offset() >= begin)


def largest_batch(messages: Iterable[Any]) -> tuple[int, int] | None:
    """(base offset, bytes on the wire) of the largest batch that messages came in; None: librdkafka does not tell."""
    places = {one.batch() if isinstance(one, BatchMessage) else None for one in messages}
    if None in places or not places:
        return None
    return max((place for place in places if place), key=lambda place: place[1])


class MessageDecoder:
    """Makes them of batches."""

    def __init__(self) -> None:
        self._scratch = memoryview(bytearray(PIECE_BYTES))

    def records(self, topic: str, partition: int, batches: Iterable[RecordBatch]) -> Iterator[BatchMessages]:
        """Yield the records of the batches, some thousand at a time.

        :raises DamagedBatch: one cannot be decompressed.
        :raises FerryError: what is in one are no records, or a record is too large.
        """
        for batch in batches:
            data = batch.records(self._scratch)
            window = RecordWindow(batch) if data is None else None
            reading = _Reading(topic, partition, batch)
            piece, cut = (bytes(data), False) if window is None else (bytes(window.data), not window.ended)
            while True:
                yield from reading.take(piece, cut)
                if window is None or reading.left == 0:
                    break
                window.more(reading.used)
                piece, cut = bytes(window.data), not window.ended
            if reading.left or not (reading.used == len(piece) if window is None else window.is_spent(reading.used)):
                raise _no_records(batch)


class _Reading:
    """How far one batch is read.

    :ivar left: its records still to come. ``used``: bytes of the last piece whose records were yielded.
    """

    def __init__(self, topic: str, partition: int, batch: RecordBatch) -> None:
        self._topic, self._partition, self._batch = topic, partition, batch
        self._place = batch.base, batch.size
        self.left, self.used = batch.count, 0
        self._before = -1
        if batch.count < 0:
            raise _no_records(batch)

    def take(self, piece: bytes, cut: bool) -> Iterator[BatchMessages]:
        """:param cut: whether the last record may be cut off; it is left then."""
        some = BatchMessages()
        self.used = 0
        while self.left:
            try:
                size, at = _varint(piece, self.used, len(piece))
                if size < 0:
                    raise _no_records(self._batch)
                if at + size > len(piece):
                    raise IndexError
            except IndexError:
                if cut and len(piece) - self.used < self._more_than_any(piece):
                    break
                raise _no_records(self._batch) from None
            try:
                some.append(self._message(piece, at, at + size))
            except IndexError:
                raise _no_records(self._batch) from None
            self.used, self.left = at + size, self.left - 1
            if len(some) >= _MOST_RECORDS:
                yield some
                some = BatchMessages()
        if some:
            yield some

    def _more_than_any(self, piece: bytes) -> int:
        """Bytes from which on a record cannot just be cut off: where not even its length can be read."""
        try:
            _varint(piece, self.used, len(piece))
        except IndexError:
            return 10
        return 1 << 62

    def _message(self, data: bytes, at: int, end: int) -> BatchMessage:
        """:raises IndexError: something in it reaches beyond its end."""
        batch = self._batch
        delta, at = _varlong(data, at + 1, end)  # behind the attributes, which are unused
        time = (_LOG_APPEND_TIME, batch.time) if batch.log_append_time else (_CREATE_TIME, _signed(batch.time + delta))
        delta, at = _varint(data, at, end)
        if delta <= self._before:
            raise IndexError
        self._before = delta
        key, at = _sized(data, at, end)
        value, at = _sized(data, at, end)
        count, at = _varint(data, at, end)
        if count < 0 or 2 * count > end - at:
            raise IndexError
        headers: list[tuple[str, bytes | None]] = []
        for _ in range(count):
            name, at = _sized(data, at, end)
            content, at = _sized(data, at, end)
            if name is None:
                raise IndexError
            headers.append((name.decode("utf-8", "surrogateescape"), content))
        if at != end:
            raise IndexError
        at_offset = batch.base + delta
        return BatchMessage(
            self._topic, self._partition, at_offset, time, key, value, headers or None, self._place, batch.producer_id
        )


def _no_records(batch: RecordBatch) -> FerryError:
    return FerryError(f"the batch at offset {batch.base} holds no records in Kafka's format 2")


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The same of a signed 32-bit number, as Java's ``ByteUtils.readVarint``: five bytes, bits above 32 fall off.

    :raises IndexError: as above.
    """
    number, behind = _varlong(data, at, end)
    if behind - at < 5:
        return number, behind
    if behind - at > 5:
        raise IndexError
    rest = ((number << 1) ^ (number >> 63)) & 0xFFFFFFFF
    return (rest >> 1) ^ -(rest & 1), behind


def _varlong(data: bytes, at: int, end: int) -> tuple[int, int]:
    """(zigzag varint of a signed 64-bit number, the place behind it).

    :raises IndexError: it is cut off by the end, or longer than such a number can be.
    """
    if at >= end:
        raise IndexError
    byte = data[at]
    at += 1
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at
    number, shift = byte & 0x7F, 7
    while True:
        if at >= end or shift > 63:
            raise IndexError
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            number &= 0xFFFFFFFFFFFFFFFF
            return _signed((number >> 1) ^ -(number & 1)), at
        shift += 7


def _signed(number: int) -> int:
    """As 64 bits hold it."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _sized(data: bytes, at: int, end: int) -> tuple[bytes | None, int]:
    """(bytes with their length before them, None for any length below zero, the place behind)."""
    size, at = _varint(data, at, end)
    if size < 0:
        return None, at
    if at + size > end:
        raise IndexError
    return data[at : at + size], at + size
