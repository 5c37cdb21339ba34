"""From records as they lie in batches to hashes, without an object for each record."""

from __future__ import annotations

from typing import Any

import numpy as np

from kafka_ferry.records.content import KeyColumns, PartitionContent, PartitionRange
from kafka_ferry.records.raw_records import VALUE, RawRecords


class NativeContent:
    """Grows the arrays of one partition.

    :param with_timestamp: False: the hashes leave it out. ``with_keys``: see :class:`PartitionContent`.
    """

    def __init__(self, span: PartitionRange, with_timestamp: bool, with_keys: bool) -> None:
        self._span, self._with_timestamp, self._with_keys, self._bytes = span, with_timestamp, with_keys, 0
        self._offsets: list[Any] = [np.empty(0, np.int64)]
        self._hashes: list[Any] = [np.empty(0, np.uint64)]
        self._keys: list[Any] = [np.empty(0, np.uint64)]
        self._tombstones: list[Any] = [np.empty(0, np.bool_)]

    def extend(self, run: RawRecords) -> None:
        self._offsets.append(run.offsets)
        self._hashes.append(run.hashes(self._with_timestamp))
        self._bytes += run.bytes
        if self._with_keys:
            self._keys.append(run.key_hashes())
            self._tombstones.append(run.sizes[:, VALUE] < 0)

    def content(self) -> PartitionContent:
        return PartitionContent(
            offsets=np.concatenate(self._offsets),
            hashes=np.concatenate(self._hashes),
            bytes=self._bytes,
            begin=self._span.begin,
            end=self._span.end,
            keys=KeyColumns(np.concatenate(self._keys), np.concatenate(self._tombstones)) if self._with_keys else None,
        )
