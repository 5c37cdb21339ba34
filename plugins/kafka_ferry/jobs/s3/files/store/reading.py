"""Read files that others wrote: all of a partition to describe them, and each again to import it. Free of Airflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.manifest import LargestRecord, Segment
from kafka_ferry.jobs.s3.files.rules.chain import NAMED, Chain
from kafka_ferry.jobs.s3.files.rules.file_segment import FileSegment, SideFile
from kafka_ferry.jobs.s3.files.rules.formats import Formats
from kafka_ferry.jobs.s3.files.rules.losses import LOSSES, Loss
from kafka_ferry.jobs.s3.files.rules.names import FileSet
from kafka_ferry.jobs.s3.files.rules.records import Losses, Parts, rows_of
from kafka_ferry.jobs.s3.files.store.local_file import load
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.record_hash import record_hash
from kafka_ferry.records.record_size import BATCH_HEADER, packed_size, record_bytes
from kafka_ferry.records.rows import Rows

_END: Final = 2**63 - 1


class ForeignFiles:
    """A ``SegmentReader`` for them.

    :param formats: how they are read.
    """

    packs = False

    def __init__(self, formats: Formats) -> None:
        self.formats = formats

    def fetch(self, store: ObjectStore, segment: Segment) -> Parts:
        assert isinstance(segment, FileSegment)  # noqa: S101
        parts, digests = fetched(store, segment)
        for (key, _, known), now in zip(segment.files, digests, strict=True):
            if known != now:
                raise DamagedSegment(f"{key}: its content is not what this run read first (SHA-256 differs)")
        return parts

    def decode(self, data: Parts, segment: Segment, native: bool) -> Iterator[Rows]:  # see packs
        assert isinstance(segment, FileSegment)  # noqa: S101
        return rows_of(self.formats, segment, data)


def fetched(store: ObjectStore, segment: FileSegment) -> tuple[Parts, list[str]]:
    """A file with those beside it, and the SHA-256 of each as it is now."""
    sides = [one for one in (segment.keys, segment.headers) if one]
    loaded = [load(store, segment.key or "", segment.size), *(load(store, one.key, one.size) for one in sides)]
    rest = iter(data for data, _ in loaded[1:])
    keys, headers = (next(rest) if one else None for one in (segment.keys, segment.headers))
    return Parts(loaded[0][0], keys, headers), [digest for _, digest in loaded]


@dataclass
class PartitionFiles:
    """What the files of a partition hold.

    :param segments: in order. ``missing``: offsets between them; ``gaps``: the first of them.
    :param repeated: records that are in two files, and are taken once. ``moved``: files that overlap with others that
        have other records. ``empty``: files without records.
    :param lost: how many files lack something.
    """

    topic: str
    partition: int
    segments: list[FileSegment] = field(default_factory=list)
    missing: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    repeated: int = 0
    moved: list[str] = field(default_factory=list)
    empty: int = 0
    files: int = 0
    lost: dict[Loss, int] = field(default_factory=dict)

    def slim(self) -> PartitionFiles:
        """For who looks at all files at once: only the first segment with what stands for its records."""
        bare = {"fingerprint": None, "sha256": "", "keys": None, "headers": None}
        return replace(self, segments=[*self.segments[:1], *(one.model_copy(update=bare) for one in self.segments[1:])])

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"segments": [one.model_dump(mode="json") for one in self.segments]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PartitionFiles:
        return cls(**{**data, "segments": list(map(FileSegment.model_validate, data["segments"]))})


def read_partition(
    store: ObjectStore, formats: Formats, topic: str, partition: int, files: Sequence[FileSet]
) -> PartitionFiles:
    """Read all files of a partition and describe them.

    Memory: some megabytes of records, 16 bytes for each of a file's and of the last five million. On disk: one file.

    :param files: in the order of their offsets.
    :raises DamagedSegment: one of them is not what its name says.
    """
    found, chain = PartitionFiles(topic, partition, files=len(files)), Chain()
    for one in files:
        losses = Losses()
        segment = _read(store, formats, one, losses, chain, found)
        for loss in losses.found:
            found.lost[loss] = found.lost.get(loss, 0) + 1
        if segment is not None:
            found.segments.append(segment)
        beat()
    found.missing, found.gaps, found.repeated = chain.missing, chain.gaps, chain.repeated
    found.lost = dict(sorted(found.lost.items(), key=lambda item: LOSSES.index(item[0])))
    return found


def unread(one: FileSet) -> FileSegment:
    """A file of which only the name is known, from its begin to its end."""
    value = one.value
    return FileSegment(
        begin=0,
        end=_END,
        key=value.key,
        size=value.size,
        topic=value.topic,
        partition=value.partition,
        first=value.offset,
        kind=value.kind,
        modified=value.modified,
        keys=SideFile.of(one.keys),
        headers=SideFile.of(one.headers),
    )


def _read(
    store: ObjectStore, formats: Formats, one: FileSet, losses: Losses, chain: Chain, found: PartitionFiles
) -> FileSegment | None:
    """One file; None: it has no record that those before it have not."""
    segment = unread(one)
    parts, digests = fetched(store, segment)
    seen = _Seen()
    for rows in rows_of(formats, segment, parts, losses):
        seen.add(rows)
        beat()
    if not seen.count:
        found.empty += 1
        return None
    content = seen.whole(segment.key or "")
    place = chain.add(content.offsets, content.plain)
    if place.moved and len(found.moved) < NAMED:
        found.moved.append(f"{segment.key} begins at offset {segment.first}, before {chain.end}")
    if place.moved:
        losses.found.add("order")
    if place.repeated == seen.count:
        return None
    return _described(segment, content, place.repeated, place.moved, digests)


class _Content:
    """All records of a file by what stands for them; the largest in itself."""

    def __init__(self, offsets: Any, hashes: Any, plain: Any, times: Any, sizes: Any) -> None:
        self.offsets, self.hashes, self.plain, self.times, self.sizes = offsets, hashes, plain, times, sizes
        self.largest: tuple[int, bytes] = (0, b"")


class _Seen:
    def __init__(self) -> None:
        self.count = 0
        self._pieces: list[tuple[Any, ...]] = []
        self._largest: tuple[int, int, bytes] = (-1, 0, b"")

    def add(self, rows: Rows) -> None:
        if not len(rows):
            return
        self.count += len(rows)
        sizes = np.array(
            [len(key or b"") + len(value or b"") for key, value in zip(rows.keys, rows.values, strict=True)]
        )
        plain = map(record_hash, [None] * len(rows), rows.headers, rows.keys, rows.values)
        self._pieces.append((
            np.array(rows.offsets, np.int64), np.array(rows.hashes(), np.uint64),
            np.fromiter(plain, np.uint64, len(rows)), np.array(rows.timestamps, np.int64), sizes,
        ))  # fmt: skip
        at = int(sizes.argmax())
        if sizes[at] > self._largest[0]:
            headers = [(name.encode("utf-8", "surrogateescape"), value) for name, value in rows.headers[at]]
            whole = record_bytes(rows.keys[at], rows.values[at], headers)
            self._largest = int(sizes[at]), rows.offsets[at], whole

    def whole(self, what: str) -> _Content:
        """:raises DamagedSegment: its offsets are not in order."""
        found = _Content(*map(np.concatenate, zip(*self._pieces, strict=True)))
        if bool((found.offsets[1:] <= found.offsets[:-1]).any()):
            raise DamagedSegment(f"{what}: its offsets are not in order")
        found.largest = self._largest[1:]
        return found


def _described(
    segment: FileSegment, content: _Content, repeated: int, moved: int, digests: Sequence[str]
) -> FileSegment:
    kept = slice(repeated, None)
    offsets = content.offsets[kept] + moved
    begin, end = int(offsets[0]), int(offsets[-1]) + 1
    size = int(content.sizes[kept].sum())
    rest = iter(digests[1:])
    sides = {
        name: one.model_copy(update={"sha256": next(rest)})
        for name, one in (("keys", segment.keys), ("headers", segment.headers))
        if one is not None
    }
    at, whole = content.largest
    largest = LargestRecord(offset=at + moved, bytes=BATCH_HEADER + len(whole), packed=packed_size(whole))
    return segment.model_copy(
        update={
            "begin": begin,
            "end": end,
            "moved": moved,
            "records": len(offsets),
            "bytes": size,
            "sha256": digests[0],
            "min_timestamp": int(content.times[kept].min()),
            "max_timestamp": int(content.times[kept].max()),
            "fingerprint": Fingerprint.of(PartitionContent(offsets, content.hashes[kept], size, begin, end)).to_json(),
            "missing": end - begin - len(offsets),
            "largest_record": largest,
            **sides,
        }
    )
