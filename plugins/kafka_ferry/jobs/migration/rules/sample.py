"""What some records of a topic tell of all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kafka_ferry.core.largest_record import Batch, Record
from kafka_ferry.records.record_size import BATCH_HEADER, lz4_size, record_bytes

Header = tuple[bytes, bytes | None]


@dataclass(frozen=True)
class Sample:
    """Of one topic.

    :param records: how many were looked at. ``bytes``: of their keys and values.
    :param record: the largest of them. ``batch``: the largest they lay in; None: it is not known.
    """

    records: int
    bytes: int
    record: Record
    batch: Batch | None

    @property
    def basis(self) -> str:
        return f"of a sample of {self.records}"


class Sampling:
    """Takes the records of one partition, at most as many as memory holds: only the largest is kept."""

    def __init__(self, partition: int) -> None:
        self._partition, self._records, self._bytes = partition, 0, 0
        self._largest: tuple[int, int, bytes] | None = None
        self._batches: set[tuple[int, int] | None] = set()

    def take(
        self, offset: int, key: bytes | None, value: bytes | None, headers: Iterable[Header],
        batch: tuple[int, int] | None,
    ) -> None:  # fmt: skip
        """:param batch: (base offset, bytes on the wire) of what it lay in; None: it is not known."""
        self._records, self._bytes = self._records + 1, self._bytes + len(key or b"") + len(value or b"")
        content = record_bytes(key, value, headers)
        if self._largest is None or len(content) > self._largest[0]:
            self._largest = len(content), offset, content
        self._batches.add(batch)

    def sample(self) -> Sample | None:
        """None where there was no record."""
        if self._largest is None:
            return None
        size, offset, content = self._largest
        record = Record(self._partition, offset, BATCH_HEADER + size, lz4_size(content))
        known = [one for one in self._batches if one is not None]
        batch = None
        if len(known) == len(self._batches):
            base, most = max(known, key=lambda one: one[1])
            batch = Batch(self._partition, base, most)
        return Sample(self._records, self._bytes, record, batch)
