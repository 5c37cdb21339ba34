"""Which backup a run means, and when it has nothing to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import true_manifests
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, State, TopicBackup
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.backup.store.job import BackupJob
from kafka_ferry.jobs.backup.store.transfer import Transferred
from kafka_ferry.records.damage import DamagedSegment

NIGHT = datetime(2026, 11, 20, 2, tzinfo=UTC)


def job(folder: Path, kind: str = "backfill", logical_date: datetime | None = NIGHT) -> BackupJob:
    run = SimpleNamespace(run_type=kind, logical_date=logical_date, run_after=NIGHT + timedelta(minutes=1))
    return BackupJob(BackupSpec(backup="b", location=f"file://{folder}"), run)


def write(one: BackupJob, backup_id: str, created: datetime, **about: Any) -> None:
    manifest = {
        "backup": "b", "backup_id": backup_id, "state": State.COMPLETE, "mode": "full", "cluster_id": "c",
        "created": created.isoformat(), "topics": [TopicBackup(name="t", topic_id="i", replication_factor=1)], **about,
    }  # fmt: skip
    one.catalogue.write(Manifest(**manifest))


def test_the_id_is_the_logical_date_or_when_it_was_asked_for(tmp_path: Path) -> None:
    assert job(tmp_path).backup_id == "20261120T020000Z"
    assert job(tmp_path, "manual", None).backup_id == "20261120T020100Z"


@pytest.mark.parametrize(("kind", "covered"), [("backfill", True), ("scheduled", True), ("manual", False)])
def test_nights_are_covered_but_what_is_asked_for_by_hand_is_done(
    tmp_path: Path, kind: str, covered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = job(tmp_path, kind)
    lacking: list[str | None] = [None]
    monkeypatch.setattr(KafkaSurvey, "of", lambda cluster: "the cluster")
    monkeypatch.setattr("kafka_ferry.jobs.backup.store.job.lacks_records_of", lambda *_: lacking[0])
    assert one.covered(["t"], "c") is None
    write(one, "later", NIGHT + timedelta(hours=3))
    assert (one.covered(["t"], "c") is not None) is covered
    assert one.covered(["t", "new"], "c") is None
    lacking[0] = "t-0: offsets 5 to 9"  # its clock was ahead: the cluster has records of the interval beyond its end
    assert one.covered(["t"], "c") is None


def test_a_night_that_began_its_own_goes_on_with_it(tmp_path: Path) -> None:
    one = job(tmp_path)
    write(one, "later", NIGHT + timedelta(hours=3))
    write(one, one.backup_id, NIGHT, state=State.IN_PROGRESS)
    assert one.covered(["t"], "c") is None
    assert one.manifest.state is State.IN_PROGRESS


def test_without_a_manifest_the_cure_is_named(tmp_path: Path) -> None:
    with pytest.raises(FerryError, match="clear freeze"):
        _ = job(tmp_path).manifest


def test_nothing_is_left_to_export_of_what_is_complete_and_a_verdict_goes_with_its_backup(tmp_path: Path) -> None:
    one = job(tmp_path)
    for day in (1, 2):
        write(one, str(day), NIGHT + timedelta(days=day))
        one.catalogue.note_verdict(str(day), "content", "PASS", NIGHT.isoformat())
    manifest = one.catalogue.read("1")
    assert manifest is not None
    assert one.catalogue.ranges_left(manifest) == []
    one.catalogue.delete(one.catalogue.pruning(1, None, NIGHT + timedelta(days=9)))
    assert one.catalogue.verdicts().keys() == one.catalogue.complete().keys() == {"2"}


def far(folder: Path, copy_to: str) -> BackupJob:
    run = SimpleNamespace(run_type="manual", logical_date=NIGHT, run_after=NIGHT)
    params = {"backup": "b", "location": f"file://{folder}/near", "copy_to": copy_to}
    return BackupJob(BackupSpec.from_params(params), run)


def test_a_copy_has_the_objects_first_and_is_not_made_twice(tmp_path: Path) -> None:
    one = far(tmp_path, f"file://{tmp_path}/far")
    data = b"records"
    part = true_manifests.segment(0, 1, data, topic_id="i")
    parts = [PartitionBackup(partition=0, begin=0, end=1, segments=[part])]
    write(
        one, one.backup_id, NIGHT, topics=[TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=parts)]
    )
    one.store.put(part.key or "", b"recordz")
    with pytest.raises(DamagedSegment, match="SHA-256"):
        one.bring_copy()
    assert one.copy is not None
    assert list(one.copy.store.list()) == [], "neither the object nor the manifest"
    one.store.put(part.key or "", data)
    assert one.bring_copy() == Transferred(1, len(data))
    assert one.copy.complete() == one.catalogue.complete()
    assert one.bring_copy() == Transferred()


def test_a_copy_onto_itself_or_to_no_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParam, match="param 'copy_to' is the location of the backups"):
        far(tmp_path, f"file://{tmp_path}/near/")
    with pytest.raises(BadParam, match="param 'copy_to': 'nowhere' is not a location"):
        far(tmp_path, "nowhere").look_at_copy()
