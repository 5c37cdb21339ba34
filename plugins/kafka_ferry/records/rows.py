"""Records as lists, a list a column. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kafka_ferry.records.record_hash import record_hash


@dataclass(frozen=True)
class Rows:
    """Records by columns, in offset order; what a row group decodes to."""

    offsets: list[int]
    timestamps: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[list[tuple[str, bytes | None]]]

    def __len__(self) -> int:
        return len(self.offsets)

    def hashes(self) -> list[int]:
        return list(map(record_hash, self.timestamps, self.headers, self.keys, self.values))

    def bytes(self) -> int:
        return sum(map(len, filter(None, self.keys))) + sum(map(len, filter(None, self.values)))

    def until(self, timestamp: int) -> Rows:
        """Only the records that are not younger."""
        kept = [at for at, own in enumerate(self.timestamps) if own <= timestamp]
        if len(kept) == len(self):
            return self
        columns: list[list[Any]] = [self.offsets, self.timestamps, self.keys, self.values, self.headers]
        return Rows(*([column[at] for at in kept] for column in columns))

    def without_zero(self, timestamp: int) -> Rows:
        """With this timestamp in the place of 0."""
        if 0 not in self.timestamps:
            return self
        return replace(self, timestamps=[own or timestamp for own in self.timestamps])

    def first(self, count: int) -> Rows:
        """Only the first ``count`` records."""
        return Rows(
            self.offsets[:count],
            self.timestamps[:count],
            self.keys[:count],
            self.values[:count],
            self.headers[:count],
        )

    def skip(self, count: int) -> Rows:
        """Without the first ``count`` records."""
        return Rows(
            self.offsets[count:],
            self.timestamps[count:],
            self.keys[count:],
            self.values[count:],
            self.headers[count:],
        )
