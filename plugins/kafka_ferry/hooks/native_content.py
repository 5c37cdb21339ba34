"""From librdkafka's messages to hashes, without an object for each record."""

from __future__ import annotations

from typing import Any

import numpy as np

from kafka_ferry.hooks import native_records
from kafka_ferry.hooks.native_client import NativeRun
from kafka_ferry.verification.content import KeyColumns, PartitionContent, PartitionRange


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

    def extend(self, run: NativeRun) -> None:
        timestamps, _, keys, values, counts, names, contents = native_records.measure(run.messages)
        if not self._with_timestamp:
            timestamps[:] = 0
        self._offsets.append(run.offsets)
        self._hashes.append(native_records.hashes(run.messages, timestamps, counts, names, contents))
        self._bytes += int(np.maximum(keys, 0).sum(dtype=np.int64) + np.maximum(values, 0).sum(dtype=np.int64))
        if self._with_keys:
            self._keys.append(native_records.key_hashes(run.messages))
            self._tombstones.append(values < 0)

    def content(self) -> PartitionContent:
        return PartitionContent(
            offsets=np.concatenate(self._offsets),
            hashes=np.concatenate(self._hashes),
            bytes=self._bytes,
            begin=self._span.begin,
            end=self._span.end,
            keys=KeyColumns(np.concatenate(self._keys), np.concatenate(self._tombstones)) if self._with_keys else None,
        )
