"""Write segments back to a cluster: explicit partition, timestamp and headers. One process, one shard; free of Airflow.

What stands on the target says where to go on: the n-th record of the backup is the n-th of the partition. So a killed
restore needs no memory of its own, and repeats nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from kafka_ferry.backup.formats import decode
from kafka_ferry.backup.manifest import Segment
from kafka_ferry.backup.restore_plan import MIN_TIMESTAMP, takes_part
from kafka_ferry.backup.segment import DamagedSegment, Rows
from kafka_ferry.exceptions import BadConnection, BadParam, FerryError, LossDetected, OutsideFault
from kafka_ferry.hooks.kafka_admin import KafkaAdmin
from kafka_ferry.hooks.kafka_config import client_config
from kafka_ferry.hooks.object_store import ObjectMissing, ObjectStore
from kafka_ferry.hooks.record_reader import LibrdkafkaReader
from kafka_ferry.verification.content import PartitionRange

Partition = tuple[str, int]

_SETTINGS: dict[str, Any] = {
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 20,
    "batch.size": 524288,  # with lz4 the whole gain of tuning (measured: 2.3 times the throughput at 1 KB)
    "queue.buffering.max.kbytes": 131072,
    "queue.buffering.max.messages": 500_000,
    "delivery.report.only.error": True,  # what was delivered shows in the end offset; what was not must not be missed
    "message.max.bytes": 1_000_000_000,  # the broker's limit counts, not the client's default of 1 MB
    "log_level": 2,
}
_FLUSH_SECONDS = 300.0
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
    gets: int = field(default=0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class ForeignRecords(BadParam):
    """The target holds records that are not the backup's."""


def read_segment(store: ObjectStore, segment: Segment) -> bytes:
    """A segment's object, as it was written.

    :raises DamagedSegment: it is missing, or not what was written; with its offsets.
    """
    key = segment.key or ""
    what = f"{key} (offsets {segment.begin} to {segment.end - 1})"
    try:
        data = store.get(key)
    except ObjectMissing:
        raise DamagedSegment(f"{what}: the object is missing") from None
    if len(data) != segment.size:
        raise DamagedSegment(f"{what}: {len(data)} bytes, {segment.size} were written")
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise DamagedSegment(f"{what}: its content is not what was written (SHA-256)")
    return data


def restored_rows(data: bytes, segment: Segment, point_in_time: int | None) -> Iterator[Rows]:
    """The records of a segment as they are restored."""
    for rows in decode(data, segment.key or ""):
        kept = rows if point_in_time is None else rows.until(point_in_time)
        if len(kept):
            yield kept.not_before(MIN_TIMESTAMP)


