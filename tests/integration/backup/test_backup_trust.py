"""A bucket that others write to, and clocks that are wrong: on a real S3 server and real brokers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from backup_lab import LOCATION, Backups
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.objects.errors import ObjectMissing
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.jobs.backup.rules.data_intervals import backup_id_of
from kafka_ferry.jobs.backup.rules.layout import journal_prefix
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.backup.store.freeze import begin_backup
from kafka_ferry.jobs.backup.store.job import BackupJob
from kafka_ferry.jobs.backup.store.transfer import transfer
from kafka_ferry.jobs.backup.store.verify import verify_segments

pytestmark = pytest.mark.integration

NIGHT = datetime(2026, 11, 20, 2, tzinfo=UTC)
YEARS = timedelta(days=3650)


@pytest.fixture
def backups(connections, topic_prefix) -> Backups:
    return Backups(topic_prefix)


def rewritten(backups: Backups, backup_id: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest as one does who may write to the bucket: with the digest that fits."""
    key = f"{backups.spec.backup}/manifests/{backup_id}.json"
    content = json.loads(backups.store.get(key))
    change(content)
    content.pop("sha256")
    proof = {"signature": content.pop("signature")} if "signature" in content else {}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    backups.store.put(key, json.dumps({"sha256": digest, **proof, **content}).encode())


def first_segment(content: dict[str, Any]) -> dict[str, Any]:
    return content["topics"][0]["partitions"][0]["segments"][0]


def test_a_manifest_that_points_elsewhere_is_refused_by_everybody_and_touches_nothing(
    backups, stack, topic_prefix, make_topics, produce, tmp_path
):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 10)
    backups.export(backups.begin("b01"))
    produce(stack.source_bootstrap, topic, 10)
    good = backups.export(backups.begin("b02", mode="full"))
    theirs = store_of(LOCATION, "aws_default")
    theirs.put(f"{topic_prefix}other/data/x", b"records")
    evil = b"print('mine')"
    about = {"size": len(evil), "sha256": hashlib.sha256(evil).hexdigest()}

    for key in ("../../dags/evil.py", f"{topic_prefix}other/data/x", "/tmp/evil.py"):  # never written
        rewritten(backups, "b01", lambda content, key=key: first_segment(content).update(about, key=key))
        manifests, (refused,) = backups.catalogue.manifests()
        assert list(manifests) == ["b02"]
        assert f"{topic}-0 offsets 0 to 9: its key {key!r} is not the key of its own object" in refused
        with pytest.raises(IncompleteBackup, match=r"Not read: .*b01.json: refused"):
            transfer(backups.store, store_of(f"file://{tmp_path}/far", None), backups.catalogue.chain("b01"))
        with pytest.raises(IncompleteBackup, match=r"Not read: .*b01.json: refused"):
            backups.restore_run(backup_id="b01").provision({})
        with pytest.raises(DamagedManifest, match="nothing is pruned"):
            backups.catalogue.pruning(1, None, datetime(2026, 11, 22, tzinfo=UTC))
        with pytest.raises(DamagedManifest, match=r"b01.json: refused"):
            backups.catalogue.orphans()
    assert not (tmp_path / "far").exists()
    assert theirs.get(f"{topic_prefix}other/data/x") == b"records"
    assert verify_segments(backups.store, [(t.name, p.partition, s) for t, p, s in good.segments()]) == []


def job(backups: Backups, tick: datetime) -> BackupJob:
    run = SimpleNamespace(run_type="scheduled", logical_date=tick, run_after=tick)
    about = {"location": LOCATION, "topics": backups.spec.topics, "groups": [], "acls": False}
    return BackupJob(BackupSpec(backup=backups.spec.backup, **about), run)


def night(backups: Backups, tick: datetime, clock: datetime | None = None) -> Manifest:
    """A run of ``backup_topics`` for a tick, on a machine whose clock says that time."""
    one = job(backups, tick)
    created = (clock or tick + timedelta(minutes=1)).isoformat()
    return backups.export(begin_backup(one.source.admin, one.catalogue, one.spec, one.backup_id, created))


@pytest.mark.parametrize("ahead", [YEARS, timedelta(days=1, hours=1)], ids=["2036", "tomorrow"])
def test_a_clock_that_was_ahead_covers_no_later_night_and_is_not_the_newest(
    backups, stack, topic_prefix, make_topics, produce, ahead
):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    day = timedelta(days=1)

    def records(when: datetime) -> None:
        at = int(when.timestamp() * 1000)
        produce(stack.source_bootstrap, topic, [{"value": b"%d" % n, "timestamp": at + n} for n in range(10)])

    records(NIGHT - day / 2)
    wrong = night(backups, NIGHT, NIGHT + ahead)
    records(NIGHT + day / 2)
    second = job(backups, NIGHT + day)
    cluster = second.source.admin.describe_cluster().cluster_id
    assert second.covered([topic], cluster) is None, "it lacks the records of that day"
    newest = night(backups, NIGHT + day)
    assert (newest.mode, newest.parent) == ("incremental", wrong.backup_id)
    assert newest.totals.records == 10

    assert list(backups.catalogue.complete()) == [wrong.backup_id, newest.backup_id]
    assert backups.catalogue.chain()[-1] == newest
    later = night(backups, NIGHT + 2 * day)  # nothing was written since
    assert (later.parent, later.follows, later.totals.records) == (newest.backup_id, newest.backup_id, 0)
    assert job(backups, NIGHT + day).covered([topic], cluster) is None, "it began its own"
    full = begin_backup(second.source.admin, second.catalogue, second.spec.model_copy(update={"mode": "full"}),
                        backup_id_of(NIGHT + 3 * day), (NIGHT + 3 * day).isoformat())  # fmt: skip
    full = backups.export(full)
    pruning = backups.catalogue.pruning(1, None, datetime.now(UTC))
    assert pruning.kept == {full.backup_id: "the newest"}
    backups.catalogue.delete(pruning)
    assert list(backups.catalogue.complete()) == [full.backup_id]
    assert full.totals.records == 20
    assert backups.hashes(full.topics) == backups.live(full.topics)


