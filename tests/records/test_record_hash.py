"""Fixed vectors: a second reader of records must reproduce each of them. A change here is a new HASH_VERSION."""

from __future__ import annotations

import struct

import pytest
import xxhash

from kafka_ferry.records.record_hash import (
    HASH_VERSION,
    Headers,
    encode_headers,
    headers_without,
    key_hash,
    record_hash,
)

# timestamp in ms (None = left out), headers, key, value, hash
VECTORS: list[tuple[int | None, Headers | None, bytes | None, bytes | None, int]] = [
    (None, None, None, None, 0x0364BB5A8E9D47F6),
    (0, None, b"", b"", 0x32B7D7DB8F05A224),
    (1_700_000_000_000, None, None, None, 0xA82817E5B1393ECF),
    (1_700_000_000_000, None, b"", None, 0x39F40DEDA555EE5B),
    (1_700_000_000_000, None, None, b"", 0xCD7CAF44A8F091EB),
    (1_700_000_000_000, None, b"", b"", 0x81E1A0D06EBCE86D),
    (1_700_000_000_000, None, b"key", b"value", 0xC1CAE59A602E4430),
    (1_700_000_000_001, None, b"key", b"value", 0x3B388CA8892B352B),
    (-1, None, b"key", b"value", 0xE8AE787B121E8A09),
    (1_700_000_000_000, [("h", None)], b"key", b"value", 0xB0D6F61E29A74EC3),
    (1_700_000_000_000, [("h", b"")], b"key", b"value", 0xC074C20C53482D64),
    (1_700_000_000_000, [("h", b"x")], b"key", b"value", 0x73B8824BAF5AAE32),
    (1_700_000_000_000, [("h", b"x"), ("h", b"x")], b"key", b"value", 0x027C1FD68005CBDB),
    (1_700_000_000_000, [("a", b"1"), ("b", b"2")], b"key", b"value", 0xA3D1D6F2E6172A7C),
    (1_700_000_000_000, [("b", b"2"), ("a", b"1")], b"key", b"value", 0x205D57662397B1E0),
    (1_700_000_000_000, [("é", b"\xff\x00")], b"\x00", b"\xff", 0x6C05BB21F04E5CC1),
    (1_700_000_000_000, [("long", b"x" * 300)], b"k" * 100, b"v" * 1000, 0x3F81CA11D2E67281),
    (1_700_000_000_000, None, b"keyvalue", b"", 0x0822030EC825F07E),
]


def test_version() -> None:
    assert HASH_VERSION == "xxh64-v1"


@pytest.mark.parametrize("timestamp, headers, key, value, expected", VECTORS)
def test_vectors(
    timestamp: int | None, headers: Headers | None, key: bytes | None, value: bytes | None, expected: int
) -> None:
    assert f"{record_hash(timestamp, headers, key, value):016x}" == f"{expected:016x}"


def test_vectors_are_all_different() -> None:
    hashes = [expected for *_, expected in VECTORS]
    assert len(set(hashes)) == len(hashes) == 18


def test_the_definition_step_by_step() -> None:
    mask = (1 << 64) - 1
    seed = xxhash.xxh64_intdigest(b"\x02\x02h\x02x", 1_700_000_000_000)
    seed = xxhash.xxh64_intdigest(b"key", seed)
    seed = xxhash.xxh64_intdigest(b"", ~seed & mask)
    assert record_hash(1_700_000_000_000, [("h", b"x")], b"key", None) == seed


@pytest.mark.parametrize(
    "headers, encoded",
    [
        (None, "00"),
        ([], "00"),
        ([("h", b"x")], "02" "0268" "0278"),
        ([("h", None)], "02" "0268" "01"),
        ([("h", b"")], "02" "0268" "00"),
        ([("", b"")], "02" "00" "00"),
        ([("é", b"\xff")], "02" "04c3a9" "02ff"),
        ([("a", b"1"), ("a", b"2")], "04" "0261" "0231" "0261" "0232"),
        ([("h", b"x" * 64)], "02" "0268" "8001" + "78" * 64),
        ([("h", b"x" * 300)], "02" "0268" "d804" + "78" * 300),
    ],
)  # fmt: skip
def test_headers_are_encoded_as_in_record_format_v2(headers: Headers | None, encoded: str) -> None:
    assert encode_headers(headers).hex() == encoded


def test_no_headers_and_an_empty_list_are_the_same() -> None:
    assert record_hash(1, None, b"k", b"v") == record_hash(1, [], b"k", b"v")


def test_a_missing_timestamp_is_minus_one_as_u64() -> None:
    ones = struct.unpack("<Q", struct.pack("<q", -1))[0]
    assert record_hash(-1, None, b"k", b"v") == record_hash(ones, None, b"k", b"v")
    assert record_hash(None, None, b"k", b"v") == record_hash(0, None, b"k", b"v")


def test_key_hash_is_seed_0() -> None:
    assert key_hash(b"abc") == 0x44BC2CF5AD770999  # published XXH64 value of "abc", seed 0


def test_a_header_left_out_leaves_a_record_as_if_it_had_never_been_there() -> None:
    added = [("__mskmr", b"x"), ("h", b"y"), ("__mskmr", None)]
    assert headers_without(added, frozenset({"__mskmr"})) == [("h", b"y")]
    bare = headers_without(added[:1], frozenset({"__mskmr"}))
    assert record_hash(1, bare, b"k", b"v") == record_hash(1, None, b"k", b"v")
    assert headers_without(None, frozenset({"__mskmr"})) is None
