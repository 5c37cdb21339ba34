"""Schema ids that records begin with: both ways of reading find the same, and each record counts once."""

from __future__ import annotations

import numpy as np

from batches import Record, batch, encode
from kafka_ferry.records.raw_records import KEY, VALUE, BatchDecoder
from kafka_ferry.records.raw_schema_ids import raw_schema_ids
from kafka_ferry.records.record_batch import whole_batches
from kafka_ferry.records.schema_ids import MOST, OTHERS, SchemaIds, SchemaIdUse, counted, schema_ids_of


def framed(number: int, payload: bytes = b"") -> bytes:
    return b"\0" + number.to_bytes(4, "big") + payload


VALUES = [
    framed(7, b"x"), framed(7), framed(2**31 - 1, b"y"), framed(2**32 - 1), framed(0), None, b"", b"\0", b"\0\0\0\1",
    b"\1\0\0\0\7x", b"text", b"\0" * 8,
]  # fmt: skip
IDS = [7, 7, 2**31 - 1, 2**32 - 1, 0, -1, -1, -1, -1, -1, -1, 0]


def test_what_a_value_begins_with() -> None:
    assert schema_ids_of(VALUES).tolist() == IDS
    assert schema_ids_of([]).tolist() == []


def test_compiled_code_finds_the_same() -> None:
    records = [Record(at, 0, key, value) for at, (key, value) in enumerate(zip(VALUES, reversed(VALUES), strict=True))]
    made = batch(b"".join(map(encode, records)), time=1, last=len(records) - 1, count=len(records))
    (run,) = BatchDecoder().records(whole_batches(memoryview(made)))

    assert raw_schema_ids(run, KEY).tolist() == IDS
    assert raw_schema_ids(run, VALUE).tolist() == IDS[::-1]


def take(ids: SchemaIds, partition: int, begin: int, values: list[int]) -> None:
    offsets = np.arange(begin, begin + len(values), dtype=np.int64)
    ids.take(("orders", partition), offsets, np.full(len(values), OTHERS, np.int64), np.array(values, np.int64))


def test_they_are_counted_with_their_first_offset() -> None:
    ids = SchemaIds()
    take(ids, 0, 10, [7, OTHERS, 8, 7])
    take(ids, 0, 14, [8])
    take(ids, 1, 0, [OTHERS])

    assert ids.of("orders", 0) == (SchemaIdUse("value", 7, 2, 0, 10), SchemaIdUse("value", 8, 2, 0, 12))
    assert ids.of("orders", 1) == ids.of("others") == ()


def test_what_is_read_twice_counts_once() -> None:
    """Of a large topic a part of the keys is compared at a time, and all is read each time."""
    ids = SchemaIds()
    take(ids, 0, 0, [7, 7, 8])
    take(ids, 0, 0, [7, 7, 8])
    take(ids, 0, 2, [8, 9])

    assert [(use.id, use.records) for use in ids.of("orders")] == [(7, 2), (8, 1), (9, 1)]


def test_they_are_bounded() -> None:
    """What begins with a zero byte may be a number, different in every record."""
    ids = SchemaIds(most=3)
    take(ids, 0, 0, [5, 6, 7, 8, 9, 8, 5])

    found = {use.id: use for use in ids.of("orders")}
    assert sorted(found) == [OTHERS, 5, 6, 7]
    assert (found[OTHERS].records, found[5].records) == (3, 2)


def test_they_travel_as_json() -> None:
    use = SchemaIdUse("key", 7, 2, 1, 10)
    assert SchemaIdUse.from_json(use.to_json()) == use


def test_partitions_are_added_up() -> None:
    uses = {
        "orders": [SchemaIdUse("value", 7, 2, 1, 3), SchemaIdUse("value", 7, 5, 0, 9), SchemaIdUse("key", 7, 1, 0, 0),
                   SchemaIdUse("value", 9, 100, 0, 1)],
        "lines": [SchemaIdUse("value", 7, 1, 0, 0)],
    }  # fmt: skip

    assert counted(uses) == [
        ("lines", SchemaIdUse("value", 7, 1, 0, 0)),
        ("orders", SchemaIdUse("key", 7, 1, 0, 0)),
        ("orders", SchemaIdUse("value", 9, 100, 0, 1)),
        ("orders", SchemaIdUse("value", 7, 7, 0, 9)),
    ]


def test_many_partitions_are_bounded_too() -> None:
    uses = {"orders": [SchemaIdUse("value", number, 1 + (number == 5), 0, number) for number in range(MOST + 10)]}

    found = counted(uses)
    assert len(found) == MOST + 1
    assert found[0][1].id == 5
    assert (found[-1][1].id, found[-1][1].records) == (OTHERS, 10)
