"""The compiled XXH64 against the xxhash package."""

from __future__ import annotations

import random

import numpy as np
import pytest
from xxhash import xxh64_intdigest

from kafka_ferry.records.xxh64 import xxh64


@pytest.mark.parametrize("size", [*range(70), 255, 4096, 100_001])
def test_it_is_the_same_hash(size: int) -> None:
    made = random.Random(size)
    data = np.frombuffer(made.randbytes(size + 8), np.uint8)
    for skip in range(8):  # records lie at any address
        part = data[skip : skip + size]
        for seed in (0, 1, 2**63, 2**64 - 1, made.getrandbits(64)):
            assert int(xxh64(part.ctypes.data, size, np.uint64(seed))) == xxh64_intdigest(part.tobytes(), seed)


def test_nothing_is_read_at_an_empty_ones_address() -> None:
    assert int(xxh64(0, 0, np.uint64(7))) == xxh64_intdigest(b"", 7)
