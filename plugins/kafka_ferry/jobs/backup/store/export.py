"""Export frozen ranges of offsets as segments. One process, one shard; free of Airflow."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.batch_stream import cores_kept_busy, worth_compiling
from kafka_ferry.hooks.kafka.reading.column_reader import NATIVE_RECORDS, ColumnReader
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.formats import encode
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, Format, segment_key
from kafka_ferry.jobs.backup.rules.manifest import Gap, Segment
from kafka_ferry.jobs.backup.rules.segment import Buffer, Draft, ScratchBuffer
from kafka_ferry.jobs.backup.store.journal import Journal
from kafka_ferry.records.content import PartitionRange

log = logging.getLogger(__name__)

SEGMENT_BYTES = 64 * 1024 * 1024
BUFFER_BYTES = 192 * 1024 * 1024
_AT_ONCE = 2  # large partitions read side by side: the fewer, the less is left to encode when the last is read
_SMALL_RECORDS = 200_000  # of partitions read together beyond that number
_UPLOADS = 2
_STALL_SECONDS = 60.0

Reason = Literal["transaction", "compaction"]


@dataclass(frozen=True)
class ExportRange:
    """What is left to export of one partition.

    :param compacted: says what its gaps are.
    """

    topic: str
    topic_id: str
    partition: int
    begin: int
    end: int
    compacted: bool = False

    @property
    def at(self) -> Partition:
        return self.topic, self.partition

    @property
    def reason(self) -> Reason:
        return "compaction" if self.compacted else "transaction"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def cores(config: Mapping[str, Any], ranges: Sequence[ExportRange], kind: Format = "parquet") -> int:
    """How many cores one process keeps busy with these ranges.

    :param config: the connection's extra.
    """
    if kind != "parquet":  # the others are written by Python
        return 1
    return cores_kept_busy(client_config(config), sum(one.end - one.begin for one in ranges), NATIVE_RECORDS)


@dataclass(frozen=True)
class Exported:
    """What one shard wrote in this try."""

    records: int = 0
    bytes: int = 0
    size: int = 0
    objects: int = 0
    puts: int = 0
    seconds: float = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def export_shard(
    config: Mapping[str, Any],
    store: ObjectStore,
    backup: str,
    backup_id: str,
    ranges: Sequence[ExportRange],
    isolation_level: str,
    segment_bytes: int = SEGMENT_BYTES,
    buffer_bytes: int = BUFFER_BYTES,
    kind: Format = "parquet",
) -> Exported:
    """Export the ranges to their ends; each finished segment is in the journal.

    Memory: ``buffer_bytes`` of records, up to three segments on their way (raw and compressed), 64 MB fetched ahead.

    :param config: the connection's extra (librdkafka settings).
    :param ranges: what is left to do, see ``catalogue.ranges_left``.
    :param kind: format of the segments.
    :raises TransientError: the end of a range was not reached, or the store did not answer.
    """
    begun = time.monotonic()
    writer = _Writer(store, backup, backup_id, kind)
    try:
        todo = _skip_expired(config, ranges, writer)
        native = worth_compiling(sum(one.end - one.begin for one in todo), NATIVE_RECORDS)
        with ColumnReader(client_config(config), isolation_level, _STALL_SECONDS, native) as reader:
            for portion in _portions(todo):
                _export(reader, portion, writer, segment_bytes, buffer_bytes)
        writer.finish()
    except BaseException:
        writer.give_up()
        raise
    return writer.result(time.monotonic() - begun)


def _skip_expired(config: Mapping[str, Any], ranges: Sequence[ExportRange], writer: _Writer) -> list[ExportRange]:
    """Note what retention took since the freeze; the rest of the ranges."""
    admin = KafkaAdmin(client_config(config), "source")
    begins = admin.offsets([one.at for one in ranges], "earliest", "read_committed")
    left = []
    for one in ranges:
        begin = min(max(one.begin, begins[one.at]), one.end)
        if begin > one.begin:
            log.warning("%s-%d: offsets %d to %d were deleted before they could be read", *one.at, one.begin, begin - 1)
            gone = Gap(begin=one.begin, end=begin, reason="retention")
            writer.note(one, Segment(begin=one.begin, end=begin, missing=begin - one.begin, gaps=[gone]))
        if begin < one.end:
            left.append(ExportRange(one.topic, one.topic_id, one.partition, begin, one.end, one.compacted))
    return left


def _portions(ranges: Sequence[ExportRange]) -> Iterator[list[ExportRange]]:
    """Ranges to read at once: four, or more when they are small."""
    portion: list[ExportRange] = []
    estimate = 0
    for one in ranges:
        if len(portion) >= _AT_ONCE and estimate + one.end - one.begin > _SMALL_RECORDS:
            yield portion
            portion, estimate = [], 0
        portion.append(one)
        estimate += one.end - one.begin
    if portion:
        yield portion


def _export(
    reader: ColumnReader, ranges: Sequence[ExportRange], writer: _Writer, segment_bytes: int, buffer_bytes: int
) -> None:
    by_key = {one.at: one for one in ranges}
    buffers = {one.at: Buffer(one.begin) for one in ranges}
    spans = [PartitionRange(one.topic, one.partition, one.begin, one.end) for one in ranges]
    held = 0

    def write(at: Partition, end: int) -> None:
        writer.write(by_key[at], buffers[at].cut(end, by_key[at].reason))

    for at, columns in reader.stream(spans):
        buffer = buffers[at]
        held -= buffer.memory
        buffer.add(columns)
        if buffer.next >= by_key[at].end:
            write(at, by_key[at].end)
        elif buffer.bytes >= segment_bytes:
            write(at, buffer.next)
        held += buffer.memory
        while held > buffer_bytes:
            largest, fullest = max(buffers.items(), key=lambda item: item[1].memory)
            held -= fullest.memory
            write(largest, fullest.next)
            held += fullest.memory
    for at, buffer in buffers.items():
        if buffer.begin < by_key[at].end:
            write(at, by_key[at].end)


class _Writer:
    """Encodes and uploads segments in the background, a bounded number at a time."""

    def __init__(self, store: ObjectStore, backup: str, backup_id: str, kind: Format) -> None:
        self._store, self._backup, self._kind = store, backup, kind
        self._journal = Journal(store, backup, backup_id)
        self._pool = ThreadPoolExecutor(_UPLOADS, thread_name_prefix="upload")
        self._upload_slots = threading.Semaphore(_UPLOADS + 1)
        self._memory = threading.local()  # of each thread of the pool: what it encodes into
        self._jobs: list[Future[Segment]] = []
        self._puts_before = store.puts
        self._done: list[Segment] = []

    def write(self, span: ExportRange, draft: Draft) -> None:
        """Hand over a segment; waits while too many are on their way.

        :raises FerryError: an earlier one could not be written.
        """
        self._collect()
        self._upload_slots.acquire()
        self._jobs.append(self._pool.submit(self._work, span, draft))

    def note(self, span: ExportRange, segment: Segment) -> None:
        self._journal.note(span.at, segment)

    def _work(self, span: ExportRange, draft: Draft) -> Segment:
        try:
            segment = draft.describe()
            if segment.records:
                about = {"topic": span.topic, "topic_id": span.topic_id, "partition": span.partition}
                scratch = vars(self._memory).setdefault("scratch", ScratchBuffer())
                data = encode(draft, self._kind, {**about, "begin": draft.begin, "end": draft.end}, scratch)
                sha256 = hashlib.sha256(data).hexdigest()
                place = span.topic, span.topic_id, span.partition, draft.begin
                key = segment_key(self._backup, *place, sha256, SUFFIXES[self._kind])
                self._store.put(key, data)
                segment = segment.model_copy(update={"key": key, "size": len(data), "sha256": sha256})
            self._journal.note(span.at, segment)
            return segment
        finally:
            self._upload_slots.release()

    def _collect(self) -> None:
        finished = [job for job in self._jobs if job.done()]
        self._jobs = [job for job in self._jobs if job not in finished]
        self._done += [job.result() for job in finished]

    def finish(self) -> None:
        """Wait for what is on its way."""
        self._pool.shutdown(wait=True)
        self._collect()
        self._journal.flush()

    def give_up(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def result(self, seconds: float) -> Exported:
        stored = [segment for segment in self._done if segment.key]
        return Exported(
            records=sum(segment.records for segment in stored),
            bytes=sum(segment.bytes for segment in stored),
            size=sum(segment.size for segment in stored),
            objects=len(stored),
            puts=self._store.puts - self._puts_before,
            seconds=round(seconds, 3),
        )
