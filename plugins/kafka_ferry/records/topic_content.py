"""What one reading of a whole topic brings back: 29 bytes a record, its partitions one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kafka_ferry.records.content import Hashes, Offsets, PartitionContent
from kafka_ferry.records.last_value import key_columns
from kafka_ferry.records.record_hash import NULL_KEY

Kind = TypeVar("Kind", bound=np.generic)
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TopicContent:
    """All columns are in the order of (partition, offset). A *place* is an index into them.

    :param keys: ``key_hash`` of each record, ``NULL_KEY`` where it has none.
    :param begins: first offset that was read, by partition; usually the log start.
    :param bytes: sum of key and value lengths, of all that was read.
    """

    partitions: NDArray[np.int32]
    offsets: Offsets
    hashes: Hashes
    keys: Hashes
    tombstones: Flags
    begins: Mapping[int, int]
    bytes: int

    @classmethod
    def of(cls, contents: Mapping[int, PartitionContent]) -> TopicContent:
        """:raises ValueError: a content was read without its key columns."""
        parts = sorted(contents.items())
        columns = [key_columns(content) for _, content in parts]
        sizes = [len(content) for _, content in parts]
        return cls(
            partitions=np.repeat(np.array([number for number, _ in parts], dtype=np.int32), sizes),
            offsets=_joined([content.offsets for _, content in parts], np.int64),
            hashes=_joined([content.hashes for _, content in parts], np.uint64),
            keys=_joined([column.hashes for column in columns], np.uint64),
            tombstones=_joined([column.tombstones for column in columns], np.bool_),
            begins={number: content.begin for number, content in parts},
            bytes=sum(content.bytes for _, content in parts),
        )

    def __len__(self) -> int:
        return len(self.offsets)

    @cached_property
    def keys_in_several_partitions(self) -> Hashes:
        """Keys, sorted, between whose records Kafka knows no order."""
        order = np.lexsort((self.partitions, self.keys))
        keys, partitions = self.keys[order], self.partitions[order]
        apart = (keys[1:] == keys[:-1]) & (partitions[1:] != partitions[:-1])
        return np.setdiff1d(keys[1:][apart], np.array([NULL_KEY], dtype=np.uint64))

    def below(self, ends: Mapping[int, int]) -> Flags:
        """Which records stand below the end of their partition."""
        limit = np.zeros(max(ends, default=-1) + 1, dtype=np.int64)
        for partition, end in ends.items():
            limit[partition] = end
        below: Flags = self.offsets < limit[self.partitions]
        return below


def sample(content: PartitionContent, number: int, passes: int) -> PartitionContent:
    """The records of one pass: all of a key fall into the same one; those without a key are spread by their hash."""
    columns = key_columns(content)
    spread = np.where(columns.hashes == NULL_KEY, content.hashes, columns.hashes)
    mine = np.flatnonzero(spread % np.uint64(passes) == number)
    return PartitionContent(
        content.offsets[mine],
        content.hashes[mine],
        content.bytes if number == 0 else 0,  # known for the whole only; counted once
        content.begin,
        content.end,
        type(columns)(columns.hashes[mine], columns.tombstones[mine]),
    )


def joined(parts: list[PartitionContent]) -> PartitionContent:
    """Readings of one partition, one after the other, as one."""
    columns = [key_columns(part) for part in parts]
    return PartitionContent(
        _joined([part.offsets for part in parts], np.int64),
        _joined([part.hashes for part in parts], np.uint64),
        sum(part.bytes for part in parts),
        parts[0].begin,
        parts[-1].end,
        type(columns[0])(
            _joined([column.hashes for column in columns], np.uint64),
            _joined([column.tombstones for column in columns], np.bool_),
        ),
    )


def _joined(parts: Sequence[NDArray[Kind]], kind: type[Kind]) -> NDArray[Kind]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
