"""Manifests whose claims can be true, for tests: ranges that fit, keys of their own objects, fingerprints."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.formats import encode
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, Format, segment_key
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, Segment, State, TopicBackup
from kafka_ferry.jobs.backup.rules.segment import Buffer
from kafka_ferry.records.columns import columns_of
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.fingerprint import Fingerprint

TOPIC_ID = "AbCdEfGhIjKlMnOpQrStUv"


def fingerprint(records: int) -> dict[str, Any]:
    """Of so many records, of no particular content."""
    content = PartitionContent(np.arange(records), np.arange(records).astype(np.uint64), 5, 0, records)
    return Fingerprint.of(content).to_json()


def segment(
    begin: int, end: int, data: bytes = b"bytes", *, backup: str = "b", topic: str = "t", topic_id: str = TOPIC_ID,
    partition: int = 0, **about: Any,
) -> Segment:  # fmt: skip
    """One whose object is ``data``; its records are not looked at."""
    sha256 = hashlib.sha256(data).hexdigest()
    claims = {"records": end - begin, "size": len(data), "sha256": sha256, "fingerprint": fingerprint(end - begin),
              "key": segment_key(backup, topic, topic_id, partition, begin, sha256)}  # fmt: skip
    return Segment(begin=begin, end=end, **{**claims, **about})


def manifest(
    backup_id: str = "1", *segments: Segment, topic: str = "t", topic_id: str = TOPIC_ID, partition: int = 0,
    **about: Any,
) -> Manifest:  # fmt: skip
    """A COMPLETE one of one partition, whose range is that of its segments."""
    span = {"begin": segments[0].begin, "end": segments[-1].end} if segments else {"begin": 0, "end": 0}
    part = PartitionBackup(partition=partition, segments=list(segments), **span)
    topics = [TopicBackup(name=topic, topic_id=topic_id, replication_factor=1, partitions=[part])]
    claims = {"backup": "b", "state": State.COMPLETE, "mode": "incremental" if about.get("parent") else "full",
              "created": "2026-11-21T02:00:00+00:00", "cluster_id": "c", "topics": topics}  # fmt: skip
    return Manifest(backup_id=backup_id, **{**claims, **about})


def stored(
    store: ObjectStore, begin: int, values: list[bytes | None], kind: Format = "parquet", *, backup: str = "b",
    topic: str = "t", partition: int = 0, headers: Any = None,
) -> Segment:  # fmt: skip
    """A true segment of these records, with its object in the store."""
    count = len(values)
    made = Buffer(begin)
    numbers = range(begin, begin + count)
    made.add(columns_of(partition, numbers, [1_700_000_000_000 + n for n in numbers], [1] * count,
                        [b"k%d" % n for n in numbers], values, headers or [[("h", b"1")]] * count))  # fmt: skip
    draft = made.cut(begin + count, "transaction")
    about = {"topic": topic, "topic_id": TOPIC_ID, "partition": partition, "begin": begin, "end": begin + count}
    data = bytes(encode(draft, kind, about))
    sha256 = hashlib.sha256(data).hexdigest()
    key = segment_key(backup, topic, TOPIC_ID, partition, begin, sha256, SUFFIXES[kind])
    store.put(key, data)
    return draft.describe().model_copy(update={"key": key, "size": len(data), "sha256": sha256})
