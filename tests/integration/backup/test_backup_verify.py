"""The deep check without a cluster, and pruning, on a real S3 server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backup_lab import LOCATION, Backups
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup
from kafka_ferry.jobs.backup.store.process import run, store_order
from kafka_ferry.jobs.backup.store.verify import structure_damage, verify_segments

pytestmark = pytest.mark.integration


@pytest.fixture
def backups(connections, topic_prefix) -> Backups:
    return Backups(topic_prefix)


def lines(manifest):
    return [(topic.name, partition.partition, segment) for topic, partition, segment in manifest.segments()]


@pytest.mark.parametrize("way", ["never", "always"])
def test_each_kind_of_damage_is_named_by_object_and_offsets(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch, way
):
    monkeypatch.setenv("FERRY_NATIVE", way)
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t", partitions=4)
    for partition in range(4):
        own = [{"key": b"%d" % n, "value": b"v" * 100, "partition": partition} for n in range(500)]
        produce(stack.source_bootstrap, topic, own)
    done = backups.export(backups.begin("b01"))
    assert structure_damage(done) == []
    assert verify_segments(backups.store, lines(done)) == []

    store, keys = backups.store, {partition: segment.key for _, partition, segment in lines(done)}
    flipped = bytearray(store.get(keys[0]))
    flipped[len(flipped) // 2] ^= 4
    store.put(keys[0], bytes(flipped))
    store.put(keys[1], store.get(keys[1])[:-10])
    store.delete([keys[2]])

    order = {
        "kind": "verify",
        "store": store_order(LOCATION, store_settings("aws_default")),
        "segments": [(name, partition, segment.model_dump(mode="json")) for name, partition, segment in lines(done)],
    }
    damage = {one["partition"]: one for one in run([order])[0]["damage"]}

    assert damage.keys() == {0, 1, 2}, "the fourth is whole"
    assert {one["key"] for one in damage.values()} == {keys[0], keys[1], keys[2]}
    assert all((one["topic"], one["begin"], one["end"]) == (topic, 0, 500) for one in damage.values())
    assert "SHA-256" in damage[0]["problem"]
    assert "were written" in damage[1]["problem"]
    assert "missing" in damage[2]["problem"]


@pytest.mark.parametrize("way", ["never", "always"])
def test_a_manifest_that_claims_other_records_is_found(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch, way
):
    monkeypatch.setenv("FERRY_NATIVE", way)
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 10)
    done = backups.export(backups.begin("b01"))
    ((name, partition, segment),) = lines(done)
    assert segment.fingerprint
    wrong = [
        segment.model_copy(update={"records": 11}),
        segment.model_copy(update={"begin": 1}),
        segment.model_copy(update={"fingerprint": {**segment.fingerprint, "sum": "0" * 16}}),
    ]
    damage = verify_segments(backups.store, [(name, partition, one) for one in wrong])
    found = [one.problem for one in damage]
    assert ["11" in found[0], "outside its range" in found[1], "differs from the manifest's" in found[2]] == [True] * 3
    part = done.topics[0].partitions[0].model_copy(update={"end": 12})
    torn = done.model_copy(update={"topics": [done.topics[0].model_copy(update={"partitions": [part]})]})
    (hole,) = structure_damage(torn)
    assert (hole.begin, hole.end) == (10, 12)


def test_pruning_deletes_what_nobody_needs_and_nothing_when_in_doubt(
    backups, stack, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    done = {}
    for number, mode in enumerate(("full", "incremental", "full", "incremental"), start=1):
        produce(stack.source_bootstrap, topic, 10)
        done[number] = backups.export(backups.begin(f"b0{number}", mode=mode))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    catalogue = backups.catalogue

    pruning = catalogue.pruning(1, None, now)
    assert pruning.delete == ("b02", "b01")
    assert catalogue.complete().keys() == {"b01", "b02", "b03", "b04"}, "a look changes nothing"
    catalogue.delete(pruning)

    assert catalogue.complete().keys() == {"b03", "b04"}
    assert verify_segments(backups.store, [*lines(done[3]), *lines(done[4])]) == []
    assert len(verify_segments(backups.store, [*lines(done[1]), *lines(done[2])])) == 2
    assert catalogue.orphans() == {}
    assert sum(topic.partitions[0].records for topic in done[3].topics) == 30
    with pytest.raises(IncompleteBackup, match="has no 'b01'; did you mean"):
        catalogue.chain("b01")

    key = f"{done[3].backup}/manifests/b03.json"
    backups.store.put(key, backups.store.get(key).replace(b'"records": 30', b'"records": 31'))
    assert catalogue.complete().keys() == {"b04"}
    with pytest.raises(IncompleteBackup, match="'b03', on which 'b04' builds"):
        catalogue.chain()
    with pytest.raises(DamagedManifest, match="nothing is pruned"):
        catalogue.pruning(1, None, now)
