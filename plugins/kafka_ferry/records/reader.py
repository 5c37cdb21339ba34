"""What verification needs from a reader of records. librdkafka's stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.parts import Record


class RecordReader(Protocol):
    """Reads records under one isolation level. Readers must agree to the bit on ``record_hash``."""

    def read(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool = True, with_keys: bool = False
    ) -> dict[tuple[str, int], PartitionContent]:
        """Return the content of each range, all records of it, by (topic, partition).

        :param with_keys: fill ``PartitionContent.keys``, for compacted and for whole topics.
        :raises TransientError: the end of a range was not reached; never a shorter content instead.
        """
        ...

    def read_records(self, wanted: Mapping[tuple[str, int], Sequence[int]]) -> dict[tuple[str, int, int], Record]:
        """Return whole records by (topic, partition, offset), for the few that a report explains.

        An offset that holds no record any more is left out.
        """
        ...

    def probe(self, ranges: Sequence[PartitionRange]) -> dict[tuple[str, int], int | None]:
        """Return the offset of the first record in each range, ``None`` where there provably is none.

        :raises TransientError: undecided in time.
        """
        ...
