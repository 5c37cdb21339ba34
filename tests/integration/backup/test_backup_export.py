"""Export on a real broker and a real S3 server: what is in the segments is what a consumer of the source sees."""

from __future__ import annotations

import os
import time

import pytest

import nasty
from backup_lab import LOCATION, Backups, child, delete_before, kill_when
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.jobs.backup.rules.layout import data_prefix, journal_prefix
from kafka_ferry.jobs.backup.rules.manifest import State
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup, assemble
from kafka_ferry.jobs.backup.store.export import export_shard
from kafka_ferry.jobs.backup.store.process import run, store_order
from kafka_ferry.records.record_hash import record_hash
from s3_faults import S3Faults

pytestmark = pytest.mark.integration


@pytest.fixture
def backups(connections, topic_prefix) -> Backups:
    return Backups(topic_prefix)


@pytest.mark.parametrize("way", ["never", "always"])
def test_nasty_topics_are_in_the_segments_as_they_are(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch, way
):
    monkeypatch.setenv("FERRY_NATIVE", way)
    expected = nasty.make(stack.source_bootstrap, topic_prefix, make_topics, produce)
    backups.commit(f"{topic_prefix}g", {(f"{topic_prefix}plain", 0): 5})

    manifest = backups.begin("b01")
    assert backups.catalogue.complete() == {}, "what has only begun is no backup"
    run([backups.order(manifest, segment_bytes=200_000)])
    done = backups.catalogue.finish(manifest, "2026-11-21T12:30:00+00:00")

    topics = {topic.name: topic for topic in done.topics}
    counts = {name: sum(part.records for part in topics[name].partitions) for name in expected}
    assert counts == expected
    stored, live, cleaned = backups.hashes(done.topics), backups.live(done.topics), (f"{topic_prefix}compacted", 0)
    # The source's cleaner may have gone on since: what it has left is in the backup.
    assert live[cleaned].items() <= stored[cleaned].items()
    assert len(stored.pop(cleaned)) >= len(live.pop(cleaned)) >= 20
    assert stored == live
    ids = backups.source.admin.topic_ids(topics)
    assert {name: topic.topic_id for name, topic in topics.items()} == ids
    assert topics[f"{topic_prefix}append"].log_append_time
    assert topics[f"{topic_prefix}compacted"].compacted
    (trimmed,) = topics[f"{topic_prefix}trimmed"].partitions
    assert [gap.model_dump() for gap in trimmed.gaps] == [{"begin": 0, "end": 40, "reason": "retention"}]
    odd = topics[f"{topic_prefix}odd.Name_with-all"].partitions[0]
    assert {gap.reason for gap in odd.all_gaps()} == {"transaction"}
    assert sum(segment.missing for segment in odd.segments) == 6 + 14, "six markers, two aborted transactions"
    assert done.groups[f"{topic_prefix}g"][0].offset == 5
    assert done.acls is None
    assert any("no authorizer" in note for note in done.notes)
    assert list(backups.store.list(journal_prefix(backups.catalogue.backup, "b01"))) == []
    assert backups.catalogue.orphans() == {}
    assert {entry.key for entry in backups.store.list(data_prefix(done.backup))} == done.keys()


def test_increments_go_on_where_the_last_one_ended(backups, stack, topic_prefix, make_topics, produce):
    source = stack.source_bootstrap
    kept, recreated, short = make_topics(source, *(f"{topic_prefix}{name}" for name in ("kept", "anew", "short")))
    for topic in (kept, recreated, short):
        produce(source, topic, 100)
    first = backups.export(backups.begin("b01"))
    assert (first.mode, first.totals.records) == ("full", 300)

    produce(source, kept, 50)
    produce(source, short, 100)
    old_id = backups.source.admin.topic_ids([recreated])[recreated]
    backups.source.admin.delete_topics([recreated])
    time.sleep(1)
    make_topics(source, recreated)
    produce(source, recreated, 7)
    delete_before(source, short, 150)
    late = make_topics(source, f"{topic_prefix}late")[0]
    produce(source, late, 3)

    second = backups.export(backups.begin("b02"))

    assert (second.mode, second.parent) == ("incremental", "b01")
    topics = {topic.name: topic for topic in second.topics}
    assert {name: topic.partitions[0].records for name, topic in topics.items()} == {
        kept: 50, recreated: 7, short: 50, late: 3,
    }  # fmt: skip
    assert topics[recreated].recreated == old_id
    assert any("recreated" in note and recreated in note for note in second.notes)
    (gap,) = topics[short].partitions[0].gaps
    assert gap.model_dump() == {"begin": 100, "end": 150, "reason": "retention"}

    whole = {topic.name: topic.partitions[0] for topic in assemble(backups.catalogue.chain())}
    assert {name: part.records for name, part in whole.items()} == {kept: 150, recreated: 7, short: 150, late: 3}
    assert [gap.model_dump() for gap in whole[short].all_gaps()] == [gap.model_dump()]
    third = backups.export(backups.begin("b03"))
    assert (third.totals.records, third.totals.objects) == (0, 0), "nothing new is nothing written"
    assert backups.begin("b03").state is State.COMPLETE, "a night already covered is not done again"


