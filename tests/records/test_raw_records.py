"""Records where they lie: hashes and columns against what plain Python makes of the same records."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from typing import Any

import pytest

from batches import CODECS, HEADER_SIZE, LOG_APPEND_TIME, Record, batch, encode, sized, varint
from kafka_ferry.exceptions import FerryError
from kafka_ferry.records import record_window
from kafka_ferry.records.raw_records import KEY, VALUE, BatchDecoder, RawRecords
from kafka_ferry.records.record_batch import DamagedBatch, whole_batches
from kafka_ferry.records.record_hash import key_hash, record_hash

TIME = 1_700_000_000_000
PLAIN = Record()
KINDS = [
    Record(0, 0, None, None),
    Record(1, -5, b"", b""),
    Record(2, 9, b"key", None),
    Record(3, 0, None, b"value"),
    Record(7, 2**40, b"k" * 63, b"v" * 64, [("a", b"1"), ("a", b"2"), ("a", b"2")]),
    Record(300, 1, b"\x00", b"\xff", [("", None), ("", b""), ("é", b"\xff\x00")]),
    Record(301, 1, b"k" * 9000, b"v" * 20_000, [(f"h{n}" * n, b"x" * n if n % 3 else None) for n in range(70)]),
    Record(302, 1, b"x", b"y", [("n" * 200, b"long" * 5000)]),
]


def runs(*batches: bytes) -> Any:
    return BatchDecoder().records(whole_batches(memoryview(b"".join(batches))))


def only(*batches: bytes) -> RawRecords:
    (one,) = runs(*batches)
    return one  # type: ignore[no-any-return]


def slices(edges: Any, data: Any, there: Any = None) -> list[Any]:
    parts = [data[a:b].tobytes() for a, b in itertools.pairwise(edges.tolist())]
    if there is None:
        return parts
    return [part if is_there else None for part, is_there in zip(parts, there, strict=True)]


def headers(records: RawRecords) -> list[list[Any]]:
    lists, name_edges, names, value_edges, values, there = records.headers()
    assert len(name_edges) == len(value_edges) == len(there) + 1 == lists[-1] + 1
    in_utf8 = [name.decode() for name in slices(name_edges, names)]
    pairs = list(zip(in_utf8, slices(value_edges, values, there), strict=True))
    return [pairs[a:b] for a, b in itertools.pairwise(lists.tolist())]


def check(records: RawRecords, expected: list[tuple[int, int, Record]], kind: int = 1) -> None:
    """``expected``: (offset, timestamp, record) of each."""
    assert len(records) == len(expected)
    assert records.offsets.tolist() == [offset for offset, _, _ in expected]
    assert records.last == expected[-1][0]
    assert records.timestamps.tolist() == [time for _, time, _ in expected]
    assert records.kinds.tolist() == [kind] * len(expected)
    assert slices(*records.column(KEY)) == [one.key for *_, one in expected]
    assert slices(*records.column(VALUE)) == [one.value for *_, one in expected]
    assert headers(records) == [list(one.headers) for *_, one in expected]
    assert records.hashes().tolist() == [record_hash(t, one.headers, one.key, one.value) for _, t, one in expected]
    without = [record_hash(None, one.headers, one.key, one.value) for *_, one in expected]
    assert records.hashes(with_timestamp=False).tolist() == without
    assert records.key_hashes().tolist() == [key_hash(one.key) for *_, one in expected]
    assert records.bytes == sum(len(one.key or b"") + len(one.value or b"") for *_, one in expected)


def placed(records: list[Record], base: int, time: int) -> list[tuple[int, int, Record]]:
    return [(base + one.offset, time + one.time, one) for one in records]


@pytest.mark.parametrize("codec", CODECS)
def test_all_kinds_of_records(codec: str) -> None:
    check(only(batch(KINDS, 70, time=TIME, codec=codec)), placed(KINDS, 70, TIME))


@pytest.mark.parametrize("record", KINDS)
def test_each_kind_alone(record: Record) -> None:
    check(only(batch([record], 2**40, time=-1)), placed([record], 2**40, -1))


def test_a_null_key_hashes_to_0() -> None:
    assert only(batch([Record(key=None), Record(1, key=b"")])).key_hashes().tolist() == [0, key_hash(b"")]
    assert key_hash(b"") != 0


def test_the_brokers_own_clock() -> None:
    made = batch(KINDS, 70, time=5, newest=TIME, attributes=LOG_APPEND_TIME)
    check(only(made), [(70 + one.offset, TIME, one) for one in KINDS], kind=2)


def test_batches_of_one_run_lie_behind_each_other() -> None:
    more = [batch(KINDS, 1000 * n, time=TIME + n, codec=codec) for n, codec in enumerate(CODECS)]
    check(only(*more), [one for n in range(len(CODECS)) for one in placed(KINDS, 1000 * n, TIME + n)])


def test_both_clocks_in_one_run() -> None:
    records = only(batch([PLAIN], 0, time=5), batch([PLAIN], 1, time=6, newest=7, attributes=LOG_APPEND_TIME))
    assert records.timestamps.tolist() == [5, 7]
    assert records.kinds.tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(20))
def test_random_records(seed: int) -> None:
    made = random.Random(seed)

    def some_bytes() -> bytes | None:
        return None if made.random() < 0.2 else made.randbytes(made.choice([0, 1, 7, 31, 32, 33, 63, 64, 200, 9000]))

    def some_headers() -> list[tuple[str, bytes | None]]:
        names = ["", "h", "é" * 40, "x" * 128]
        return [(made.choice(names), some_bytes()) for _ in range(made.choice([0, 0, 1, 3, 65]))]

    batches, expected, base = [], [], made.randrange(2**50)
    for _ in range(5):
        deltas = sorted(made.sample(range(100_000), made.randint(1, 20)))
        records = [
            Record(at, made.randint(-(2**33), 2**33), some_bytes(), some_bytes(), some_headers()) for at in deltas
        ]
        batches.append(batch(records, base, time=TIME, codec=made.choice(list(CODECS))))
        expected += placed(records, base, TIME)
        base += 100_000
    check(only(*batches), expected)


@pytest.mark.parametrize("edge", [0, 70, 71, 73, 74, 76, 77, 78, 370, 371, 372, 373, 2**40])
def test_only_those_below_or_from_an_offset_on(edge: int) -> None:
    """Offsets have gaps, and edges lie in them."""
    records, expected = only(batch(KINDS, 70, time=TIME)), placed(KINDS, 70, TIME)
    for part, wanted in (
        (records.until(edge), [one for one in expected if one[0] < edge]),
        (records.since(edge), [one for one in expected if one[0] >= edge]),
        (records.since(71).until(edge), [one for one in expected if 71 <= one[0] < edge]),
    ):
        assert len(part) == len(wanted)
        if wanted:
            check(part, wanted)


def test_no_records_of_none_are_left() -> None:
    none = only(batch(KINDS)).until(0)
    assert (len(none), none.bytes, headers(none), slices(*none.column(KEY))) == (0, 0, [], [])
    assert none.hashes().tolist() == none.key_hashes().tolist() == []
    assert list(runs()) == []


@pytest.mark.parametrize("codec", ["none", "snappy raw", "lz4", "zstd"])
def test_many_bytes_are_several_runs(codec: str) -> None:
    mega = 1_000_000  # the third does not fit into the room that is left
    sizes = [3 * mega, 4 * mega, 12 * mega, 9 * mega, 10, mega]
    every = [[Record(0, 0, b"a", bytes([n]) * size), Record(1, 1, b"b", b"%d" % n)] for n, size in enumerate(sizes)]
    batches = [batch(some, 2 * n, time=TIME, codec=codec) for n, some in enumerate(every)]
    lengths, at = [], 0
    for run in runs(*batches):
        count = len(run) // 2
        check(run, [one for n in range(at, at + count) for one in placed(every[n], 2 * n, TIME)])
        lengths.append(count)
        at += count
    assert lengths == [2, 1, 1, 2]


GOOD = [Record(1), Record(2, headers=[("h", b"x")])]
BODY = b"".join(encode(one) for one in GOOD)
START = b"\x00\x00\x00"  # attributes, time and offset


@pytest.mark.parametrize(
    "body, count",
    [
        pytest.param(BODY, 3, id="count larger than the records"),
        pytest.param(BODY, 2**31 - 1, id="largest count"),
        pytest.param(BODY, -1, id="negative count"),
        pytest.param(b"", 1, id="nothing"),
        pytest.param(b"\x00" * 14, 2, id="empty records"),
        pytest.param(BODY[:-1], 2, id="cut off"),
        pytest.param(varint(len(BODY)) + BODY[1:], 1, id="record length too long"),
        pytest.param(varint(-1) + BODY[1:], 2, id="record length negative"),
        pytest.param(varint(2**62) + BODY[1:], 2, id="record length huge"),
        pytest.param(b"\xff" * 40, 1, id="a number without an end"),
        pytest.param(sized(START + varint(50) + b"k" + sized(b"v") + varint(0)) + BODY, 3, id="key too long"),
        pytest.param(sized(START + varint(2**62) + b"k" + sized(b"v") + varint(0)) + BODY, 3, id="key huge"),
        pytest.param(sized(START + sized(b"k") + varint(50) + b"v" + varint(0)) + BODY, 3, id="value too long"),
        pytest.param(sized(START + sized(b"k") + sized(b"v")) + BODY, 3, id="no header count"),
        pytest.param(encode(PLAIN, varint(2) + sized(b"h") + sized(b"x")) + BODY, 3, id="a header too few"),
        pytest.param(encode(PLAIN, varint(2**62) + sized(b"h") + sized(b"x")), 1, id="header count huge"),
        pytest.param(encode(PLAIN, varint(-1)), 1, id="header count negative"),
        pytest.param(encode(PLAIN, varint(1) + varint(9) + b"h" + sized(b"x")) + BODY, 3, id="name too long"),
        pytest.param(encode(PLAIN, varint(1) + sized(b"h") + varint(9) + b"x") + BODY, 3, id="header value too long"),
        pytest.param(encode(PLAIN, tail=b"\x00") + BODY, 3, id="trailing byte"),
        pytest.param(encode(GOOD[1]._replace(offset=0), tail=b"trailing") + BODY, 3, id="trailing bytes"),
        pytest.param(encode(PLAIN, b"\x80") + BODY, 3, id="header count cut off"),
        pytest.param(encode(PLAIN, varint(1) + sized(b"h") + b"\x80") + BODY, 3, id="value length cut off"),
        pytest.param(encode(PLAIN, varint(1) + varint(1, 2) + b"h") + BODY, 3, id="no value, long name length"),
        pytest.param(encode(PLAIN, varint(2) + varint(-1) + sized(b"xx") + varint(0)) + BODY, 3, id="null name"),
        pytest.param(BODY, 1, id="count smaller than the records"),
        pytest.param(encode(PLAIN, varint(1) + sized(b"h") + varint(-(2**40))), 1, id="a length of six bytes"),
        pytest.param(encode(PLAIN, varint(1) + sized(b"h") + varint(1, 6) + b"x"), 1, id="a long length of six bytes"),
        pytest.param(BODY + b"junk", 2, id="bytes behind the last record"),
        pytest.param(BODY + BODY, 4, id="offsets that go back"),
        pytest.param(encode(Record(-1)), 1, id="an offset before the batch's"),
    ],
)
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_what_are_no_records_is_said_with_the_batchs_offset(body: bytes, count: int, codec: str) -> None:
    damaged = batch(body, 4711, last=5, count=count, codec=codec)
    with pytest.raises(FerryError, match="batch at offset 4711 "):
        list(runs(batch(GOOD, 0), damaged, batch(GOOD, 9000)))


def test_a_batch_that_cannot_be_decompressed_is_said_too() -> None:
    made = bytearray(batch(b"rubbish", 4711, last=0, count=1, attributes=4))
    with pytest.raises(DamagedBatch, match="offset 4711:"):
        list(runs(batch(GOOD, 0), bytes(made)))


ONE, NONE = [("h", b"x")], [("h", None)]


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (varint(1, 2) + sized(b"h") + sized(b"x"), ONE),
        (varint(1) + varint(1, 2) + b"h" + sized(b"x"), ONE),
        (varint(1) + sized(b"h") + varint(1, 5) + b"x", ONE),
        (varint(1) + sized(b"h") + varint(-1, 3), NONE),
        (varint(1) + sized(b"h") + varint(-2), NONE),
        (varint(1) + sized(b"h") + varint(-9), NONE),
        (varint(1) + sized(b"h") + varint(-70), NONE),
        (varint(1) + sized(b"h") + varint(-(2**31)), NONE),
        (varint(1) + sized(b"h") + b"\x82\x80\x80\x80\x10" + b"x", ONE),  # bits above 32 fall off in Java
        (varint(0, 2), []),
    ],
)
def test_headers_are_hashed_as_they_are_meant_however_their_lengths_are_written(
    raw: bytes, meant: list[tuple[str, bytes | None]]
) -> None:
    """Kafka's own reader takes any length below zero for null, and longer numbers for what they say."""
    made = batch(BODY + encode(Record(3), raw), 7, time=TIME, last=3, count=3)
    check(only(made), placed([*GOOD, Record(3, headers=meant)], 7, TIME))


