"""Varints of record format v2 for compiled loops. Pure."""

from __future__ import annotations

from typing import Any

from numba import njit, types

from kafka_ferry.records.xxh64 import load_u8

_u8: Any = types.uint8
_i64: Any = types.int64
_u64: Any = types.uint64


@njit(inline="always")
def put_varint(number: Any, buffer: Any, at: Any) -> Any:
    """Zigzag varint of a signed 64-bit number into an array; the place behind it."""
    rest = _u64((number << 1) ^ (number >> 63))
    while rest > _u64(0x7F):
        buffer[at] = _u8((rest & _u64(0x7F)) | _u64(0x80))
        rest >>= _u64(7)
        at += 1
    buffer[at] = _u8(rest)
    return at + 1


@njit(inline="always")
def get_varint(at: Any, end: Any) -> Any:
    """(zigzag varint of a signed 64-bit number at an address, the address behind it); nothing is read at ``end``.

    The address is ``end + 1`` where it is cut off by the end, or longer than such a number can be.
    """
    number, shift, more, byte = _u64(0), _u64(0), at < end, _u64(0x80)
    while more:
        byte = _u64(load_u8(at))
        number |= (byte & _u64(0x7F)) << shift
        shift += _u64(7)
        at += _u64(1)
        more = byte > _u64(0x7F) and at < end and shift < _u64(64)
    if byte > _u64(0x7F):
        at = end + _u64(1)
    return _i64(number >> _u64(1)) ^ -_i64(number & _u64(1)), at


@njit(inline="always")
def get_varint32(at: Any, end: Any) -> Any:
    """The same of a signed 32-bit number, as Java's ``ByteUtils.readVarint``: five bytes, bits above 32 fall off."""
    number, behind = get_varint(at, end)
    if behind - at >= _u64(5) and behind <= end:
        if behind - at > _u64(5):
            return number, end + _u64(1)
        rest = _u64((number << 1) ^ (number >> 63)) & _u64(0xFFFFFFFF)
        number = _i64(rest >> _u64(1)) ^ -_i64(rest & _u64(1))
    return number, behind


@njit(inline="always")
def varint_size(number: Any) -> Any:
    """Bytes that the zigzag varint of a signed 64-bit number needs."""
    rest, size = _u64((number << 1) ^ (number >> 63)) >> _u64(7), _i64(1)
    while rest:
        rest >>= _u64(7)
        size += 1
    return size
