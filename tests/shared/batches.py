"""Record batches of format 2 as brokers hold them, in plain Python, from Kafka's protocol guide ("Record Batch")."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cramjam
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from crc32c import crc32c

LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 0x08, 0x10, 0x20
ABORT, COMMIT = 0, 1
HEADER_SIZE = 61

#: name -> (number in the attributes, how it compresses)
CODECS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "none": (0, bytes),
    "gzip": (1, gzip_encode),
    "snappy raw": (2, lambda data: bytes(cramjam.snappy.compress_raw(data))),
    "snappy xerial": (2, lambda data: snappy_encode(data, xerial_blocksize=100)),
    "lz4": (3, lz4_encode),
    "zstd": (4, zstd_encode),
}


class Record(NamedTuple):
    """One record; ``offset`` and ``time`` (ms) are counted from its batch's."""

    offset: int = 0
    time: int = 0
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    headers: Sequence[tuple[str, bytes | None]] = ()


def varint(number: int, size: int = 0) -> bytes:
    """Zigzag varint; with ``size``, of at least so many bytes, more than it needs."""
    rest = number << 1 if number >= 0 else (-number << 1) - 1
    groups = [rest & 0x7F]
    while rest := rest >> 7:
        groups.append(rest & 0x7F)
    groups += [0] * (size - len(groups))
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def sized(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


def encode(record: Record, headers: bytes | None = None, tail: bytes = b"") -> bytes:
    """The record's bytes; ``headers``: instead of its own, their count first. ``tail``: bytes behind them."""
    if headers is None:
        headers = varint(len(record.headers))
        headers += b"".join(sized(name.encode()) + sized(value) for name, value in record.headers)
    start = b"\x00" + varint(record.time) + varint(record.offset)
    return sized(start + sized(record.key) + sized(record.value) + headers + tail)


def batch(
    records: Sequence[Record] | bytes,
    base: int = 0,
    *,
    time: int = 0,
    newest: int = -1,
    codec: str = "none",
    attributes: int = 0,
    producer: int = -1,
    last: int | None = None,
    count: int | None = None,
) -> bytes:
    """A batch whose checksum fits. ``records``: or their bytes, then with ``last`` (offset delta) and ``count``."""
    if isinstance(records, bytes):
        body = records
    else:
        body = b"".join(encode(record) for record in records)
        last = (records[-1].offset if records else 0) if last is None else last
        count = len(records) if count is None else count
    number, compress = CODECS[codec]
    fields = (attributes | number, last or 0, time, newest, producer, 0 if producer >= 0 else -1, -1, count or 0)
    covered = struct.pack(">hiqqqhii", *fields) + compress(body)
    return struct.pack(">qiibI", base, len(covered) + 9, 0, 2, crc32c(covered)) + covered


def marker(base: int, producer: int, kind: int) -> bytes:
    """The control batch that ends a transaction as ``ABORT`` or ``COMMIT`` (KIP-98)."""
    record = Record(0, 0, struct.pack(">hh", 0, kind), struct.pack(">hi", 0, 7))
    return batch([record], base, attributes=TRANSACTIONAL | CONTROL, producer=producer)


def with_attributes(made: bytes, attributes: int) -> bytes:
    """The same batch with other attributes and the checksum that fits them."""
    covered = struct.pack(">h", attributes) + made[23:]
    return made[:17] + struct.pack(">I", crc32c(covered)) + covered
