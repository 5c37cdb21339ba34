"""Prove a backup without a cluster, and a restored topic against its backup. Free of Airflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.batch_stream import worth_compiling
from kafka_ferry.hooks.kafka.reading.column_reader import NATIVE_RECORDS
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.claims import as_claimed
from kafka_ferry.jobs.backup.rules.decoding import named
from kafka_ferry.jobs.backup.rules.layout import data_prefix
from kafka_ferry.jobs.backup.rules.manifest import Manifest, Segment
from kafka_ferry.jobs.backup.rules.ranges import chain_segments
from kafka_ferry.jobs.backup.rules.restore_plan import FOR_ZERO, whole
from kafka_ferry.jobs.backup.store.restore import OWN, RestoreRange, SegmentReader, decoded, read_segment, restored_rows
from kafka_ferry.records.compare import compare
from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.fingerprint import Fingerprint


@dataclass(frozen=True)
class Damage:
    """What is wrong with one object, or with the manifest's lines on one partition."""

    topic: str
    partition: int
    begin: int
    end: int
    key: str
    problem: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition} offsets {self.begin} to {self.end - 1}: {self.problem}"


def structure_damage(manifest: Manifest) -> list[Damage]:
    """Ranges of a COMPLETE manifest that its segments do not cover. Reads nothing."""
    found = []
    for topic, partition in manifest.partitions():
        _, end = chain_segments(partition.begin, partition.end, partition.segments)
        if end < partition.end:
            problem = "no segment of the manifest covers them"
            found.append(Damage(topic.name, partition.partition, end, partition.end, "", problem))
    return found


def presence_damage(store: ObjectStore, backup: str, segments: Sequence[tuple[str, int, Segment]]) -> list[Damage]:
    """Objects that are not there, or not in their size. Reads no object: one listing of the backup's data."""
    sizes = {entry.key: entry.size for entry in store.list(data_prefix(backup))}
    found = []
    for topic, partition, segment in segments:
        if segment.key is not None and sizes.get(segment.key) != segment.size:
            there = sizes.get(segment.key)
            problem = "the object is missing" if there is None else f"{there} bytes, {segment.size} were written"
            what = f"{segment.key}: {problem}"
            found.append(Damage(topic, partition, segment.begin, segment.end, segment.key, what))
    return found


def verify_segments(store: ObjectStore, segments: Sequence[tuple[str, int, Segment]]) -> list[Damage]:
    """Read every object whole: SHA-256, offsets, counts, and the fingerprint of the records in it.

    Memory: one segment as it is stored, one row group decoded, 16 bytes a record.

    :param segments: with the topic and partition that the manifest has them under.
    :raises TransientError: the store did not answer, so that nobody knows.
    """
    found = []
    native = worth_compiling(sum(segment.records for _, _, segment in segments), NATIVE_RECORDS)
    for topic, partition, segment in segments:
        if segment.key is None:
            continue
        try:
            _check(segment, read_segment(store, segment), native)
        except DamagedSegment as error:
            found.append(Damage(topic, partition, segment.begin, segment.end, segment.key, str(error)))
    return found


def _check(segment: Segment, data: bytes, native: bool) -> None:
    """:raises DamagedSegment: the object is what was written, but not what the manifest says of it."""
    with named(segment.key or "", "a segment"):
        pieces = as_claimed(decoded(data, segment.key or "", native), segment)
        contents = _contents(pieces, segment.begin, segment.end)
    offsets = contents.offsets
    if len(offsets) and Fingerprint.of(contents).to_json() != segment.fingerprint:
        raise DamagedSegment(f"{segment.key}: the fingerprint of its records differs from the manifest's")


def _contents(pieces: Iterator[Any], begin: int, end: int) -> PartitionContent:
    offsets: list[Any] = [np.empty(0, np.int64)]
    hashes: list[Any] = [np.empty(0, np.uint64)]
    size = 0
    for rows in pieces:
        offsets.append(np.array(rows.offsets, dtype=np.int64))
        hashes.append(np.array(rows.hashes(), dtype=np.uint64))
        size += rows.bytes()
    return PartitionContent(np.concatenate(offsets), np.concatenate(hashes), size, begin, end)


