"""Write segments back to a cluster: explicit partition, timestamp and headers. One process, one shard; free of Airflow.

What stands on the target says where to resume: the n-th record of the backup is the n-th of the partition. So a killed
restore needs no memory of its own, and repeats nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from kafka_ferry.core.object_key import ForeignKey
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.retention import size_limit
from kafka_ferry.exceptions import BadParam, DataLossError, FerryError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.batch_stream import is_plain, worth_compiling
from kafka_ferry.hooks.kafka.reading.column_reader import NATIVE_RECORDS
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectTooLarge
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.claims import as_claimed
from kafka_ferry.jobs.backup.rules.formats import decode
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.backup.rules.restore_plan import FOR_ZERO, takes_part
from kafka_ferry.jobs.backup.store.senders import MessageSender, NativeSender, RecordRefused, Sender, batch_limit
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.rows import Rows

if TYPE_CHECKING:
    from kafka_ferry.records.packed_rows import PackedRows


_AHEAD = 2  # segments fetched while one is written


@dataclass(frozen=True)
class RestoreRange:
    """One partition to restore.

    :param topic: its name on the target. ``base``: offset there of the first restored record.
    :param segments: in order, only those with records to restore.
    """

    topic: str
    partition: int
    base: int
    segments: tuple[Segment, ...] = ()
    point_in_time: int | None = None

    @property
    def at(self) -> Partition:
        return self.topic, self.partition

    @property
    def records_at_most(self) -> int:
        """All records of its segments; fewer are restored of one that ``point_in_time`` cuts."""
        return sum(segment.records for segment in self.segments)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"segments": [segment.model_dump(mode="json") for segment in self.segments]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RestoreRange:
        return cls(**{**data, "segments": tuple(map(Segment.model_validate, data["segments"]))})


@dataclass
class Restored:
    """What one shard wrote in this try; ``skipped`` records were there already."""

    records: int = 0
    skipped: int = 0
    bytes: int = 0
    size: int = 0
    seconds: float = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class ForeignRecords(BadParam):
    """The target holds records that are not from the backup."""


def read_segment(store: ObjectStore, segment: Segment) -> bytes:
    """A segment's object, as it was written.

    :raises DamagedSegment: it is missing, or not what was written; with its offsets.
    """
    key = segment.key or ""
    what = f"{key} (offsets {segment.begin} to {segment.end - 1})"
    try:
        data = store.get(key, segment.size)
    except ObjectMissing:
        raise DamagedSegment(f"{what}: the object is missing") from None
    except ObjectTooLarge:
        raise DamagedSegment(f"{what}: larger than the {segment.size} bytes that were written") from None
    except ForeignKey as error:
        raise DamagedSegment(f"{what}: {error}") from None
    if len(data) != segment.size:
        raise DamagedSegment(f"{what}: {len(data)} bytes, {segment.size} were written")
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise DamagedSegment(f"{what}: its content is not what was written (SHA-256 differs)")
    return data


class SegmentReader(Protocol):
    """How objects become records: those that we write, or those that others do."""

    packs: bool
    """Whether Parquet can be had in buffers (``native``)."""

    def fetch(self, store: ObjectStore, segment: Segment) -> Any:
        """A segment's object, as it was when it was described; it has a length.

        :raises DamagedSegment: it is missing, or another one.
        """
        ...

    def decode(self, data: Any, segment: Segment, native: bool) -> Iterator[Rows | PackedRows]:
        """The records of a fetched object, a portion at a time.

        :param native: in buffers, where the format has them (Parquet); loads Numba.
        :raises DamagedSegment: it is no such object.
        """
        ...


class OwnSegments:
    """The objects that we write."""

    packs = True

    def fetch(self, store: ObjectStore, segment: Segment) -> bytes:
        return read_segment(store, segment)

    def decode(self, data: bytes, segment: Segment, native: bool) -> Iterator[Rows | PackedRows]:
        return decoded(data, segment.key or "", native)


OWN: Final[SegmentReader] = OwnSegments()


def restored_rows(
    data: Any, segment: Segment, point_in_time: int | None, native: bool = False, reader: SegmentReader = OWN,
    zero: int = FOR_ZERO,
) -> Iterator[Rows | PackedRows]:  # fmt: skip
    """The records of a segment as they are restored.

    :param native: see ``SegmentReader.decode``. ``zero``: what stands for a time of 0.
    """
    for rows in as_claimed(reader.decode(data, segment, native), segment):
        kept = rows if point_in_time is None else rows.until(point_in_time)
        if len(kept):
            yield kept.without_zero(zero)


def decoded(data: bytes, key: str, native: bool) -> Iterator[Rows | PackedRows]:
    """The records of an object, a portion at a time.

    :raises DamagedSegment: it is no segment.
    """
    if not native or not key.endswith(SUFFIXES["parquet"]):
        return decode(data, key)
    from kafka_ferry.jobs.backup.rules.packed_segment import decode_packed

    return decode_packed(data, key)


def _natively(config: Mapping[str, Any], ranges: Sequence[RestoreRange]) -> bool:
    """Whether compiled code is worth it, and every object is one that lies in buffers."""
    return (
        worth_compiling(sum(one.records_at_most for one in ranges), NATIVE_RECORDS)
        and is_plain(config)
        and all((segment.key or "").endswith(SUFFIXES["parquet"]) for one in ranges for segment in one.segments)
    )


def restore_shard(
    config: Mapping[str, Any], store: ObjectStore, ranges: Sequence[RestoreRange], reader: SegmentReader = OWN
) -> Restored:
    """Write what is not yet on the target.

    Memory: three segments as they are stored, one row group decoded, 128 MB that wait to be sent.

    :param config: the connection's extra of the target.
    :raises ForeignRecords: a partition holds other records than the backup's first ones.
    :raises DamagedSegment: an object is not what was written; nothing of it is sent.
    :raises RecordRefused: the target does not take a record; nothing of its partition behind it was delivered.
    :raises DataLossError: the target does not hold what it acknowledged, or somebody else writes to it.
    """
    begun, done = time.monotonic(), Restored()
    admin = KafkaAdmin(client_config(config), "target")
    ends = admin.offsets([one.at for one in ranges], "latest", "read_uncommitted")
    ids = admin.topic_ids({one.topic for one in ranges})
    native = reader.packs and _natively(client_config(config), ranges)
    make = NativeSender if native else MessageSender
    states = admin.topics({one.topic for one in ranges}).values()
    limits = [limit[1] for state in states if (limit := size_limit(state.effective))]
    with (
        make(client_config(config), batch_limit(limits)) as sender,
        ThreadPoolExecutor(_AHEAD, thread_name_prefix="fetch") as pool,
    ):
        for one in ranges:
            there = ends[one.at] - one.base
            with LibrdkafkaReader(client_config(config), "read_uncommitted", few=True) as target:
                last = _last_hash(target, one, ends[one.at])
            try:
                objects = _fetched(pool, reader, store, one)
                written = _restore(sender, reader, objects, one, there, last, done, native)
                sender.flush()
            except RecordRefused as error:
                raise RecordRefused(error.failure, _next_record(admin, reader, store, one)) from None
            expected = one.base + there + written
            end = admin.offsets([one.at], "latest", "read_uncommitted")[one.at]
            if end != expected:
                recreated = admin.topic_ids([one.topic]) != {one.topic: ids.get(one.topic)}
                why = "The topic was deleted and recreated meanwhile" if recreated else "Another producer writes to it"
                raise DataLossError(
                    f"{one.topic}-{one.partition}: its log ends at {end} instead of {expected}. {why}, or an earlier "
                    "try is still running. Fix: stop it, delete the topic, restore again"
                )
    done.seconds = round(time.monotonic() - begun, 3)
    return done


def _last_hash(reader: LibrdkafkaReader, one: RestoreRange, end: int) -> int | None:
    """The hash of the last record on the target; None when there is none."""
    if end <= one.base:
        return None
    content = reader.read([PartitionRange(one.topic, one.partition, end - 1, end)])[one.at]
    if len(content) != 1:
        raise _foreign(one, f"at offset {end - 1} there is no record, but a marker of a transaction")
    return int(content.hashes[0])


def _next_record(admin: KafkaAdmin, reader: SegmentReader, store: ObjectStore, one: RestoreRange) -> str:
    """The record of the backup that comes behind what the target holds."""
    try:
        done = admin.offsets([one.at], "latest", "read_uncommitted")[one.at] - one.base
    except FerryError:  # what refused the record may refuse this, too
        return "a record"
    left = done
    for segment in one.segments:
        if one.point_in_time is None and left >= segment.records:
            left -= segment.records
            continue
        data = reader.fetch(store, segment)
        for rows in restored_rows(data, segment, one.point_in_time, reader=reader):
            if left < len(rows):
                record = rows.skip(left).first(1)
                return (
                    f"record {done + 1:,} of the partition's backup (offset {record.offsets[0]} on the source, key and "
                    f"value {record.bytes():,} bytes uncompressed)"
                )
            left -= len(rows)
    return "a record"


def _foreign(one: RestoreRange, what: str) -> ForeignRecords:
    return ForeignRecords(
        "rename",
        f"target partition {one.topic}-{one.partition} holds records that are not from the backup: {what}",
        "restore to a topic that does not exist or is empty",
    )


def _fetched(
    pool: ThreadPoolExecutor, reader: SegmentReader, store: ObjectStore, one: RestoreRange
) -> Iterator[tuple[Segment, Future[Any]]]:
    """Segments with their objects, some fetched ahead."""
    waiting: list[tuple[Segment, Future[Any]]] = []
    for segment in one.segments:
        waiting.append((segment, pool.submit(reader.fetch, store, segment)))
        if len(waiting) > _AHEAD:
            yield waiting.pop(0)
    yield from waiting


def _restore(
    sender: Sender,
    reader: SegmentReader,
    segments: Iterator[tuple[Segment, Future[Any]]],
    one: RestoreRange,
    there: int,
    last: int | None,
    done: Restored,
    native: bool,
) -> int:
    """Send the records of a partition behind the first ``there`` of them; how many were sent."""
    seen, written = 0, 0
    for segment, fetching in segments:
        data = fetching.result()
        done.size += len(data)
        for rows in restored_rows(data, segment, one.point_in_time, native, reader):
            new: Any = rows
            if seen < there:
                known = min(len(rows), there - seen)
                if seen + known == there and rows.hashes()[known - 1] != last:
                    raise _foreign(one, f"the one at offset {one.base + there - 1} is not record {there} of the backup")
                new = rows.skip(known)
                done.skipped += known
            seen += len(rows)
            sender.send(one.topic, one.partition, new)
            written += len(new)
            done.records += len(new)
            done.bytes += new.bytes()
    if seen < there:
        raise _foreign(one, f"{there} records, the backup has {seen}")
    return written


def restore_ranges(
    partitions: Mapping[Partition, Sequence[Segment]], bases: Mapping[Partition, int], point_in_time: int | None
) -> list[RestoreRange]:
    """:param partitions: target partition to the segments of its source. ``bases``: log start offsets there."""
    return [
        RestoreRange(*at, bases[at], tuple(one for one in segments if takes_part(one, point_in_time)), point_in_time)
        for at, segments in partitions.items()
    ]
