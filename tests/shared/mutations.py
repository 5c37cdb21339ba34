"""Seeded damage for fuzz tests: bytes as disks and people break them, JSON as somebody who knows it would."""

from __future__ import annotations

import copy
import random
from typing import Any

_EDGES = [
    b"\0",
    b"\xff" * 4,
    b"\xff" * 8,
    b"\x7f\xff\xff\xff",
    b"\x80" * 10 + b"\1",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b'"',
    b"}",
]
_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**31 - 1, 2**63, 2**63 - 1, -(2**63) - 1, 10**40, 1.5, 1e308,
    "", "..", "../../x", "/etc/passwd", "\0", "\ud800", "é" * 300, "1", [], {}, [[]], [None], {"": {}},
    "9999-12-31T23:59:59-12:00", "2036-01-01",
]  # fmt: skip


def mutated(rng: random.Random, data: bytes) -> bytes:
    """One to four pieces of damage somewhere in the bytes."""
    result = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(result) + 1)
        size = min(rng.choice((1, 1, 2, 4, 8, 50, 500)), max(0, len(result) - at))
        kind = rng.randrange(7)
        if kind == 0 and at < len(result):
            result[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            result[at : at + size] = rng.randbytes(size)
        elif kind == 2:
            del result[at : at + size]
        elif kind == 3:
            result[at:at] = rng.choice(_EDGES)
        elif kind == 4:
            result[at : at + size] = rng.choice(_EDGES)[:size]
        elif kind == 5:
            other = rng.randrange(len(result) + 1)
            result[at:at] = result[other : other + size]
        else:
            del result[at:]
    return bytes(result)


def mutated_json(rng: random.Random, data: Any) -> Any:
    """Some values replaced, left out, doubled or moved, anywhere in it."""
    result = copy.deepcopy(data)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(result))
        if not places:
            return rng.choice(_VALUES)
        holder, key = rng.choice(places)
        kind = rng.randrange(5)
        if kind <= 1:
            holder[key] = copy.deepcopy(rng.choice(_VALUES))
        elif kind == 2:
            del holder[key]
        elif kind == 3 and isinstance(holder[key], int):
            holder[key] += rng.choice((-1, 1, 2**32, -(2**32)))
        else:
            other, name = rng.choice(places)
            if name in other if isinstance(other, dict) else name < len(other):
                holder[key] = copy.deepcopy(other[name])
    return result


def _places(data: Any) -> Any:
    found = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in found:
        yield data, key
        yield from _places(value)
