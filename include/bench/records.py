"""The records that are copied: JSON-like text, half of it random, so that it compresses to about half. Pure."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from itertools import cycle, islice

from demo.spec import Record

VALUE_BYTES = 1000
_POOL = 2000  # different values: enough that no batch of 512 KiB holds one twice


def values(count: int = _POOL, size: int = VALUE_BYTES, seed: int = 1) -> list[bytes]:
    """``count`` different values of exactly ``size`` bytes, the same for every call."""
    made = random.Random(seed)  # noqa: S311 - test data
    result = []
    for number in range(count):
        head = f'{{"id":{number:09d},"type":"measurement","unit":"celsius","payload":"'
        noise = base64.b64encode(made.randbytes(size // 2)).decode()[: size // 2]
        text = f'{head}{noise}","note":"'
        result.append((text + "the same words in every record, " * (size // 30))[: size - 2].encode() + b'"}')
    return result


def records(count: int, partitions: int, size: int = VALUE_BYTES) -> Iterator[Record]:
    """``count`` records with a key of 11 bytes and one header, evenly over the partitions."""
    for number, value in enumerate(islice(cycle(values(size=size)), count)):
        key = b"key-%07d" % number
        yield Record(key, value, 1_700_000_000_000 + number, [("kind", b"test")], number % partitions)
