"""Compare the segments of a backup with what the cluster it was made of still has. Free of Airflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.fingerprint import Fingerprint


@dataclass(frozen=True)
class BackedUp:
    """A partition of a backup, under its name on the source."""

    topic: str
    topic_id: str
    partition: int
    segments: tuple[Segment, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"segments": [segment.model_dump(mode="json") for segment in self.segments]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BackedUp:
        return cls(**{**data, "segments": tuple(map(Segment.model_validate, data["segments"]))})


@dataclass
class SourceLine:
    """How a partition of the backup stands against the source. ``gone``: records that the source no longer has."""

    topic: str
    partition: int
    compared: int = 0
    gone: int = 0
    differences: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare_with_source(
    config: Mapping[str, Any],
    isolation_level: Literal["read_committed", "read_uncommitted"],
    partitions: Sequence[BackedUp],
) -> list[SourceLine]:
    """Read again what the source still has of each segment, and compare fingerprints.

    :param config: the connection's extra of the cluster that was backed up.
    """
    admin = KafkaAdmin(client_config(config), "source")
    ids = admin.topic_ids({one.topic for one in partitions})
    alive = [(one.topic, one.partition) for one in partitions if ids.get(one.topic) == one.topic_id]
    begins = admin.offsets(alive, "earliest", isolation_level)
    result = []
    with LibrdkafkaReader(client_config(config), isolation_level) as reader:
        for one in partitions:
            line = SourceLine(one.topic, one.partition)
            begin = begins.get((one.topic, one.partition))
            for segment in one.segments:
                if segment.fingerprint is None:
                    continue
                if begin is None or segment.begin < begin:
                    line.gone += segment.records
                else:
                    _compare(reader, one, segment, line)
            result.append(line)
    return result


def _compare(reader: LibrdkafkaReader, one: BackedUp, segment: Segment, line: SourceLine) -> None:
    span = PartitionRange(one.topic, one.partition, segment.begin, segment.end)
    content = reader.read([span])[one.topic, one.partition]
    line.compared += segment.records
    own = Fingerprint.of(content).to_json() if len(content) else None
    if own != segment.fingerprint:
        line.differences.append(
            f"{one.topic}-{one.partition} offsets {segment.begin} to {segment.end - 1}: the source has "
            f"{len(content):,} records, the backup {segment.records:,}, and they are not the same"
        )
