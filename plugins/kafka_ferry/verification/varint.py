"""Varints of record format v2 for compiled loops. Pure."""

from __future__ import annotations

from typing import Any

from numba import njit, types

_u8: Any = types.uint8
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