def test_a_night_is_covered_by_a_backup_that_holds_it(backups, stack, topic_prefix, make_topics, produce):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t", partitions=2)
    at = int(NIGHT.timestamp() * 1000)
    produce(stack.source_bootstrap, topic, [{"value": b"old", "timestamp": at - 9, "partition": n} for n in (0, 1)])
    made = night(backups, NIGHT + timedelta(days=3))
    produce(stack.source_bootstrap, topic, [{"value": b"new", "timestamp": at + 10**8, "partition": 0}])
    one = job(backups, NIGHT)
    covered = one.covered([topic], one.source.admin.describe_cluster().cluster_id)
    assert covered is not None
    assert covered.backup_id == made.backup_id


def test_the_object_of_an_unfinished_backup_outlives_another_ones_pruning_and_complete_needs_it(
    backups, stack, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 50)
    backups.export(backups.begin("b01"))
    slow = backups.begin("b02", mode="full")  # the same bytes under the same key
    order = backups.order(slow)
    from kafka_ferry.jobs.backup.store.process import run

    run([order])
    produce(stack.source_bootstrap, topic, 50)
    backups.export(backups.begin("b03", mode="full"))
    catalogue, now = backups.catalogue, datetime(2026, 11, 22, tzinfo=UTC)
    pruning = catalogue.pruning(1, None, now)
    assert (pruning.delete, pruning.keys) == (("b01",), frozenset())
    catalogue.delete(pruning)
    assert catalogue.ranges_left(slow) == []

    (key,) = [entry.key for entry in backups.store.list(f"{backups.spec.backup}/data/") if "-" in entry.key
              and entry.key not in catalogue.complete()["b03"].keys()]  # noqa: SIM118  # a method of ours  # fmt: skip
    backups.store.delete([key])
    with pytest.raises(IncompleteBackup, match=f"no longer exist, or have another size.*{key}"):
        catalogue.finish(slow, "2026-11-21T12:30:00+00:00")
    done = backups.export(slow)  # the retry
    assert done.totals.records == 50
    assert backups.hashes(done.topics) == {
        at: {offset: own for offset, own in hashes.items() if offset < 50}
        for at, hashes in backups.live(done.topics).items()
    }


def test_signed_backups_on_s3_are_restored_and_what_is_not_signed_is_refused(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch
):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    own = Ed25519PrivateKey.generate()
    pem = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = own.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for name, password in (("WRITER", pem.decode()), ("READER", public.decode()), ("OTHER", "x" * 32), ("BAD", "x")):
        monkeypatch.setenv(f"AIRFLOW_CONN_SIGN_{name}", json.dumps({"conn_type": "generic", "password": password}))

    def of(conn: str) -> BackupJob:
        run = SimpleNamespace(run_type="manual", logical_date=NIGHT, run_after=NIGHT)
        about = {"location": LOCATION, "topics": backups.spec.topics, "groups": [], "acls": False}
        return BackupJob(BackupSpec(backup=backups.spec.backup, signing_conn_id=conn, **about), run)

    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, 10)
    writer, reader = of("sign_writer"), of("sign_reader")
    manifest = begin_backup(writer.source.admin, writer.catalogue, writer.spec, writer.backup_id, NIGHT.isoformat())
    from kafka_ferry.jobs.backup.store.process import run

    run([{**backups.order(manifest, writer.order)}])
    assert list(backups.store.list(journal_prefix(backups.spec.backup, manifest.backup_id)))
    done = writer.catalogue.finish(manifest, NIGHT.isoformat())
    assert reader.catalogue.chain() == [done]
    with pytest.raises(IncompleteBackup, match="a key that is not in the accepted keys"):
        of("sign_other").catalogue.chain()
    with pytest.raises(BadConnection, match=r"sign_bad.*32 random bytes"):
        _ = of("sign_bad").catalogue
    with pytest.raises(BadConnection, match="connection 'sign_none' does not exist"):
        _ = of("sign_none").catalogue
    with pytest.raises(BadConnection, match="the private key"):
        reader.catalogue.write(done)

    rewritten(backups, done.backup_id, lambda content: content.update(created="2026-11-20T03:00:00+00:00"))
    with pytest.raises(IncompleteBackup, match="refused, it was altered"):
        reader.catalogue.chain()
    with pytest.raises(DamagedManifest, match="nothing is pruned"):
        reader.catalogue.pruning(1, None, datetime.now(UTC))
    following = begin_backup(writer.source.admin, writer.catalogue, writer.spec, "20261121T020000Z", NIGHT.isoformat())
    assert (following.mode, following.parent) == ("full", None), "an altered one is nobody's parent"
    with pytest.raises(ObjectMissing):
        backups.store.get(f"{backups.spec.backup}/manifests/none.json")
