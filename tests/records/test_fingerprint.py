from __future__ import annotations

import json

import numpy as np
import pytest

from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.fingerprint import Fingerprint


def of(*hashes: int) -> Fingerprint:
    size = len(hashes)
    return Fingerprint.of(PartitionContent(np.arange(size), np.array(hashes, dtype=np.uint64), size, 0, size))


def test_fields() -> None:
    top = (1 << 64) - 1
    found = of(top, 3)
    assert (found.count, found.bytes, found.sum, found.first, found.last) == (2, 2, 2, top, 3)
    assert found.hash_version == "xxh64-v1"


def test_ordered_is_xxh64_over_little_endian_words() -> None:
    assert of().ordered == 0xEF46DB3751D8E999  # published XXH64 value of nothing, seed 0
    assert of(1, 2).ordered == 0x4B180FEC3EF3D4AC


def test_order_shows_only_in_the_ordered_digest() -> None:
    one, other = of(1, 2, 3), of(1, 3, 2)
    assert one.sum == other.sum
    assert one.ordered != other.ordered


def test_a_pair_of_duplicates_does_not_cancel() -> None:
    assert of(1, 5, 5).sum != of(1).sum


def test_empty() -> None:
    assert (of().count, of().sum, of().first, of().last) == (0, 0, None, None)


@pytest.mark.parametrize("hashes", [(), (1, (1 << 64) - 1)])
def test_survives_json_with_hex_digits(hashes: tuple[int, ...]) -> None:
    data = json.loads(json.dumps(of(*hashes).to_json()))
    assert isinstance(data["sum"], str)
    assert len(data["sum"]) == 16
    assert Fingerprint.from_json(data) == of(*hashes)


def test_another_definition_of_the_hash_is_not_compared() -> None:
    with pytest.raises(ValueError, match="made with crc-v0"):
        Fingerprint.from_json(of(1).to_json() | {"hash_version": "crc-v0"})
