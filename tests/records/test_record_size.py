"""How large a record is to Kafka, against batches that a plain encoder makes."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest

import batches
from kafka_ferry.records.record_size import (
    BATCH_HEADER,
    batch_sizes,
    header_sizes,
    largest,
    lz4_size,
    packed_size,
    record_bytes,
)

EDGES = [0, 1, 62, 63, 64, 65, 8191, 8192, 1048575, 1048576]


def alone(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]) -> bytes:
    return batches.encode(batches.Record(0, 0, key, value, headers))


def test_sizes_are_those_of_batches_whatever_is_null_or_takes_a_longer_number() -> None:
    rnd = random.Random(7)
    records = [
        (
            rnd.choice([None, bytes(rnd.choice(EDGES[:8]))]),
            rnd.choice([None, bytes(rnd.choice(EDGES))]),
            [("h" * rnd.choice([0, 1, 64]), rnd.choice([None, b"", bytes(64)])) for _ in range(rnd.choice([0, 1, 70]))],
        )
        for _ in range(120)
    ]
    wanted = [BATCH_HEADER + len(alone(*one)) for one in records]
    keys, values = (np.array([len(one[at] or b"") for one in records], np.int64) for at in (0, 1))
    entries = [entry for one in records for entry in one[2]]
    edges = np.cumsum([0] + [len(one[2]) for one in records])
    of_headers = header_sizes(
        edges,
        np.array([len(name) for name, _ in entries], np.int64),
        np.array([len(value or b"") for _, value in entries], np.int64),
    )
    assert batch_sizes(keys, values, of_headers).tolist() == wanted
    assert largest(keys, values, of_headers) == (int(np.argmax(wanted)), max(wanted))
    for key, value, headers in records:
        told = [(name.encode(), content) for name, content in headers]
        assert record_bytes(key, value, told) == alone(key, value, headers)


def test_the_largest_is_found_where_a_longer_number_decides() -> None:
    keys = np.array([64, 0, 63], np.int64)
    values = np.array([63, 128, 65], np.int64)  # 127 or 128 together: the numbers before them make the difference
    sizes = batch_sizes(keys, values, np.ones(3, np.int64))
    assert largest(keys, values, np.ones(3, np.int64)) == (int(sizes.argmax()), int(sizes.max()))


def test_records_without_headers_have_one_byte_for_their_count() -> None:
    none = np.empty(0, np.int64)
    assert header_sizes(np.zeros(4, np.int64), none, none).tolist() == [1, 1, 1]


@pytest.mark.parametrize("size", [0, 10, 65535, 65536, 65537, 300_000])
def test_what_lz4_makes_larger_is_sent_as_it_is(size: int) -> None:
    record = os.urandom(size)
    assert packed_size(record) == BATCH_HEADER + size
    assert lz4_size(record) == BATCH_HEADER + 11 + size + 4 * -(-size // 65536), "as Java's producers do"
    assert packed_size(bytes(size)) <= BATCH_HEADER + min(size, size // 200 + 60)