@dataclass(frozen=True)
class RestoredPartition:
    """How a restored partition stands against its backup. Counts are in records.

    :param retimed: records that came 1 ms later than they were, as librdkafka cannot send their time.
    :param end: offset on the target behind the last record of the backup, where others may follow; 0: none do.
    :param behind: how many do; ``actual`` is without them.
    """

    topic: str
    partition: int
    expected: int
    actual: int
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    detail: str = ""
    retimed: int = 0
    end: int = 0
    behind: int = 0

    @property
    def same(self) -> bool:
        return not self.detail

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare_restored(
    config: Mapping[str, Any], store: ObjectStore, ranges: Sequence[RestoreRange], reader: SegmentReader = OWN,
    growing: bool = False,
) -> list[RestoredPartition]:  # fmt: skip
    """Compare each restored partition with the fingerprints of the manifest, segment by segment.

    Objects are read again only where records were left out, where a time may be one that librdkafka cannot send, and
    where something differs, to say what.

    :param growing: a connector wrote it, perhaps in transactions, and may be writing what comes behind: only so many
        committed records as the backup has are looked at.
    """
    admin, isolation = KafkaAdmin(client_config(config), "target"), _ISOLATION[growing]
    ends = admin.offsets([one.at for one in ranges], "latest", isolation)
    result = []
    with LibrdkafkaReader(client_config(config), isolation) as target:
        for one in ranges:
            span = PartitionRange(one.topic, one.partition, one.base, ends[one.at])
            content = target.read([span])[one.at]
            expected = list(_expected(store, one, reader, growing))
            end = behind = 0
            if growing:
                there = len(content)
                content = _first(content, sum(part.records for part in expected))
                end, behind = int(content.offsets[-1]) + 1 if len(content) else one.base, there - len(content)
            if _equal(content, expected):
                records, retimed = sum(part.records for part in expected), sum(part.retimed for part in expected)
                result.append(
                    RestoredPartition(*one.at, records, len(content), retimed=retimed, end=end, behind=behind)
                )
            else:
                result.append(_differing(store, one, content, reader, growing))
    return result


_ISOLATION: Final[dict[bool, Literal["read_committed", "read_uncommitted"]]] = {
    True: "read_committed", False: "read_uncommitted"
}  # fmt: skip


def _first(content: PartitionContent, records: int) -> PartitionContent:
    return PartitionContent(content.offsets[:records], content.hashes[:records], content.bytes, content.begin,
                            content.end)  # fmt: skip


class _Expected(NamedTuple):
    """Of one segment: its records, and how many of them are restored 1 ms later, as of ``FOR_ZERO``."""

    records: int
    fingerprint: Fingerprint
    retimed: int


def _expected(store: ObjectStore, one: RestoreRange, reader: SegmentReader, sent_as_is: bool) -> Iterator[_Expected]:
    """By segment; an object is read once at most.

    :param sent_as_is: by a producer of Java's, which can send a time of 0.
    """
    for segment in one.segments:
        if sent_as_is and segment.fingerprint:
            yield _Expected(segment.records, Fingerprint.from_json(segment.fingerprint), 0)
            continue
        known = segment.fingerprint if whole(segment, one.point_in_time) else None
        times, until = (segment.min_timestamp, segment.max_timestamp), one.point_in_time
        zero = times[0] is not None and times[1] is not None and times[0] <= 0 <= times[1]
        zero = zero and (until is None or until >= 0)
        data = reader.fetch(store, segment) if zero or not known else b""
        retimed = _at_zero(reader.decode(data, segment, native=False)) if zero else 0
        if known:
            yield _Expected(segment.records, Fingerprint.from_json(known), retimed)
        else:
            content = _contents(restored_rows(data, segment, until, reader=reader), 0, segment.end)
            yield _Expected(len(content), Fingerprint.of(content), retimed)


def _at_zero(pieces: Iterator[Any]) -> int:
    """Records of exactly 1970-01-01 00:00."""
    return sum(int(np.count_nonzero(np.asarray(rows.timestamps, dtype=np.int64) == 0)) for rows in pieces)


def _restored(store: ObjectStore, one: RestoreRange, reader: SegmentReader, sent_as_is: bool) -> PartitionContent:
    pieces = (
        rows
        for segment in one.segments
        for rows in restored_rows(
            reader.fetch(store, segment), segment, one.point_in_time, reader=reader, zero=0 if sent_as_is else FOR_ZERO
        )
    )
    return _contents(pieces, 0, one.segments[-1].end if one.segments else 0)


def _equal(content: PartitionContent, expected: Sequence[_Expected]) -> bool:
    at = 0
    for records, fingerprint, _ in expected:
        part = content.hashes[at : at + records]
        own = Fingerprint.of(PartitionContent(content.offsets[at : at + records], part, fingerprint.bytes, 0, 0))
        if own != fingerprint:
            return False
        at += records
    return at == len(content)


def _differing(
    store: ObjectStore, one: RestoreRange, content: PartitionContent, reader: SegmentReader, sent_as_is: bool
) -> RestoredPartition:
    ours = _restored(store, one, reader, sent_as_is)
    found = compare(ours, content, ours.end)
    named = "; ".join(map(str, found.differences[:5])) or "records differ"
    return RestoredPartition(
        *one.at,
        expected=len(ours),
        actual=len(content),
        lost=found.lost + found.altered,
        duplicated=found.duplicated,
        reordered=found.reordered,
        detail=f"{found.detail or 'differs from the backup'}: {named}",
    )
