"""Whether what a manifest or a journal says can be true: its digest does not prove who wrote it. Pure.

Each finding names topic, partition, offsets and key. All that later code relies on is looked at here, once: numbers
that fit into 64 bits, ranges that lie in one another, keys of the backup's own objects, fingerprints that can be read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from kafka_ferry.core.object_key import key_problem
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, manifest_key, schemas_key, segment_key
from kafka_ferry.jobs.backup.rules.timestamps import parse_timestamp
from kafka_ferry.records.record_hash import HASH_VERSION
from kafka_ferry.records.record_size import BATCH_HEADER

if TYPE_CHECKING:
    from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, Segment, TopicBackup

MANIFEST_BYTES: Final = 512 * 1024 * 1024
"""The largest manifest, or piece of a journal, that is read: half a million segments."""
OBJECT_BYTES: Final = 2**31
"""The largest object: segments are cut at 512 MB at the latest."""
SCHEMAS_BYTES: Final = 256 * 1024 * 1024
"""The largest object of schemas, as it is stored."""
SEGMENT_RECORDS: Final = 64_000_000
"""The most records of one segment: a buffer of 1.5 GB holds no more, when all are empty."""

_MAX: Final = 2**63 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HASH = re.compile(r"[0-9a-f]{16}")
_REPLICAS = 2**15 - 1
_TOTALS = ("records", "bytes", "size", "objects", "puts")
_ACL = {"resource", "name", "pattern", "principal", "host", "operation", "permission"}
_ENTITIES = {"user", "client-id", "ip"}
_COUNTS = ("records", "bytes", "size", "missing")


def manifest_problems(manifest: Manifest, key: str) -> Iterator[str]:
    """What cannot be true of a manifest that was read from ``key``."""
    if key != manifest_key(manifest.backup, manifest.backup_id) or key_problem(key):
        yield f"it says it is backup {manifest.backup_id[:200]!r} of {manifest.backup[:200]!r}"
        return
    for name, text in (("created", manifest.created), ("completed", manifest.completed)):
        if text is not None and parse_timestamp(text) is None:
            yield f"{name} {text[:80]!r} is not a time"
    yield from _total_problems(manifest)
    yield from (
        f"an ACL of {', '.join(sorted(acl))[:200] or 'nothing'}" for acl in manifest.acls or () if set(acl) != _ACL
    )
    yield from _group_problems(manifest)
    yield from _quota_problems(manifest)
    yield from _schemas_problems(manifest)
    names: set[str] = set()
    for topic in manifest.topics:
        problem = topic_problem(topic.name, topic.topic_id)
        if problem or topic.name in names:
            yield problem or f"topic {topic.name} is listed twice"
            continue
        names.add(topic.name)
        if not 1 <= topic.replication_factor <= _REPLICAS:
            yield f"topic {topic.name}: {str(topic.replication_factor)[:40]} replicas"
        yield from _topic_problems(manifest.backup, topic)


def _total_problems(manifest: Manifest) -> Iterator[str]:
    if not math.isfinite(manifest.totals.seconds):
        yield "totals: seconds is not a number"
    if not all(0 <= getattr(manifest.totals, name) <= _MAX for name in _TOTALS):
        yield "totals: a number below 0, or of more than 64 bits"


def _group_problems(manifest: Manifest) -> Iterator[str]:
    for group, offsets in manifest.groups.items():
        for one in offsets:
            if not (0 <= one.partition < 2**31 and -_MAX <= one.offset <= _MAX):
                yield f"group {group[:200]!r}: offset {one.offset} of {one.topic[:260]}-{one.partition}"


def _quota_problems(manifest: Manifest) -> Iterator[str]:
    seen = set()
    for one in manifest.quotas:
        whose = ", ".join(f"{kind} {name}" for kind, name in sorted(one.entity.items()))[:200] or "nobody"
        entity = tuple(sorted(one.entity.items()))
        if not one.entity or not set(one.entity) <= _ENTITIES or entity in seen:
            yield f"quotas of {whose}: no entity, or one that is listed twice"
        elif not one.values or not all(math.isfinite(value) for value in one.values.values()):
            yield f"quotas of {whose}: none, or one that is not a number"
        seen.add(entity)


def _schemas_problems(manifest: Manifest) -> Iterator[str]:
    part = manifest.schemas
    if part is None:
        return
    if not _SHA256.fullmatch(part.sha256) or part.key != schemas_key(manifest.backup, part.sha256):
        yield f"schemas: its key {part.key[:300]!r} is not the key of its own object"
    if not 0 < part.size <= SCHEMAS_BYTES:
        yield f"schemas: an object of {part.size} bytes"


def _topic_problems(backup: str, topic: TopicBackup) -> Iterator[str]:
    numbers: set[int] = set()
    for one in topic.partitions:
        place = f"{topic.name}-{one.partition}"
        if not 0 <= one.partition < 2**31 or one.partition in numbers:
            yield f"{place}: no partition, or one that is listed twice"
        elif not 0 <= one.begin <= one.end <= _MAX:
            yield f"{place}: the range from {one.begin} to {one.end}"
        else:
            for segment in one.segments:
                if problem := segment_claim(backup, topic, one, segment):
                    yield problem
        numbers.add(one.partition)
    if numbers and max(numbers) >= len(topic.partitions):
        yield f"{topic.name}: {len(topic.partitions)} partitions, and one with the number {max(numbers)}"


def segment_claim(backup: str, topic: TopicBackup, partition: PartitionBackup, segment: Segment) -> str | None:
    """What cannot be true of a segment, with its place; None when all can."""
    problem = _range_problem(partition, segment) or _count_problem(segment) or _largest_problem(segment)
    if problem is None and segment.key is not None:
        place = backup, topic.name, topic.topic_id, partition.partition, segment.begin, segment.sha256
        problem = _object_problem(segment) or segment_problem(*place, segment.key)
    if problem is None:
        return None
    return f"{topic.name}-{partition.partition} offsets {segment.begin} to {segment.end - 1}: {problem}"


def _range_problem(partition: PartitionBackup, segment: Segment) -> str | None:
    if not partition.begin <= segment.begin < segment.end <= partition.end:
        return f"not in the range of the partition, {partition.begin} to {partition.end - 1}"
    for gap in segment.gaps:
        if not segment.begin <= gap.begin < gap.end <= segment.end:
            return f"a gap from {gap.begin} to {gap.end}"
    return None


def _count_problem(segment: Segment) -> str | None:
    for name in _COUNTS:
        if not 0 <= getattr(segment, name) <= _MAX:
            return f"{name} is {getattr(segment, name)}"
    if segment.records + segment.missing != segment.end - segment.begin:
        return f"{segment.records} records and {segment.missing} offsets without one do not add up to its range"
    for stamp in (segment.min_timestamp, segment.max_timestamp):
        if stamp is not None and not -_MAX - 1 <= stamp <= _MAX:
            return f"the timestamp {stamp}"
    if segment.key is None and segment.records:
        return f"{segment.records} records and no object"
    return None


def _largest_problem(segment: Segment) -> str | None:
    record, batch = segment.largest_record, segment.largest_batch
    if record is not None and (
        not segment.records
        or not segment.begin <= record.offset < segment.end
        or not BATCH_HEADER < record.packed <= record.bytes <= OBJECT_BYTES
    ):
        return f"its largest record, of {record.bytes} bytes ({record.packed} packed) at offset {record.offset}"
    if batch is not None and (
        not segment.records or not 0 <= batch.offset < segment.end or not BATCH_HEADER < batch.bytes <= OBJECT_BYTES
    ):
        return f"its largest batch, of {batch.bytes} bytes at offset {batch.offset}"
    return None


def _object_problem(segment: Segment) -> str | None:
    if not 0 < segment.records <= SEGMENT_RECORDS:
        return f"{segment.key}: an object of {segment.records} records"
    if not 0 < segment.size <= OBJECT_BYTES:
        return f"{segment.key}: an object of {segment.size} bytes"
    if not _SHA256.fullmatch(segment.sha256):
        return f"{segment.key}: no SHA-256"
    return _fingerprint_problem(segment.fingerprint or {}, segment.records)


def _fingerprint_problem(found: Mapping[str, Any], records: int) -> str | None:
    if set(found) != {"count", "bytes", "sum", "ordered", "first", "last", "hash_version"}:
        return "no fingerprint"
    if found["hash_version"] != HASH_VERSION:
        return f"a fingerprint of {str(found['hash_version'])[:40]}, this version knows {HASH_VERSION}"
    hashes = [found[name] for name in ("sum", "ordered", "first", "last")]
    if not all(isinstance(one, str) and _HASH.fullmatch(one) for one in hashes):
        return "a malformed fingerprint"
    size = found["bytes"]
    if found["count"] != records or type(size) is not int or not 0 <= size <= _MAX:
        return f"a fingerprint of {str(found['count'])[:40]} records"
    return None


_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")  # Kafka's org.apache.kafka.common.internals.Topic


_TOPIC_ID = re.compile(r"[A-Za-z0-9_+/=-]{1,64}")


def topic_problem(name: str, topic_id: str) -> str | None:
    """Why a topic of these names can have no objects; None when it can."""
    if not _TOPIC.fullmatch(name) or name in (".", ".."):
        return f"{name[:260]!r} is not the name of a topic"
    return None if _TOPIC_ID.fullmatch(topic_id) else f"{topic_id[:80]!r} is not a topic id"


def segment_problem(
    backup: str, topic: str, topic_id: str, partition: int, begin: int, sha256: str, key: str
) -> str | None:
    """Why a key is not the one of this segment; None when it is."""
    place = backup, topic, topic_id, partition, begin, sha256
    for suffix in SUFFIXES.values():
        # The sink connector's have no hash.
        if key in (segment_key(*place, suffix), segment_key(*place[:-1], "", suffix)):
            return None
    return f"its key {key[:300]!r} is not the key of its own object: {segment_key(*place, '')[:300]!r} and an ending"
