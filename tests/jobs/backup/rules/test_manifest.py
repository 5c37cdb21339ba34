"""The manifest: what is read is what was written, or nothing."""

from __future__ import annotations

import hashlib
import json

import pytest

import true_manifests
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.layout import check_name, segment_key
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Gap, Manifest, PartitionBackup, TopicBackup

KEY = "b/manifests/1.json"


def manifest() -> Manifest:
    gap = Gap(begin=6, end=7, reason="compaction")
    segment = true_manifests.segment(
        5, 9, topic_id="i", records=3, missing=1, gaps=[gap], fingerprint=true_manifests.fingerprint(3)
    )
    gone = Gap(begin=0, end=5, reason="retention")
    part = PartitionBackup(partition=0, begin=5, end=9, segments=[segment], gaps=[gone])
    topic = TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=[part])
    return Manifest(backup="b", backup_id="1", mode="full", created="2026-11-21", cluster_id="c", topics=[topic])


def test_it_comes_back_as_it_was():
    again = Manifest.from_bytes(manifest().to_bytes(), KEY)
    assert again == manifest()
    assert again.keys() == {f"b/data/t/i/000000/{5:020}-{hashlib.sha256(b'bytes').hexdigest()[:16]}.parquet"}
    assert [gap.reason for gap in again.topics[0].partitions[0].all_gaps()] == ["retention", "compaction"]


def test_any_changed_byte_is_found():
    data = manifest().to_bytes()
    changed = data.replace(b'"end": 9', b'"end": 8', 1)
    assert changed != data
    for bad in (changed, data[:-5], b"", b"[]", b"{}", b"\xff"):
        with pytest.raises(DamagedManifest, match=f"^{KEY}: "):
            Manifest.from_bytes(bad, KEY)


def test_another_schema_is_not_guessed_at():
    content = json.loads(manifest().to_bytes()) | {"schema": "kafka-ferry.backup/2"}
    with pytest.raises(DamagedManifest, match="backup/2"):
        Manifest.from_bytes(json.dumps(content).encode(), KEY)


def test_keys_sort_as_offsets_do_and_have_no_stray_slash():
    low, high = (segment_key("b", "t", "a/b+c==", 1, begin, "f" * 64) for begin in (9, 10))
    assert low < high
    assert low == f"b/data/t/a_b-c==/000001/{9:020}-{'f' * 16}.parquet"


@pytest.mark.parametrize("name", ["", "a/b", "..", "ü", "x" * 101])
def test_names_that_cannot_be_in_a_key_are_refused(name):
    with pytest.raises(BadParam, match="backup"):
        check_name("backup", name)
