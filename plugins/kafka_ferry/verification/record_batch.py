"""Record batches as a broker stores and sends them: which are whole, whose bytes are right, which of them count. Pure.

Sources: Kafka's protocol guide, "Record Batch"; KIP-98 (transactions: control batches, aborted ones); KIP-74 (the last
batch of an answer may be cut off).
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cramjam
from crc32c import crc32c

_HEADER = struct.Struct(">qiibIhiqqqhii")
_LENGTH_ENDS, _MAGIC_AT, _CRC_COVERS = 12, 16, 21
_CODEC, _LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_ABORT = 0
# The xerial library's framing, which Java clients write around snappy: magic, two versions, then blocks with lengths.
_XERIAL, _XERIAL_HEADER = b"\x82SNAPPY\x00", 16


class UnusualRecords(Exception):
    """Records that only librdkafka reads: of format 0 or 1 (before Kafka 0.11), or with longer numbers than needed."""


class DamagedBatch(Exception):
    """Its bytes do not fit its checksum, or cannot be decompressed."""


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """A batch of format 2 whose checksum fits.

    :param base: offset that its records' deltas start from. ``next``: the offset behind it, also where compaction took
        its last records. ``time``: ms that deltas start from, or of all records, with ``log_append_time``.
    :param body: its records, still compressed by ``codec``.
    """

    base: int
    next: int
    count: int
    time: int
    log_append_time: bool
    transactional: bool
    control: bool
    producer_id: int
    codec: int
    body: memoryview

    def records(self, room: memoryview) -> Any:
        """Its records, decompressed; a buffer: a part of ``room`` where they fit, four times as fast as new memory.

        :raises DamagedBatch: they cannot be decompressed.
        """
        if not self.codec:
            return self.body
        if self.codec in _INTO:
            with contextlib.suppress(
                cramjam.DecompressionError
            ):  # too little room, or damaged: what follows says which
                return room[: _INTO[self.codec](self.body, room)]
        try:
            return _DECOMPRESS[self.codec](self.body)
        except (KeyError, cramjam.DecompressionError) as error:
            raise DamagedBatch(f"the batch at offset {self.base}: codec {self.codec}: {error}") from None

    @property
    def is_abort(self) -> bool:
        """Whether this control batch ends a transaction as aborted: the type in its record's key, two bytes of two."""
        # length, attributes, timestamp delta, offset delta and key length are a byte each in a marker (KIP-98).
        return int.from_bytes(self.body[7:9]) == _ABORT


def whole_batches(data: memoryview) -> Iterator[RecordBatch]:
    """Yield the batches of a partition's part of a Fetch answer, without one that is cut off.

    :raises UnusualRecords, DamagedBatch: see there; what was yielded before is good.
    """
    at = 0
    while at + _LENGTH_ENDS <= len(data):
        end = at + _LENGTH_ENDS + int.from_bytes(data[at + 8 : at + 12])
        if end > len(data):
            return
        if end - at <= _MAGIC_AT or data[at + _MAGIC_AT] != 2:
            raise UnusualRecords(f"message format {data[at + _MAGIC_AT] if end - at > _MAGIC_AT else 'unknown'}")
        if end - at < _HEADER.size:
            raise DamagedBatch(
                f"the batch at offset {int.from_bytes(data[at : at + 8])}: it is shorter than its header"
            )
        base, _, _, _, crc, attributes, last, begun, newest, producer, *_, count = _HEADER.unpack_from(data, at)
        if crc32c(data[at + _CRC_COVERS : end]) != crc:
            raise DamagedBatch(f"the batch at offset {base}: its checksum does not fit its bytes")
        appended = bool(attributes & _LOG_APPEND_TIME)
        yield RecordBatch(
            base=base,
            next=base + last + 1,
            count=count,
            time=newest if appended else begun,
            log_append_time=appended,
            transactional=bool(attributes & _TRANSACTIONAL),
            control=bool(attributes & _CONTROL),
            producer_id=producer,
            codec=attributes & _CODEC,
            body=data[at + _HEADER.size : end],
        )
        at = end


def that_count(batches: Iterable[RecordBatch], aborted: Iterable[tuple[int, int]]) -> Iterator[RecordBatch]:
    """Only batches of records: no control batches, nothing of aborted transactions.

    :param aborted: (producer id, first offset) of each that reaches into these batches, as a Fetch answer lists them
        for read_committed; none for read_uncommitted.
    """
    coming = sorted(aborted, key=lambda one: one[1], reverse=True)
    open_now: set[int] = set()
    for batch in batches:
        while coming and coming[-1][1] < batch.next:
            open_now.add(coming.pop()[0])
        if batch.control:
            if batch.is_abort:
                open_now.discard(batch.producer_id)
        elif batch.count and not (batch.transactional and batch.producer_id in open_now):
            yield batch


def _snappy(data: memoryview) -> Any:
    if data[: len(_XERIAL)] != _XERIAL:
        return cramjam.snappy.decompress_raw(data)
    found, at = bytearray(), _XERIAL_HEADER
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        found += cramjam.snappy.decompress_raw(data[at + 4 : end])
        at = end
    return found


_DECOMPRESS: dict[int, Any] = {
    1: cramjam.gzip.decompress,
    2: _snappy,
    3: cramjam.lz4.decompress,
    4: cramjam.zstd.decompress,
}
_INTO: dict[int, Any] = {
    1: cramjam.gzip.decompress_into,
    3: cramjam.lz4.decompress_into,
    4: cramjam.zstd.decompress_into,
}
