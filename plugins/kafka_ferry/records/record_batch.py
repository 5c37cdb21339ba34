"""Record batches as a broker stores and sends them: which are whole, whose bytes are right, which of them count. Pure.

Sources: Kafka's protocol guide, "Record Batch"; KIP-98 (transactions: control batches, aborted ones); KIP-74 (the last
batch of an answer may be cut off).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

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

    @property
    def size(self) -> int:
        """Bytes, as it lies on brokers and on the wire."""
        return _HEADER.size + len(self.body)

    def records(self, scratch: memoryview) -> Any:
        """Its records, decompressed: a part of ``scratch``, four times as fast as new memory; a buffer.

        None where they do not fit there, or cannot be decompressed: :meth:`stream` tells which.
        """
        if not self.codec:
            return self.body if len(self.body) <= len(scratch) else None
        try:
            if self.codec == _SNAPPY:
                return _snappy_into(self.body, scratch)
            return scratch[: _INTO[self.codec](self.body, scratch)]
        except (KeyError, cramjam.DecompressionError):
            return None

    def stream(self) -> Unpacking:
        """Its records, decompressed piece by piece, however large they are as a whole.

        A batch of 94 KB can hold gigabytes: the broker's limits (``message.max.bytes``) are of compressed bytes.

        :raises DamagedBatch: its codec is unknown. Its ``read`` raises it where it cannot be decompressed.
        """
        what = f"the batch at offset {self.base}: codec {self.codec}"
        if self.codec == 0:
            return Unpacking(what, io.BytesIO(self.body))
        if self.codec == _SNAPPY:
            return Unpacking(what, _Snappy(self.body))
        if self.codec not in _STREAMED:
            raise DamagedBatch(f"{what}: it does not exist")
        import pyarrow as pa  # not needed for most batches

        return Unpacking(what, pa.CompressedInputStream(pa.py_buffer(self.body), _STREAMED[self.codec]))

    @property
    def is_abort(self) -> bool:
        """Whether this control batch ends a transaction as aborted: the type in its record's key, two bytes of two."""
        # length, attributes, timestamp delta, offset delta and key length are a byte each in a marker (KIP-98).
        return int.from_bytes(self.body[7:9]) == _ABORT


class _Source(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class Unpacking:
    """A batch's records on their way out of compression."""

    def __init__(self, what: str, source: _Source) -> None:
        self._what, self._source = what, source

    def read(self, size: int) -> bytes:
        """The next bytes, fewer than asked for only at the end.

        :raises DamagedBatch: they cannot be decompressed.
        """
        parts: list[bytes] = []
        while size > 0:
            try:
                part = self._source.read(size)
            except (OSError, cramjam.DecompressionError) as error:  # pyarrow's errors are OSErrors
                raise DamagedBatch(f"{self._what}: {error}") from None
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


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
            raise DamagedBatch(f"the batch at offset {base}: its checksum does not match")
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


def committed_batches(batches: Iterable[RecordBatch], aborted: Iterable[tuple[int, int]]) -> Iterator[RecordBatch]:
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


class _Snappy:
    """Blocks of snappy, decompressed one by one."""

    def __init__(self, data: memoryview) -> None:
        self._blocks, self._left = _snappy_blocks(data), memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return b""
            _block_size(block)
            self._left = memoryview(cramjam.snappy.decompress_raw(block))
        part, self._left = bytes(self._left[:size]), self._left[size:]
        return part


def _snappy_into(data: memoryview, scratch: memoryview) -> memoryview | None:
    at = 0
    for block in _snappy_blocks(data):
        size = _block_size(block)
        if at + size > len(scratch):
            return None
        at += cramjam.snappy.decompress_raw_into(block, scratch[at : at + size])
    return scratch[:at]


def _snappy_blocks(data: memoryview) -> Iterator[memoryview]:
    if data[: len(_XERIAL)] != _XERIAL:
        yield data
        return
    at = _XERIAL_HEADER
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        yield data[at + 4 : end]
        at = end


def _block_size(block: memoryview) -> int:
    """What it says it becomes; memory of that size is taken for it.

    :raises cramjam.DecompressionError: it is more than snappy can make of it: 64 bytes of three.
    """
    size = shift = 0
    for byte in block[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > _SNAPPY_MOST * len(block):
        raise cramjam.DecompressionError(f"snappy: {len(block)} bytes cannot become {size}")
    return size


_SNAPPY = 2
_SNAPPY_MOST = 22  # a copy of 64 bytes takes three (snappy's format description, 2.2.2)
_INTO: dict[int, Any] = {
    1: cramjam.gzip.decompress_into,
    3: cramjam.lz4.decompress_into,
    4: cramjam.zstd.decompress_into,
}
_STREAMED = {1: "gzip", 3: "lz4", 4: "zstd"}
