"""How large a record is to Kafka: alone in a batch without compression, and as our producer compresses it by lz4. Pure.

A broker checks a batch with its header against ``max.message.bytes`` and ``segment.bytes``. A record alone in its
batch, with deltas of one byte, is the smallest batch it can come in. Sources: Kafka's protocol guide, "Record Batch";
librdkafka's ``rdkafka_lz4.c`` (independent blocks of 64 KB) and ``rdkafka_msgset_writer.c`` (what compression makes
larger is sent as it was).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import cramjam
import numpy as np

BATCH_HEADER: Final = 61
_FIXED = 3  # attributes, timestamp delta and offset delta, a byte each
_LONGER = (64, 8192, 1048576, 134217728)  # from so many bytes on their number takes a byte more
_NEAR = 16  # bytes that varints can make of a difference
_LZ4_BLOCK, _LZ4_BLOCK_HEADER, _LZ4_FRAME = 65536, 4, 7 + 4


def largest(keys: Any, values: Any, headers: Any) -> tuple[int, int]:
    """(place, bytes of a batch of it alone, uncompressed) of the largest of these records.

    Exact sizes of all took five times as long (measured): only those that may be it are looked at closely.

    :param keys, values: bytes of each, 0 or less for null. ``headers``: see :func:`header_sizes`.
    """
    about = keys + values + headers
    at = int(about.argmax())
    if not (_alike(keys) and _alike(values)):
        near = np.flatnonzero(about >= about[at] - _NEAR)
        at = int(near[batch_sizes(keys[near], values[near], headers[near]).argmax()])
    one = slice(at, at + 1)
    return at, int(batch_sizes(keys[one], values[one], headers[one])[0])


def _alike(lengths: Any) -> bool:
    """Whether the numbers of all of them take as many bytes: then the longest is the largest."""
    return bool(np.searchsorted(_LONGER, lengths.min(), "right") == np.searchsorted(_LONGER, lengths.max(), "right"))


def batch_sizes(keys: Any, values: Any, headers: Any) -> Any:
    """Bytes of a batch of each record alone, uncompressed; int64. Arguments as of :func:`largest`."""
    keys, values = np.maximum(keys, 0, dtype=np.int64), np.maximum(values, 0, dtype=np.int64)
    body = _FIXED + keys + _number_sizes(keys) + values + _number_sizes(values) + headers
    return BATCH_HEADER + body + _number_sizes(body)


def header_sizes(edges: Any, names: Any, values: Any) -> Any:
    """Bytes of all headers of each record with their count, int64.

    :param edges: one more than records: where each one's headers begin. ``names``, ``values``: bytes of each.
    """
    counts = np.diff(edges)
    if not len(names):
        return np.broadcast_to(np.int8(1), len(counts))
    each = names + _number_sizes(names) + values + _number_sizes(values)
    ends = np.concatenate(([0], np.cumsum(each)))
    first = edges[0]
    return ends[edges[1:] - first] - ends[edges[:-1] - first] + _number_sizes(counts)


def _number_sizes(lengths: Any) -> Any:
    """Bytes of varints of lengths; null's -1 takes as many as 0."""
    most = int(lengths.max(initial=0))
    sizes = np.ones(len(lengths), np.int64)
    for least in _LONGER:
        if most < least:
            break
        sizes += lengths >= least
    return sizes


def packed_size(record: bytes) -> int:
    """Bytes of a batch of this record alone as librdkafka packs it: by lz4 or, where that makes it larger, not at all.

    :param record: see :func:`record_bytes`.
    """
    return min(BATCH_HEADER + len(record), lz4_size(record))


def lz4_size(record: bytes) -> int:
    """Bytes of a batch of this record alone as Java's producers pack it by lz4, at its default level.

    Source: ``Lz4BlockOutputStream``; sizes are equal to the byte (measured, Kafka 4.3.1).

    :param record: see :func:`record_bytes`.
    """
    blocks = (record[at : at + _LZ4_BLOCK] for at in range(0, len(record), _LZ4_BLOCK))
    packed = sum(_LZ4_BLOCK_HEADER + min(len(block), _block_size(block)) for block in blocks)
    return BATCH_HEADER + packed + _LZ4_FRAME


def _block_size(block: bytes) -> int:
    return len(cramjam.lz4.compress_block(block, store_size=False))


def record_bytes(key: bytes | None, value: bytes | None, headers: Iterable[tuple[bytes, bytes | None]]) -> bytes:
    """A record as it is written alone in a batch, with its length before it."""
    entries = list(headers)
    told = [_number(len(entries)), *(part for name, content in entries for part in (_sized(name), _sized(content)))]
    body = b"".join([bytes(_FIXED), _sized(key), _sized(value), *told])
    return _number(len(body)) + body


def _sized(data: bytes | None) -> bytes:
    return _number(-1) if data is None else _number(len(data)) + data


def _number(value: int) -> bytes:
    """Zigzag varint."""
    rest = (value << 1) ^ (value >> 63)
    groups = bytearray()
    while rest > 0x7F:
        groups.append(rest & 0x7F | 0x80)
        rest >>= 7
    groups.append(rest)
    return bytes(groups)
