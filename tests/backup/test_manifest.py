"""The manifest: what is read is what was written, or nothing."""

from __future__ import annotations

import json

import pytest

from kafka_ferry.backup.layout import check_name, segment_key
from kafka_ferry.backup.manifest import DamagedManifest, Gap, Manifest, PartitionBackup, Segment, TopicBackup
from kafka_ferry.exceptions import BadParam


def manifest() -> Manifest:
    segment = Segment(begin=5, end=9, key="k", records=3, size=7, gaps=[Gap(begin=6, end=7, reason="compaction")])
    gone = Gap(begin=0, end=5, reason="retention")
    part = PartitionBackup(partition=0, begin=5, end=9, segments=[segment], gaps=[gone])
    topic = TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=[part])
    return Manifest(backup="b", backup_id="1", mode="full", created="2026-11-21", cluster_id="c", topics=[topic])


def test_it_comes_back_as_it_was():
    again = Manifest.from_bytes(manifest().to_bytes(), "m")
    assert again == manifest()
    assert again.keys() == {"k"}
    assert [gap.reason for gap in again.topics[0].partitions[0].all_gaps()] == ["retention", "compaction"]


def test_any_changed_byte_is_found():
    data = manifest().to_bytes()
    changed = data.replace(b'"end": 9', b'"end": 8', 1)
    assert changed != data
    for bad in (changed, data[:-5], b"", b"[]", b"{}", b"\xff"):
        with pytest.raises(DamagedManifest, match=r"^m: "):
            Manifest.from_bytes(bad, "m")


def test_another_schema_is_not_guessed_at():
    content = json.loads(manifest().to_bytes()) | {"schema": "kafka-ferry.backup/2"}
    with pytest.raises(DamagedManifest, match="backup/2"):
        Manifest.from_bytes(json.dumps(content).encode(), "m")


def test_keys_sort_as_offsets_do_and_have_no_stray_slash():
    low, high = (segment_key("b", "t", "a/b+c==", 1, begin, "f" * 64) for begin in (9, 10))
    assert low < high
    assert low == f"b/data/t/a_b-c==/000001/{9:020}-{'f' * 16}.parquet"


@pytest.mark.parametrize("name", ["", "a/b", "..", "ü", "x" * 101])
def test_names_that_cannot_be_in_a_key_are_refused(name):
    with pytest.raises(BadParam, match="backup"):
        check_name("backup", name)
