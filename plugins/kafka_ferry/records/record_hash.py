"""The record hash: one 64-bit number that stands for one Kafka record. This is its only definition.

Version ``xxh64-v1``. All numbers are unsigned 64-bit. ``x(bytes, seed)`` is XXH64::

    h0 = timestamp in ms as two's complement u64    (0 when the timestamp is left out)
    h1 = x(header bytes, h0)
    h2 = x(key,   h1)    or, for a null key,    x(b"", not h1)
    h3 = x(value, h2)    or, for a null value,  x(b"", not h2)        -> the hash

``header bytes`` are those of record format v2 (Kafka protocol guide, "Record Batch"): the number of headers, then for
each header name length, name (UTF-8), value length (-1 for null), value; all numbers zigzag varints of minimal length.
So a reader that sees raw batches hashes that slice as it stands, and never decodes headers. Order and repetition of
headers count. ``not`` is bitwise: it keeps null and empty apart.

Good against accidents (two different records agree once in 2**64), not against an adversary.
"""

from __future__ import annotations

from collections.abc import Sequence

from xxhash import xxh64_intdigest

HASH_VERSION = "xxh64-v1"
_MASK = (1 << 64) - 1
_NO_HEADERS = b"\x00"  # varint 0: what format v2 holds for a record without headers

Headers = Sequence[tuple[str, bytes | None]]


def _varint(number: int) -> bytes:
    """Zigzag varint of a small signed integer, as in record format v2."""
    rest = number * 2 if number >= 0 else -number * 2 - 1
    encoded = bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


_VARINTS = [_varint(number) for number in range(256)]
_NULL = _varint(-1)


def encode_headers(headers: Headers | None) -> bytes:
    """Return headers as record format v2 holds them. ``None`` and an empty list are the same: no headers.

    Names that are not UTF-8 are strings with surrogate escapes (PEP 383).
    """
    if not headers:
        return _NO_HEADERS
    parts = [_varint(len(headers))]
    for name, value in headers:
        raw_name = name.encode("utf-8", "surrogateescape")
        size = len(raw_name)
        parts += (_VARINTS[size] if size < 256 else _varint(size), raw_name)
        if value is None:
            parts.append(_NULL)
        else:
            size = len(value)
            parts += (_VARINTS[size] if size < 256 else _varint(size), value)
    return b"".join(parts)


def headers_without(headers: Headers | None, names: frozenset[str]) -> Headers | None:
    """Headers but those of these names, in order: for copies to whose records somebody adds some."""
    return [header for header in headers if header[0] not in names] if headers else headers


def record_hash(timestamp_ms: int | None, headers: Headers | None, key: bytes | None, value: bytes | None) -> int:
    """Return the hash of one record, 0 <= hash < 2**64.

    :param timestamp_ms: as stored (-1 = the record has none); ``None`` leaves the timestamp out, which is what topics
        with ``message.timestamp.type=LogAppendTime`` need: there the broker writes its own clock.
    """
    seed = xxh64_intdigest(
        encode_headers(headers) if headers else _NO_HEADERS, 0 if timestamp_ms is None else timestamp_ms & _MASK
    )
    seed = xxh64_intdigest(b"", seed ^ _MASK) if key is None else xxh64_intdigest(key, seed)
    return xxh64_intdigest(b"", seed ^ _MASK) if value is None else xxh64_intdigest(value, seed)


#: Stands for the null key, which is no key at all; a key whose own hash is 0 comes once in 2**64.
NULL_KEY = 0


def key_hash(key: bytes | None) -> int:
    """Return the hash that stands for a key: XXH64 with seed 0, and ``NULL_KEY`` for none."""
    return NULL_KEY if key is None else xxh64_intdigest(key, 0)