def test_a_killed_export_is_no_backup_and_goes_on_without_copying_twice(
    backups, stack, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}long")
    value = os.urandom(2000)
    produce(stack.source_bootstrap, topic, ({"key": b"%d" % n, "value": value} for n in range(60_000)))
    manifest = backups.begin("b01")

    settings = store_settings("aws_default")
    # Slow enough that it cannot have finished when it is killed.
    with S3Faults(stack.s3.url, lambda method, path: time.sleep(0.3) if method == "PUT" else None) as proxy:
        store = store_order(LOCATION, {**settings, "endpoint_url": proxy.url})
        process = child(backups.order(manifest, store, segment_bytes=4_000_000))
        kill_when(process, lambda: backups.catalogue.ranges_left(manifest)[0].begin > 0, "a finished segment")

    assert backups.catalogue.complete() == {}
    with pytest.raises(IncompleteBackup, match="exported up to offset"):
        backups.catalogue.finish(manifest, "2026-11-21T12:30:00+00:00")
    again = backups.begin("b01", topics=["something else, asked for too late"])
    assert again == manifest, "a retry keeps the ranges that were frozen"
    (left,) = backups.catalogue.ranges_left(manifest)
    assert left.begin > 0
    before = {entry.key for entry in backups.store.list(data_prefix(manifest.backup))}

    exported = export_shard(
        backups.source.extra, backups.store, manifest.backup, "b01", [left], "read_committed", segment_bytes=4_000_000
    )
    done = backups.catalogue.finish(manifest, "2026-11-21T12:30:00+00:00")

    assert exported.records == 60_000 - left.begin
    assert done.totals.records == 60_000
    assert done.totals.objects > 5, "segments are cut by size"
    assert backups.hashes(done.topics) == backups.live(done.topics)
    assert before & done.keys(), "finished segments were kept"
    orphans = backups.catalogue.orphans()
    assert orphans.keys() == before - done.keys()
    assert len(orphans) <= 3, "what was on its way when it was killed"


def test_a_store_that_is_slow_or_away_for_a_while_costs_time_only(
    backups, breakable_stack, topic_prefix, make_topics, produce
):
    topics = make_topics(breakable_stack.source_bootstrap, f"{topic_prefix}a", f"{topic_prefix}b", partitions=2)
    for topic in topics:
        produce(breakable_stack.source_bootstrap, topic, 5000)
    manifest = backups.begin("b01")
    calls = iter(range(1_000_000))
    settings = store_settings("aws_default")
    with S3Faults(breakable_stack.s3.url, lambda method, path: 503 if next(calls) % 2 else None) as proxy:
        slow = store_order(LOCATION, {**settings, "endpoint_url": proxy.url})
        run([backups.order(manifest, slow, segment_bytes=50_000)])
        assert proxy.faults > 3
    done = backups.catalogue.finish(manifest, "2026-11-21T12:30:00+00:00")
    assert backups.hashes(done.topics) == backups.live(done.topics)

    second = backups.begin("b02", mode="full")
    order = backups.order(second, store_order(LOCATION, settings, patience=1))
    breakable_stack.s3.stop()
    with pytest.raises(TransientError, match="cannot write"):
        run([order])
    breakable_stack.s3.restart()
    assert list(backups.catalogue.complete()) == ["b01"]


@pytest.mark.parametrize("way", ["never", "always"])
def test_the_hash_of_a_segment_is_the_one_of_verification(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch, way
):
    monkeypatch.setenv("FERRY_NATIVE", way)
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}one")
    produce(stack.source_bootstrap, topic, [{"key": None, "value": b"", "headers": [("h", None)], "timestamp": 5}])
    done = backups.export(backups.begin("b01"))
    (segment,) = done.topics[0].partitions[0].segments
    assert segment.fingerprint
    assert int(segment.fingerprint["sum"], 16) == record_hash(5, [("h", None)], None, b"")
