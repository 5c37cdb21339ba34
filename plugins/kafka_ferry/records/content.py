"""What one reading of a partition brings back: 16 bytes a record, never the records themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class PartitionRange:
    """Offsets ``begin <= offset < end`` of one partition."""

    topic: str
    partition: int
    begin: int
    end: int

    @property
    def key(self) -> tuple[str, int]:
        return self.topic, self.partition

    @property
    def estimated_records(self) -> int:
        """Upper bound: transaction markers and compacted records hold offsets too."""
        return max(0, self.end - self.begin)

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition} [{self.begin}, {self.end})"


@dataclass(frozen=True)
class KeyColumns:
    """Two more columns, for compacted topics and whole topics: hash of the key (``NULL_KEY`` for none), null value."""

    hashes: Hashes
    tombstones: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PartitionContent:
    """All records of a range in offset order.

    :param offsets: offset of each record; gaps are normal (markers, compaction).
    :param hashes: ``record_hash`` of each record.
    :param bytes: sum of key and value lengths.
    :param begin: first offset of the range that was read, usually the log start.
    :param end: end of that range, exclusive, usually the log end or the last stable offset.
    """

    offsets: Offsets
    hashes: Hashes
    bytes: int
    begin: int
    end: int
    keys: KeyColumns | None = None

    def __len__(self) -> int:
        return len(self.offsets)