@pytest.mark.parametrize("below", [-2, -9, -70, -(2**31)])
def test_any_length_below_zero_is_a_null_key_or_value(below: int) -> None:
    raw = b"\x00" + varint(0) + varint(0) + varint(below) + varint(below) + varint(0)
    check(only(batch(sized(raw), 7, time=TIME, last=0, count=1)), placed([Record(0, 0, None, None)], 7, TIME))


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_larger_than_memory_is_read_in_pieces(codec: str) -> None:
    """Also records that lie across the edges of pieces, and one larger than a piece."""
    sizes = [5_000_000, 5_000_000, 10, 3, 9_000_000, 21_000_000, 0, 7_999_990, 1, 1]
    records = [Record(n, n, b"%d" % n, bytes([n]) * size, [("h", None)]) for n, size in enumerate(sizes)]
    found = []
    for run in runs(batch(GOOD, 0), batch(records, 70, time=TIME, codec=codec), batch(GOOD, 9000)):
        found += list(zip(run.offsets.tolist(), run.hashes().tolist(), strict=True))
        assert run.column(VALUE)[0][-1] == sum(len(value) for value in slices(*run.column(VALUE)) if value)
    expected = [(70 + one.offset, record_hash(TIME + one.time, one.headers, one.key, one.value)) for one in records]
    assert found[2:-2] == expected


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_bomb_takes_no_more_memory_than_a_piece(codec: str) -> None:
    """2,200 records of 1 MB in a batch of kilobytes crashed a process: edges of 32 bits, and 2.2 GB at once."""
    body = b"".join(encode(Record(n, 0, b"k", bytes(1_000_000))) for n in range(400))
    made = batch(body, last=399, count=400, codec=codec)
    del body
    most, count = 0, 0
    tracemalloc.start()
    for run in runs(made):
        run.column(VALUE)
        count += len(run)
        most = max(most, tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert count == 400
    assert most < 100_000_000


def test_a_record_larger_than_any_is_refused_by_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_window, "MOST_RECORD_BYTES", 30_000_000)
    made = batch([Record(0), Record(1, 0, b"k", bytes(60_000_000))], 70, codec="zstd")
    with pytest.raises(FerryError, match=r"batch at offset 70 holds a record of more than 30000000 bytes .* Fix: "):
        list(runs(made))


