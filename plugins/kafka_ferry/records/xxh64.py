"""XXH64 in machine code, for loops that never make a Python object of a record. Pure.

The algorithm: Yann Collet, "xxHash fast digest algorithm", doc/xxhash_spec.md of the xxHash project, section XXH64.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types
from numba.extending import intrinsic

u64: Any = types.uint64
_P1 = 0x9E3779B185EBCA87
_P2 = 0xC2B2AE3D27D4EB4F
_P3 = 0x165667B19E3779F9
_P4 = 0x85EBCA77C2B2AE63
_P5 = 0x27D4EB2F165667C5


def _load(kind: Any) -> Any:
    """An intrinsic that reads a little-endian number of this type at an address, aligned or not."""

    @intrinsic
    def load(_context: Any, _address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = builder.inttoptr(arguments[0], context.get_value_type(signature.return_type).as_pointer())
            return builder.load(place, align=1)

        return kind(types.uint64), generate

    return load


load_u8 = _load(types.uint8)
load_u32 = _load(types.uint32)
load_u64 = _load(types.uint64)


@njit(inline="always")
def _rotate(number: Any, bits: Any) -> Any:
    return (number << bits) | (number >> (u64(64) - bits))


@njit(inline="always")
def _round(lane: Any, word: Any) -> Any:
    return _rotate(lane + word * u64(_P2), u64(31)) * u64(_P1)


@njit(inline="always")
def _merge(digest: Any, lane: Any) -> Any:
    return (digest ^ _round(u64(0), lane)) * u64(_P1) + u64(_P4)


@njit(types.uint64(types.uint64, types.uint64, types.uint64), nogil=True, cache=True)
def xxh64(address: Any, size: Any, seed: Any) -> Any:
    """XXH64 of ``size`` bytes at ``address``; the address is not looked at when there are none."""
    p1, p2, p5 = u64(_P1), u64(_P2), u64(_P5)
    at, end = address, address + size
    if size >= u64(32):
        a, b, c, d = seed + p1 + p2, seed + p2, seed, seed - p1
        last = end - u64(32)
        while at <= last:
            a = _round(a, load_u64(at))
            b = _round(b, load_u64(at + u64(8)))
            c = _round(c, load_u64(at + u64(16)))
            d = _round(d, load_u64(at + u64(24)))
            at += u64(32)
        digest = _rotate(a, u64(1)) + _rotate(b, u64(7)) + _rotate(c, u64(12)) + _rotate(d, u64(18))
        digest = _merge(_merge(_merge(_merge(digest, a), b), c), d)
    else:
        digest = seed + p5
    digest += size
    while at + u64(8) <= end:
        digest = _rotate(digest ^ _round(u64(0), load_u64(at)), u64(27)) * p1 + u64(_P4)
        at += u64(8)
    if at + u64(4) <= end:
        word = u64(load_u32(at))
        digest = _rotate(digest ^ (word * p1), u64(23)) * p2 + u64(_P3)
        at += u64(4)
    while at < end:
        digest = _rotate(digest ^ (u64(load_u8(at)) * p5), u64(11)) * p1
        at += u64(1)
    digest = (digest ^ (digest >> u64(33))) * p2
    digest = (digest ^ (digest >> u64(29))) * u64(_P3)
    return digest ^ (digest >> u64(32))
