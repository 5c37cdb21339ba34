"""Fingerprint: a partition's content in a few numbers that fit in a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from xxhash import xxh64_intdigest

from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.record_hash import HASH_VERSION


@dataclass(frozen=True)
class Fingerprint:
    """Two partitions with equal fingerprints hold the same records in the same order.

    :param count: records.
    :param bytes: key and value bytes.
    :param sum: sum of the record hashes mod 2**64: equal whatever the order. XOR would not see a pair of duplicates.
    :param ordered: XXH64 over the record hashes as little-endian u64: equal only in the same order.
    :param first: hash of the first record, ``None`` when there is none. ``last`` alike.

    ``bytes`` is not part of the proof: it follows from the hashes, and is there for people.
    """

    count: int
    bytes: int
    sum: int
    ordered: int
    first: int | None
    last: int | None
    hash_version: str = HASH_VERSION

    @classmethod
    def of(cls, content: PartitionContent) -> Fingerprint:
        hashes = content.hashes
        return cls(
            count=len(content),
            bytes=content.bytes,
            sum=int(np.add.reduce(hashes, dtype=np.uint64)),  # unsigned addition wraps, which is the mod 2**64
            ordered=xxh64_intdigest(hashes.astype("<u8", copy=False).tobytes(), 0),
            first=int(hashes[0]) if len(hashes) else None,
            last=int(hashes[-1]) if len(hashes) else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Hashes as 16 hex digits: a JSON number above 2**53 does not survive JavaScript."""
        return asdict(self) | {
            name: None if value is None else f"{value:016x}"
            for name, value in (
                ("sum", self.sum),
                ("ordered", self.ordered),
                ("first", self.first),
                ("last", self.last),
            )
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fingerprint:
        """:raises ValueError: made with another definition of the hash, so it cannot be compared."""
        if data["hash_version"] != HASH_VERSION:
            raise ValueError(f"fingerprint made with {data['hash_version']}, this version compares {HASH_VERSION}")
        hexes = {
            name: None if data[name] is None else int(data[name], 16) for name in ("sum", "ordered", "first", "last")
        }
        return cls(**{**data, **hexes})
