"""What a comparing process is told about a whole topic. Travels as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.job import ALL_PARTITIONS

MAX_RECORDS = 4_000_000
"""Estimated records of both sides that are compared at once: the process then takes 0.42 GB at most (measured, with
faults at both ends). A larger topic is read several times, a part of its keys each time."""


@dataclass(frozen=True)
class TopicJob:
    """Compare one topic over all its partitions. Take the offsets in the order that ``PartitionJob`` names.

    :param source: (partition, begin, frozen end, end) of each partition: every record below the frozen end must be on
        the target.
    :param target: (partition, begin, end); take its ends read_committed.
    :param mode: "last_value" for compacted topics.
    :param with_timestamp: False unless records have their writers' timestamps on both sides (``TopicState``).
    :param duplicates: "explain" lets records that are on the target more than once pass, still counted and named.
    """

    source_topic: str
    target_topic: str
    source: tuple[tuple[int, int, int, int], ...]
    target: tuple[tuple[int, int, int], ...]
    mode: Literal["multiset", "last_value"] = "multiset"
    with_timestamp: bool = True
    duplicates: Literal["fail", "explain"] = "fail"

    @property
    def partition(self) -> int:
        return ALL_PARTITIONS

    @property
    def source_ranges(self) -> list[PartitionRange]:
        return [PartitionRange(self.source_topic, number, begin, end) for number, begin, _, end in self.source]

    @property
    def target_ranges(self) -> list[PartitionRange]:
        return [PartitionRange(self.target_topic, number, begin, end) for number, begin, end in self.target]

    @property
    def frozen_ends(self) -> dict[int, int]:
        return {number: frozen for number, _, frozen, _ in self.source}

    @property
    def estimated_records(self) -> int:
        return sum(span.estimated_records for span in (*self.source_ranges, *self.target_ranges))

    @property
    def passes(self) -> int:
        """How many times the topic is read."""
        return max(1, -(-self.estimated_records // MAX_RECORDS))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TopicJob:
        source = tuple((number, begin, frozen, end) for number, begin, frozen, end in data["source"])
        target = tuple((number, begin, end) for number, begin, end in data["target"])
        return cls(**{**data, "source": source, "target": target})
