"""Records in buffers against the same records in lists."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kafka_ferry.jobs.backup.rules.packed_segment import decode_packed
from kafka_ferry.jobs.backup.rules.segment import Buffer, decode
from kafka_ferry.records.columns import columns_of, header_array, record_columns
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.packed_rows import PackedRows

COUNT = 500


def records(seed: int) -> dict[str, list[Any]]:
    made = random.Random(seed)

    def part() -> bytes | None:
        return made.choice([None, b"", b"k", made.randbytes(made.randrange(60)), made.randbytes(300)])

    return {
        "offsets": sorted(made.sample(range(10 * COUNT), COUNT)),
        "timestamps": [made.choice([-1, 0, 1, 2**52, 1_700_000_000_000 + made.randrange(999)]) for _ in range(COUNT)],
        "kinds": [1] * COUNT,
        "keys": [part() for _ in range(COUNT)],
        "values": [part() for _ in range(COUNT)],
        "headers": [
            [(made.choice(["", "a", "é😀", "n" * 200]), part()) for _ in range(made.choice([0, 0, 1, 3, 70]))]
            for _ in range(COUNT)
        ],
    }


def segment(parts: dict[str, list[Any]]) -> bytes:
    made = Buffer(0)
    for piece in (slice(0, 7), slice(7, COUNT)):
        made.add(columns_of(3, **{name: column[piece] for name, column in parts.items()}))
    return bytes(made.cut(10 * COUNT, "compaction").encode({}))


def both(seed: int) -> tuple[Any, PackedRows]:
    data = segment(records(seed))
    return next(decode(data, "s")), next(decode_packed(data, "s"))


def binaries(packed: Any) -> list[bytes | None]:
    edges = packed.edges.tolist()
    return [
        packed.data[begin:end].tobytes() if there else None
        for (begin, end), there in zip(pairwise(edges), packed.there.tolist(), strict=True)
    ]


def equal(rows: Any, packed: PackedRows) -> bool:
    edges = packed.lists.tolist()
    pairs = list(zip(binaries(packed.names), binaries(packed.contents), strict=True))
    headers = [[(str(name, "utf-8"), value) for name, value in pairs[a:b] if name is not None]
               for a, b in pairwise(edges)]  # fmt: skip
    return bool(
        packed.offsets.tolist() == rows.offsets
        and packed.timestamps.tolist() == rows.timestamps
        and binaries(packed.keys) == rows.keys
        and binaries(packed.values) == rows.values
        and headers == rows.headers
        and packed.hashes().tolist() == rows.hashes()
        and packed.bytes() == rows.bytes()
        and len(packed) == len(rows)
    )


@pytest.mark.parametrize("seed", range(5))
def test_they_are_the_same(seed: int) -> None:
    rows, packed = both(seed)
    assert equal(rows, packed)
    assert equal(rows.until(1), packed.until(1))
    assert len(packed.until(1)) < COUNT
    assert equal(rows.without_zero(1), packed.without_zero(1))
    for count in (0, 1, 7, COUNT - 1):
        assert equal(rows.skip(count), packed.skip(count))
        assert equal(rows.until(1).without_zero(1).skip(3), packed.until(1).without_zero(1).skip(3))


def test_nothing_but_nulls_and_no_headers() -> None:
    parts = records(0) | {"keys": [None] * COUNT, "values": [None] * COUNT, "headers": [None] * COUNT}
    data = segment(parts)
    assert equal(next(decode(data, "s")), next(decode_packed(data, "s")))


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: b"", lambda data: b"x" * 100])
def test_what_is_no_segment_is_named(damage: Any) -> None:
    with pytest.raises(DamagedSegment, match=r"^s: "):
        list(decode_packed(damage(segment(records(0))), "s"))


def test_a_header_name_that_is_no_utf8_is_a_name() -> None:
    """Brokers take it, and backups that were read as batches hold it: it must come back."""
    edges = pa.py_buffer(np.array([0, 4], np.int32))
    names = pa.Array.from_buffers(pa.string(), 1, [None, edges, pa.py_buffer(b"caf\xe9")])
    headers = header_array(np.array([0, 1], np.int32), names, pa.array([b"v"], pa.binary()))
    one, none = pa.array([b"k"], pa.binary()), pa.array([None], pa.binary())
    made = Buffer(7)
    offsets, times = np.array([7], np.int64), np.array([1], np.int64)
    made.add(record_columns(0, offsets, times, np.array([1], np.int8), one, none, headers, np.array([5], np.uint64)))
    (rows,) = decode_packed(bytes(made.cut(8, "transaction").encode({})), "x.parquet")
    assert bytes(rows.names.data[rows.names.edges[0] : rows.names.edges[1]]) == b"caf\xe9"