@pytest.mark.parametrize("count", [9, 11])
def test_a_large_batch_with_another_count_than_it_says_is_none(count: int) -> None:
    body = b"".join(encode(Record(n, 0, b"k", bytes(2_000_000))) for n in range(10))
    with pytest.raises(FerryError, match="batch at offset 70 holds no records"):
        list(runs(batch(body, 70, last=11, count=count, codec="zstd")))


def test_other_numbers_may_be_longer_than_they_need() -> None:
    raw = b"\x00" + varint(0, 3) + varint(0, 2) + varint(1, 4) + b"k" + varint(1, 2) + b"v" + varint(0)
    check(only(batch(varint(len(raw), 5) + raw, 7, time=TIME, last=0, count=1)), placed([PLAIN], 7, TIME))


def test_damage_that_fits_the_checksum_never_crashes_nor_changes_the_count() -> None:
    made = random.Random(300)
    good = batch(KINDS[:6], 70, time=TIME)[HEADER_SIZE:]
    refused = 0
    for _ in range(300):
        body = bytearray(good)
        body[made.randrange(len(body))] ^= made.randint(1, 255)
        try:
            records = only(batch(bytes(body), 70, time=TIME, last=300, count=6))
        except FerryError:
            refused += 1
            continue
        assert len(records) == len(records.hashes()) == 6
        assert 0 <= records.bytes < len(body)
        assert all(len(records.column(part)[0]) == 7 for part in (KEY, VALUE))
        assert len(records.headers()[0]) == 7
    assert 50 < refused < 290  # both ways were gone
