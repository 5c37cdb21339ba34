"""Records as objects: the same as in machine code, bit for bit, and what librdkafka's Python client cannot give."""

from __future__ import annotations

import random
from typing import Any

import pytest

from batches import CODECS, HEADER_SIZE, LOG_APPEND_TIME, Record, batch, encode, sized, varint
from kafka_ferry.exceptions import FerryError
from kafka_ferry.records import record_window
from kafka_ferry.records.batch_messages import BatchMessage, MessageDecoder
from kafka_ferry.records.raw_records import BatchDecoder
from kafka_ferry.records.record_batch import DamagedBatch, whole_batches
from kafka_ferry.records.record_hash import record_hash

TIME = 1_700_000_000_000
SOME = [
    Record(0, 0, None, None),
    Record(1, -5, b"", b"", [("", None), ("", b""), ("é", b"\xff\x00")]),
    Record(2, 2**40, b"k" * 70, b"v" * 9000, [("a", b"1"), ("a", b"2")]),
    Record(300, 1, b"\x00", b"\xff"),
]


def messages(data: bytes) -> list[BatchMessage]:
    found = MessageDecoder().records("t", 3, whole_batches(memoryview(data)))
    return [one for run in found for one in run]


def hashes(found: list[BatchMessage]) -> list[tuple[int, int]]:
    return [(one.offset(), record_hash(one.timestamp()[1], one.headers(), one.key(), one.value())) for one in found]


def in_machine_code(data: bytes) -> list[tuple[int, int]]:
    runs = BatchDecoder().records(whole_batches(memoryview(data)))
    return [pair for run in runs for pair in zip(run.offsets.tolist(), run.hashes().tolist(), strict=True)]


@pytest.mark.parametrize("codec", CODECS)
def test_all_kinds_of_records(codec: str) -> None:
    found = messages(batch(SOME, 70, time=TIME, codec=codec))
    assert [(one.topic(), one.partition(), one.error()) for one in found] == [("t", 3, None)] * len(SOME)
    assert [one.offset() for one in found] == [70 + one.offset for one in SOME]
    assert [one.timestamp() for one in found] == [(1, TIME + one.time) for one in SOME]
    assert [(one.key(), one.value(), one.headers()) for one in found] == [
        (one.key, one.value, list(one.headers) or None) for one in SOME
    ]


def test_who_wrote_it_is_known() -> None:
    found = messages(batch(SOME[:1], 70, producer=4711) + batch(SOME[:1], 71))
    assert [one.producer_id() for one in found] == [4711, -1]


def test_the_brokers_own_clock() -> None:
    found = messages(batch(SOME, 70, time=5, newest=TIME, attributes=LOG_APPEND_TIME))
    assert {one.timestamp() for one in found} == {(2, TIME)}


@pytest.mark.parametrize("codec", CODECS)
def test_pieces_of_a_large_batch_are_the_same_in_machine_code(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_window, "PIECE_BYTES", 1000)
    some = random.Random(codec)
    sizes = [some.choice([0, 1, 10, 900, 999, 1000, 1001, 5000, 9_000_000]) for _ in range(40)]
    records = [Record(n, n, b"%d" % n, bytes([n]) * size, [("h", None)] * (n % 3)) for n, size in enumerate(sizes)]
    made = batch(SOME, 0) + batch(records, 1000, time=TIME, codec=codec) + batch(SOME, 2000)
    expected = [(1000 + one.offset, record_hash(TIME + one.time, one.headers, one.key, one.value)) for one in records]
    assert hashes(messages(made))[4:-4] == expected
    assert hashes(messages(made)) == in_machine_code(made)


@pytest.mark.parametrize("below", [-2, -9, -(2**31)])
def test_any_length_below_zero_is_null(below: int) -> None:
    raw = b"\x00" + varint(0) + varint(0) + varint(below) * 2 + varint(1) + sized(b"h") + varint(below)
    made = batch(sized(raw), 7, last=0, count=1)
    (found,) = messages(made)
    assert (found.key(), found.value(), found.headers()) == (None, None, [("h", None)])
    assert hashes([found]) == in_machine_code(made)


def test_a_name_of_a_header_is_the_bytes_it_is() -> None:
    made = batch(encode(Record(), varint(1) + sized(b"caf\xe9") + sized(b"x")), 7, last=0, count=1)
    (found,) = messages(made)
    assert [name.encode("utf-8", "surrogateescape") for name, _ in found.headers() or ()] == [b"caf\xe9"]
    assert hashes([found]) == in_machine_code(made)


def outcome(read: Any, made: bytes) -> Any:
    try:
        return read(made)
    except DamagedBatch:
        return "damaged"
    except FerryError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(400))
def test_what_is_damaged_under_a_right_checksum_is_judged_the_same_both_ways(seed: int) -> None:
    some = random.Random(seed)
    body = bytearray(batch(SOME, 70, time=TIME)[HEADER_SIZE : HEADER_SIZE + 400])
    if seed % 4 == 0:
        body = bytearray(batch(SOME[:2] + SOME[3:], 70, time=TIME)[HEADER_SIZE:])
    for _ in range(some.choice([1, 1, 2, 5])):
        body[some.randrange(len(body))] ^= some.randint(1, 255)
    if seed % 5 == 0:
        body = body[: some.randrange(1, len(body))]
    made = batch(bytes(body), 70, time=TIME, last=300, count=some.choice([3, 4]))
    assert outcome(lambda data: hashes(messages(data)), made) == outcome(in_machine_code, made)


def test_few_are_made_at_once() -> None:
    made = batch([Record(n, 0, None, None) for n in range(5000)], 0, codec="zstd")
    runs = list(MessageDecoder().records("t", 0, whole_batches(memoryview(made))))
    assert sum(map(len, runs)) == 5000
    assert max(map(len, runs)) <= 2000
    assert [one.offset() for one in runs[0].until(3)] == [0, 1, 2]
    assert [one.offset() for one in runs[0].since(runs[0].last)] == [runs[0].last]
