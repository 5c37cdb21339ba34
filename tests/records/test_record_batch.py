"""Which record batches are whole, right and count. The encoder of these tests is compared with another reader."""

from __future__ import annotations

import struct

import pytest
from aiokafka.record.memory_records import MemoryRecords

from batches import (
    ABORT,
    CODECS,
    COMMIT,
    CONTROL,
    HEADER_SIZE,
    LOG_APPEND_TIME,
    TRANSACTIONAL,
    Record,
    batch,
    encode,
    marker,
    with_attributes,
)
from kafka_ferry.records.record_batch import DamagedBatch, RecordBatch, UnusualRecords, committed_batches, whole_batches

SOME = [Record(0, 0, b"a", b"1"), Record(1, 5, None, b"2" * 300, [("h", None)]), Record(3, 9, b"", None)]
BODY = b"".join(encode(record) for record in SOME)


def found(data: bytes) -> list[RecordBatch]:
    return list(whole_batches(memoryview(data)))


def only(data: bytes) -> RecordBatch:
    (one,) = found(data)
    return one


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("attributes", [0, LOG_APPEND_TIME])
def test_another_reader_finds_the_same_in_the_batches_of_these_tests(codec: str, attributes: int) -> None:
    reader = MemoryRecords(batch(SOME, 70, time=1000, newest=2000, codec=codec, attributes=attributes))
    read = reader.next_batch()
    assert read.validate_crc()
    assert [(one.offset, one.timestamp, one.key, one.value, list(one.headers)) for one in read] == [
        (70 + one.offset, 2000 if attributes else 1000 + one.time, one.key, one.value, list(one.headers))
        for one in SOME
    ]
    assert not reader.has_next()


@pytest.mark.parametrize("kind", [ABORT, COMMIT])
def test_another_reader_takes_the_markers_of_these_tests_for_control_batches(kind: int) -> None:
    read = MemoryRecords(marker(4, 9, kind)).next_batch()
    assert (read.is_control_batch, read.is_transactional, read.producer_id, read.base_offset) == (True, True, 9, 4)
    assert [one.key for one in read] == [struct.pack(">hh", 0, kind)]
    assert only(marker(4, 9, kind)).is_abort == (kind == ABORT)


def test_all_that_a_batch_says_of_itself() -> None:
    first = batch(SOME, 10, time=1000, newest=1009, codec="zstd", attributes=TRANSACTIONAL, producer=2**40)
    second = batch(SOME[:1], 2**40, time=7, newest=8, attributes=CONTROL)
    one, two = found(first + second)
    assert (one.base, one.next, one.count, one.time, one.codec) == (10, 14, 3, 1000, 4)
    assert (one.transactional, one.control, one.log_append_time, one.producer_id) == (True, False, False, 2**40)
    assert one.body == first[HEADER_SIZE:]
    assert (two.base, two.next, two.count, two.time, two.codec) == (2**40, 2**40 + 1, 1, 7, 0)
    assert (two.transactional, two.control, two.log_append_time, two.producer_id) == (False, True, False, -1)
    assert two.body == second[HEADER_SIZE:]


def test_the_brokers_own_clock_is_the_time_of_all_records() -> None:
    one = only(batch(SOME, time=1000, newest=2000, attributes=LOG_APPEND_TIME))
    assert (one.log_append_time, one.time) == (True, 2000)


@pytest.mark.parametrize("left", [SOME, SOME[:1], []])
def test_next_is_behind_records_that_compaction_took(left: list[Record]) -> None:
    one = only(batch(left, 10, last=9))
    assert (one.next, one.count) == (20, len(left))


def test_a_last_batch_that_is_cut_off_is_left_out() -> None:
    whole = batch(SOME, 0) + batch(SOME, 4, codec="gzip")
    last = batch(SOME, 8)
    for size in range(len(last)):
        assert [one.base for one in found(whole + last[:size])] == [0, 4]
    assert [one.base for one in found(whole + last)] == [0, 4, 8]


@pytest.mark.parametrize("bits", [0x01, 0x80, 0xFF])
def test_no_changed_byte_goes_unseen(bits: int) -> None:
    before, damaged = batch(SOME, 0), batch(SOME, 4)
    for at in range(17, len(damaged)):  # the checksum, and all that it covers: attributes to end
        data = bytearray(damaged)
        data[at] ^= bits
        batches = whole_batches(memoryview(before + data + before))
        assert next(batches).base == 0
        with pytest.raises(DamagedBatch, match="offset 4:"):
            next(batches)


@pytest.mark.parametrize("magic", [0, 1, 3])
def test_other_formats_are_unusual(magic: int) -> None:
    other = bytearray(batch(SOME, 4))
    other[16] = magic
    batches = whole_batches(memoryview(batch(SOME, 0) + other))
    assert next(batches).base == 0
    with pytest.raises(UnusualRecords, match=f"format {magic}"):
        next(batches)


