"""What a comparing process is told, and what it answers. Both travel as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.schema_ids import SchemaIdUse
from kafka_ferry.records.translate import GroupLine, GroupMark

Mode = Literal["ordered", "last_value"]

#: Stands for the partition in the result of a whole topic.
ALL_PARTITIONS = -1


@dataclass(frozen=True)
class PartitionJob:
    """Compare one partition. Take the offsets in this order, or live traffic looks like a fault: groups' commits on the
    target, ``target_end``, ``source_end``. Take the target's ends read_committed.

    :param frozen_end: every source record below it must be on the target.
    :param mode: "last_value" for compacted topics.
    :param with_timestamp: False unless records have their writers' timestamps on both sides (``TopicState``).
    :param duplicates: "explain" lets records that are on the target more than once pass, still counted and named.
    :param target_fence: of a compacted partition that has moved on: target records at and behind it are others'. Keys
        that they write again are not compared: the values before may be compacted away. None: there are none.
    """

    source_topic: str
    target_topic: str
    partition: int
    source_begin: int
    frozen_end: int
    source_end: int
    target_begin: int
    target_end: int
    mode: Mode = "ordered"
    with_timestamp: bool = True
    duplicates: Literal["fail", "explain"] = "fail"
    marks: tuple[GroupMark, ...] = ()
    target_fence: int | None = None

    @property
    def source_range(self) -> PartitionRange:
        return PartitionRange(self.source_topic, self.partition, self.source_begin, self.source_end)

    @property
    def target_range(self) -> PartitionRange:
        return PartitionRange(self.target_topic, self.partition, self.target_begin, self.target_end)

    @property
    def estimated_records(self) -> int:
        return self.source_range.estimated_records + self.target_range.estimated_records

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PartitionJob:
        return cls(**{**data, "marks": tuple(GroupMark(**mark) for mark in data.get("marks", ()))})


@dataclass(frozen=True)
class PartitionResult:
    """Outcome of one :class:`PartitionJob`, or of a ``TopicJob``, where ``partition`` is ``ALL_PARTITIONS``.

    On compacted topics the fingerprints differ for good reasons.

    :param schema_ids: that the source's records begin with, where they were asked for.
    :param anchors: pairs of a source and a target offset, ascending: all source records before the one are all target
        records before the other, so that what came since, or stands between two of them, can be compared alone.
    """

    source_topic: str
    target_topic: str
    partition: int
    source: Fingerprint
    target: Fingerprint
    comparison: PartitionComparison
    groups: tuple[GroupLine, ...] = ()
    anchors: tuple[tuple[int, int], ...] = ()
    schema_ids: tuple[SchemaIdUse, ...] = ()

    @property
    def whole_topic(self) -> bool:
        return self.partition == ALL_PARTITIONS

    @property
    def place(self) -> str:
        """``orders-3``, or ``orders`` for a whole topic."""
        return self.source_topic if self.whole_topic else f"{self.source_topic}-{self.partition}"

    def to_json(self) -> dict[str, Any]:
        return {
            "source_topic": self.source_topic,
            "target_topic": self.target_topic,
            "partition": self.partition,
            "source": self.source.to_json(),
            "target": self.target.to_json(),
            "comparison": self.comparison.to_json(),
            "groups": [line.to_json() for line in self.groups],
            "anchors": [list(pair) for pair in self.anchors],
            **({"schema_ids": [use.to_json() for use in self.schema_ids]} if self.schema_ids else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PartitionResult:
        return cls(
            source_topic=data["source_topic"],
            target_topic=data["target_topic"],
            partition=data["partition"],
            source=Fingerprint.from_json(data["source"]),
            target=Fingerprint.from_json(data["target"]),
            comparison=PartitionComparison.from_json(data["comparison"]),
            groups=tuple(map(GroupLine.from_json, data["groups"])),
            anchors=tuple((source, target) for source, target in data.get("anchors", ())),
            schema_ids=tuple(map(SchemaIdUse.from_json, data.get("schema_ids", ()))),
        )


def results_digest(results: Iterable[PartitionResult]) -> str:
    """Digest of what was found about the records, whatever the order; where groups stand is left out.

    Tells whether checks were made from these results or from those of another try.
    """
    found = sorted(
        (one.source_topic, one.partition, json.dumps(one.comparison.to_json(), sort_keys=True)) for one in results
    )
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()