def restore_shard(config: Mapping[str, Any], store: ObjectStore, ranges: Sequence[RestoreRange]) -> Restored:
    """Write what is not yet on the target.

    Memory: three segments as they are stored, one row group decoded, 128 MB that wait to be sent.

    :param config: the connection's extra of the target.
    :raises ForeignRecords: a partition holds other records than the backup's first ones.
    :raises DamagedSegment: an object is not what was written; nothing of it is sent.
    :raises LossDetected: the target does not hold what it acknowledged, or somebody else writes to it.
    """
    begun, done = time.monotonic(), Restored()
    admin = KafkaAdmin(client_config(config), "target")
    ends = admin.offsets([one.at for one in ranges], "latest", "read_uncommitted")
    with _Sender(config) as sender, ThreadPoolExecutor(_AHEAD, thread_name_prefix="fetch") as pool:
        for one in ranges:
            there = ends[one.at] - one.base
            with LibrdkafkaReader(client_config(config), "read_uncommitted", few=True) as reader:
                last = _last_hash(reader, one, ends[one.at])
            written = _restore(sender, _fetched(pool, store, one, done), one, there, last, done)
            sender.flush()
            expected = one.base + there + written
            end = admin.offsets([one.at], "latest", "read_uncommitted")[one.at]
            if end != expected:
                raise LossDetected(
                    f"{one.topic}-{one.partition}: its log ends at {end} instead of {expected}. Somebody else writes "
                    "to it, or an earlier try is still at work. Cure: stop it, delete the topic, restore again"
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


def _foreign(one: RestoreRange, what: str) -> ForeignRecords:
    return ForeignRecords(
        "rename",
        f"target partition {one.topic}-{one.partition} holds records that are not the backup's: {what}",
        "restore to a topic that does not exist or is empty",
    )


def _fetched(
    pool: ThreadPoolExecutor, store: ObjectStore, one: RestoreRange, done: Restored
) -> Iterator[tuple[Segment, Future[bytes] | None]]:
    """Segments with their objects, some fetched ahead."""
    waiting: list[tuple[Segment, Future[bytes]]] = []
    for segment in one.segments:
        waiting.append((segment, pool.submit(read_segment, store, segment)))
        if len(waiting) > _AHEAD:
            yield waiting.pop(0)
        done.gets += 1
    yield from waiting


def _restore(
    sender: _Sender,
    segments: Iterator[tuple[Segment, Future[bytes] | None]],
    one: RestoreRange,
    there: int,
    last: int | None,
    done: Restored,
) -> int:
    """Send the records of a partition behind the first ``there`` of them; how many were sent."""
    seen, written = 0, 0
    for segment, fetching in segments:
        assert fetching is not None  # noqa: S101
        data = fetching.result()
        done.size += len(data)
        for rows in restored_rows(data, segment, one.point_in_time):
            new = rows
            if seen < there:
                known = min(len(rows), there - seen)
                if seen + known == there and rows.hashes()[known - 1] != last:
                    raise _foreign(one, f"the one at offset {one.base + there - 1} is not record {there} of the backup")
                new = rows.skip(known)
                done.skipped += known
            seen += len(rows)
            sender.send(one, new)
            written += len(new)
            done.records += len(new)
            done.bytes += new.bytes()
    if seen < there:
        raise _foreign(one, f"{there} records, the backup has {seen}")
    return written


class _Sender:
    """An idempotent producer that fails with the first record it cannot deliver."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._errors: list[str] = []
        self._fatal: str | None = None
        try:
            self._producer = Producer({**client_config(config), **_SETTINGS, "error_cb": self._on_error})
        except KafkaException as error:
            raise BadConnection(f"librdkafka refuses the connection's settings: {error.args[0].name()}") from None

    def __enter__(self) -> _Sender:
        return self

    def __exit__(self, *error: object) -> None:
        self._producer.purge()  # nothing waits after a success

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
            self._fatal = error.str()

    def _failed(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._errors.append(f"{message.topic()}-{message.partition()}: {error.str()}")

    def send(self, one: RestoreRange, rows: Rows) -> None:
        produce, failed, topic, partition = self._producer.produce, self._failed, one.topic, one.partition
        columns = zip(rows.keys, rows.values, rows.timestamps, rows.headers, strict=True)
        for count, (key, value, timestamp, headers) in enumerate(columns):
            while True:
                try:
                    produce(topic, value, key, partition, on_delivery=failed, timestamp=timestamp, headers=headers)
                    break
                except BufferError:  # the local queue is full
                    self._producer.poll(0.05)
                    self._check()
                except KafkaException as error:
                    raise FerryError(f"{topic}-{partition}: cannot send: {error.args[0].str()}") from None
            if not count % 1000:
                self._producer.poll(0)
                self._check()

    def flush(self) -> None:
        """Wait until all is delivered.

        :raises OutsideFault: a record was not.
        """
        deadline = time.monotonic() + _FLUSH_SECONDS
        while (left := self._producer.flush(5)) and time.monotonic() < deadline:
            self._check()
        self._check()
        if left:
            raise OutsideFault(f"{left} records were not acknowledged within {_FLUSH_SECONDS:g} s")

    def _check(self) -> None:
        if self._fatal:
            raise BadConnection(f"the target refuses: {self._fatal}")
        if self._errors:
            raise OutsideFault(f"not delivered: {self._errors[0]} ({len(self._errors)} so far)")


def restore_ranges(
    partitions: Mapping[Partition, Sequence[Segment]], bases: Mapping[Partition, int], point_in_time: int | None
) -> list[RestoreRange]:
    """:param partitions: target partition to the segments of its source. ``bases``: log start offsets there."""
    return [
        RestoreRange(*at, bases[at], tuple(one for one in segments if takes_part(one, point_in_time)), point_in_time)
        for at, segments in partitions.items()
    ]