def test_a_message_too_short_for_its_format_is_unusual() -> None:
    with pytest.raises(UnusualRecords, match="unknown"):
        found(struct.pack(">qii", 0, 4, 0))


def test_a_batch_shorter_than_its_own_header_is_refused() -> None:
    with pytest.raises(DamagedBatch, match="offset 0: it is shorter"):
        found(struct.pack(">qiib", 0, 10, 0, 2) + bytes(5))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("more", [-len(BODY), 1 - len(BODY), -1, 0, 1, 5000])
def test_records_are_decompressed_into_any_room(codec: str, more: int) -> None:
    room = memoryview(bytearray(len(BODY) + more))
    data = only(batch(SOME, codec=codec)).records(room)
    if more < 0:
        assert data is None
        return
    assert bytes(data) == BODY
    if CODECS[codec][0] in (1, 3, 4):
        assert room[: len(BODY)] == BODY
        assert isinstance(data, memoryview) and data.obj is room.obj


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_records_are_decompressed_in_pieces(codec: str, size: int) -> None:
    stream, found = only(batch(SOME, codec=codec)).stream(), b""
    while part := stream.read(size):
        assert len(part) <= size
        found += part
    assert found == BODY


def test_a_block_that_says_it_becomes_more_than_it_can_takes_no_memory() -> None:
    one = only(with_attributes(batch(b"\xff\xff\xff\xff\x0f" + bytes(20), 70, last=0, count=1), 2))
    with pytest.raises(DamagedBatch, match="25 bytes cannot become 4294967295"):
        one.stream().read(10)


@pytest.mark.parametrize("size", [0, 10_000])
@pytest.mark.parametrize("codec", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("rubbish", [b"no compressed data at all", b"\x82SNAPPY\x00" + b"\x00" * 12 + b"zzzz", BODY])
def test_what_cannot_be_decompressed_is_damaged(size: int, codec: int, rubbish: bytes) -> None:
    one = only(with_attributes(batch(rubbish, 70, last=0, count=1), codec))
    assert one.records(memoryview(bytearray(size))) is None
    with pytest.raises(DamagedBatch, match="offset 70: codec"):
        one.stream().read(10_000)


@pytest.mark.parametrize("size", [0, 10_000])
@pytest.mark.parametrize("codec", [name for name in CODECS if name != "none"])
def test_compressed_records_that_end_too_early_are_damaged(size: int, codec: str) -> None:
    packed = only(batch(SOME, codec=codec)).body.tobytes()
    one = only(with_attributes(batch(packed[:-12], 70, last=0, count=1), CODECS[codec][0]))
    assert one.records(memoryview(bytearray(size))) is None
    with pytest.raises(DamagedBatch, match="offset 70: codec"):
        one.stream().read(10_000)


def sent(base: int, producer: int, transactional: bool = True) -> bytes:
    return batch([Record(), Record(1)], base, attributes=TRANSACTIONAL * transactional, producer=producer)


LOG = [
    sent(0, 1),  # of a transaction of producer 1 that is aborted at 6
    sent(2, 2),  # of one of producer 2 that is committed at 9
    sent(4, 1),
    marker(6, 1, ABORT),
    sent(7, 1),  # the next one of producer 1, committed at 12
    marker(9, 2, COMMIT),
    sent(10, 2),  # aborted at 17
    marker(12, 1, COMMIT),
    sent(13, 2, transactional=False),
    sent(15, 2),
    marker(17, 2, ABORT),
    batch([], 18, last=5),
    sent(24, 2),
    sent(26, -1, transactional=False),
]


@pytest.mark.parametrize(
    "aborted, counting",
    [
        ([], [0, 2, 4, 7, 10, 13, 15, 24, 26]),
        ([(1, 0)], [2, 7, 10, 13, 15, 24, 26]),
        ([(1, 0), (2, 10)], [2, 7, 13, 24, 26]),
        ([(2, 10), (1, 0)], [2, 7, 13, 24, 26]),
        ([(2, 24), (2, 10), (1, 0)], [2, 7, 13, 26]),
        ([(3, 0)], [0, 2, 4, 7, 10, 13, 15, 24, 26]),
    ],
)
def test_only_what_was_committed_counts(aborted: list[tuple[int, int]], counting: list[int]) -> None:
    assert [one.base for one in committed_batches(found(b"".join(LOG)), aborted)] == counting


def test_a_transaction_that_began_before_these_batches_is_aborted_too() -> None:
    aborted = [(2, 10), (1, 0)]
    assert [one.base for one in committed_batches(found(b"".join(LOG[2:])), aborted)] == [7, 13, 24, 26]


def test_a_transaction_that_begins_inside_a_batch_opens_with_it() -> None:
    # compaction can move a batch's first record, never its last offset
    assert [one.base for one in committed_batches(found(sent(0, 1) + sent(2, 1)), [(1, 1)])] == []
    assert [one.base for one in committed_batches(found(sent(0, 1) + sent(2, 1)), [(1, 2)])] == [0]
