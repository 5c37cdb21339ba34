"""Hostile batches under right checksums: both readers give the same records, or both refuse them; nothing else happens.

Each seed is one test of its own, so that a failure can be repeated; the batch that failed is printed. Short here, long
every night.
"""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from batches import CODECS, CONTROL, LOG_APPEND_TIME, TRANSACTIONAL, Record, batch, encode, sized, varint
from kafka_ferry.exceptions import FerryError
from kafka_ferry.records import batch_messages, raw_records, record_window
from kafka_ferry.records.batch_messages import MessageDecoder
from kafka_ferry.records.raw_records import BatchDecoder
from kafka_ferry.records.record_batch import DamagedBatch, UnusualRecords, committed_batches, whole_batches
from kafka_ferry.records.record_hash import key_hash, record_hash
from mutations import mutated

SECONDS = 5.0
LONG = [pytest.mark.integration, pytest.mark.nightly]
TIMES = (0, -1, 1_700_000_000_000, 2**62, 2**63 - 1, -(2**63))
PARTS = (None, b"", b"k", b"\xff\0", b"x" * 300, b"y" * 5000)
REFUSED = FerryError, DamagedBatch, UnusualRecords


def odd_number(rng: random.Random, number: int) -> bytes:
    return varint(number, rng.choice((*(0,) * 30, 2, 3, 4, 5, 5, 6)))


def odd_record(rng: random.Random, offset: int) -> bytes:
    """Written as no client does: long numbers, lengths of every kind, names of any bytes."""
    if rng.random() < 0.6:
        headers = [(rng.choice(["", "h", "é" * 40]), rng.choice(PARTS)) for _ in range(rng.choice((0, 0, 1, 3)))]
        return encode(Record(offset, rng.choice((0, 7, -5)), rng.choice(PARTS), rng.choice(PARTS), headers))
    raw = b"\0" + odd_number(rng, rng.choice((0, -5, 2**40))) + odd_number(rng, offset)
    for part in rng.choices(PARTS, k=2):
        raw += odd_number(rng, rng.choice((-1, -2, -9, -70, -(2**31)))) if part is None else sized(part)
    names = rng.choices((b"", b"h", b"caf\xe9", b"\xed\xa0\x80", b"\xff" * 70), k=rng.choice((0, 1, 3)))
    raw += odd_number(rng, len(names))
    for name in names:
        raw += odd_number(rng, len(name)) + name
        raw += rng.choice((odd_number(rng, -9), odd_number(rng, -70), sized(b""), odd_number(rng, 2) + b"ab"))
    return odd_number(rng, len(raw)) + raw


def hostile(rng: random.Random) -> bytes:
    count, codec = rng.choice((0, 1, 2, 9, 60)), rng.choice(list(CODECS))
    body = b"".join(odd_record(rng, 2 * at) for at in range(count))
    if rng.random() < 0.4:
        body = mutated(rng, body)
    about: dict[str, Any] = {"time": rng.choice(TIMES), "newest": rng.choice(TIMES), "last": 2 * count}
    about["attributes"] = rng.choice((0, 0, 0, LOG_APPEND_TIME, TRANSACTIONAL, CONTROL | TRANSACTIONAL))
    about["count"] = count if rng.random() < 0.9 else rng.choice((-1, 0, 1, count + 1, 2**31 - 1))
    if rng.random() < 0.2:  # the compressed bytes are what is damaged
        number, compress = CODECS[codec]
        return batch(mutated(rng, compress(body)), 70, **{**about, "attributes": about["attributes"] | number})
    return batch(body, rng.choice((0, 70, 2**40)), codec=codec, **about)


def outcome(read: Any, made: bytes) -> Any:
    begun = time.monotonic()
    try:
        return read(list(committed_batches(whole_batches(memoryview(made)), [])))
    except REFUSED as error:
        return str(error) if isinstance(error, FerryError) else type(error).__name__
    finally:
        assert time.monotonic() - begun < SECONDS


@pytest.mark.parametrize(
    ("seed", "rounds"), [(1, 400), (2, 400), *(pytest.param(seed, 50_000, marks=LONG) for seed in range(3, 7))]
)
def test_both_readers_judge_alike(seed: int, rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed % 2:  # else each batch is one piece
        for module in (record_window, raw_records, batch_messages):
            monkeypatch.setattr(module, "PIECE_BYTES", 500)
    rng, decoder, messages = random.Random(seed), BatchDecoder(), MessageDecoder()

    def compiled(batches: Any) -> Any:
        return [pair for run in decoder.records(batches)
                for pair in zip(run.offsets.tolist(), run.hashes().tolist(), run.timestamps.tolist(),
                                run.key_hashes().tolist(), strict=True)]  # fmt: skip

    def plain(batches: Any) -> Any:
        return [(one.offset(), record_hash(one.timestamp()[1], one.headers(), one.key(), one.value()),
                 one.timestamp()[1], key_hash(one.key())) for run in messages.records("t", 0, batches)
                for one in run]  # fmt: skip

    odd = encode(Record(), varint(1) + sized(b"h") + varint(-9))  # Numba compiles now, not while it is timed
    assert len(compiled(list(whole_batches(memoryview(batch(odd, last=0, count=1)))))) == 1
    read = 0
    for at in range(rounds):
        made = hostile(rng)
        try:
            one, other = outcome(compiled, made), outcome(plain, made)
            assert one == other
        except BaseException:
            print(f"seed {seed}, round {at}: {made.hex()}")
            raise
        read += isinstance(one, list) and bool(one)
    assert rounds * 0.1 < read < rounds * 0.9, "both ways are gone"
