"""Backups in a bucket with object lock, by a double of S3: what may not go stays whole, and is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import true_manifests
from kafka_ferry.hooks.objects.store import S3Store
from kafka_ferry.jobs.backup.rules.layout import manifest_key
from kafka_ferry.jobs.backup.rules.manifest import State
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.backup.store import planning
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.tasks.backup import PruneOperator
from locked_bucket import LockedBucket
from tasks_by_hand import TasksByHand

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SETTINGS = {"region_name": "us-east-1", "aws_access_key_id": "me", "aws_secret_access_key": "S3CRET-KEY"}


@dataclass
class Lab:
    """A full backup "1", "2" that goes on from it, and a newer full one, "3"."""

    catalogue: Catalogue
    bucket: LockedBucket

    @classmethod
    def made(cls, **bucket: Any) -> Lab:
        store = S3Store("s3://shop/x", SETTINGS, patience=0)
        lab = cls(Catalogue(store, "b"), LockedBucket(store._client, **bucket))
        for number, begin, end, about in (("1", 0, 10, {}), ("2", 10, 20, {"parent": "1"}), ("3", 0, 30, {})):
            segment = true_manifests.stored(store, begin, [number.encode()] * (end - begin))
            done = true_manifests.manifest(number, segment, created=f"2026-11-2{number}T02:00:00+00:00", **about)
            lab.catalogue.write(done.model_copy(update={"state": State.IN_PROGRESS}))
            lab.catalogue.write(done)  # in place of the one before, as finish does
        return lab

    def key(self, number: str) -> str:
        """Of its object, as the bucket has it."""
        manifest = self.catalogue.read(number)
        assert manifest
        return f"x/{next(iter(manifest.keys()))}"

    def manifest(self, number: str) -> str:
        return f"x/{manifest_key('b', number)}"

    def whole(self) -> set[str]:
        """Backups whose manifests can be read, each with all of its objects and parents there."""
        found = set()
        for backup_id in self.catalogue.complete():
            for manifest in self.catalogue.chain(backup_id):
                assert all(self.catalogue.store.size(key) is not None for key in manifest.keys()), backup_id  # noqa: SIM118
            found.add(backup_id)
        return found


def test_what_is_locked_stays_until_its_date_and_is_named_with_it() -> None:
    lab = Lab.made(mode="COMPLIANCE", days=30)
    assert len(lab.bucket.versions[lab.manifest("1")]) == 2, "a manifest is replaced by a version"
    pruning = lab.catalogue.pruning(1, None, NOW)
    assert (pruning.delete, pruning.keys, set(pruning.locked)) == ((), frozenset(), {"1", "2"})
    until = lab.bucket.versions[lab.manifest("2")][-1]["until"]  # type: ignore[index]
    assert pruning.locked["2"].startswith(f"COMPLIANCE until {until.isoformat(timespec='seconds')} (b/manifests/2.json")
    assert "and 1 more object" in pruning.locked["2"]
    assert lab.catalogue.delete(pruning) == {}
    assert lab.whole() == {"1", "2", "3"}

    lab.bucket.pass_days(31)
    pruning = lab.catalogue.pruning(1, None, NOW)
    assert (pruning.delete, pruning.locked) == (("2", "1"), {})
    assert lab.catalogue.delete(pruning) == {}
    assert lab.whole() == {"3"}
    assert lab.bucket.versions[lab.manifest("1")][-1] is None, "the bucket keeps the versions below a marker"


def test_a_legal_hold_on_one_object_keeps_its_backup_with_its_parents() -> None:
    lab = Lab.made(mode="GOVERNANCE", days=30)
    lab.bucket.pass_days(31)
    lab.bucket.hold(lab.key("2"))
    pruning = lab.catalogue.pruning(1, None, NOW)
    assert (pruning.delete, pruning.kept["1"]) == ((), "2 builds on it")
    assert pruning.locked == {"2": f"a legal hold ({lab.key('2').removeprefix('x/')})"}
    lab.bucket.hold(lab.key("2"), "OFF")
    assert lab.catalogue.pruning(1, None, NOW).delete == ("2", "1")


def test_a_manifest_that_may_not_go_keeps_all_that_it_needs() -> None:
    lab = Lab.made(mode=None)
    lab.bucket.denied = {lab.manifest("2")}
    kept = lab.catalogue.delete(lab.catalogue.pruning(1, None, NOW))
    assert kept == {"b/manifests/2.json": "AccessDenied Access Denied"}
    assert lab.whole() == {"1", "2", "3"}


def test_an_object_that_may_not_go_is_named_and_no_manifest_points_to_what_is_gone() -> None:
    lab = Lab.made(mode=None)
    lab.bucket.denied = {lab.key("1")}
    named = lab.key("1").removeprefix("x/")
    kept = lab.catalogue.delete(lab.catalogue.pruning(1, None, NOW))
    assert kept == {named: "AccessDenied Access Denied"}
    assert lab.whole() == {"3"}
    assert set(lab.catalogue.orphans()) == {named}, "verify_backup names it, too"


def test_a_lock_that_is_not_shown_is_met_when_it_refuses() -> None:
    """No right to see retention, at a store that refuses instead of keeping versions."""
    lab = Lab.made(mode="COMPLIANCE", days=30)
    lab.bucket.keeps_versions = lab.bucket.shows_locks = False
    pruning = lab.catalogue.pruning(1, None, NOW)
    assert pruning.delete == ("2", "1")
    kept = lab.catalogue.delete(pruning)
    assert list(kept) == ["b/manifests/2.json"]
    assert "protected by object lock" in kept["b/manifests/2.json"]
    assert lab.whole() == {"1", "2", "3"}


def test_where_nothing_is_locked_only_manifests_are_looked_at() -> None:
    lab = Lab.made(mode=None)
    lab.bucket.calls.clear()
    assert lab.catalogue.pruning(1, None, NOW).delete == ("2", "1")
    assert lab.bucket.calls.count("GetObjectLockConfiguration") == 1
    assert lab.bucket.calls.count("HeadObject") == 2
    lab.bucket.calls.clear()
    lab.catalogue.pruning(None, None, NOW)
    assert not {"GetObjectLockConfiguration", "HeadObject"} & set(lab.bucket.calls), "nothing would go"


@pytest.mark.parametrize("given", [{"Prefx": "x"}, {"Prefix": 1}])
def test_the_double_holds_requests_against_botocores_model(given: dict[str, Any]) -> None:
    lab = Lab.made(mode=None)
    with pytest.raises(Exception, match="Parameter validation failed"):
        lab.catalogue.store._client.list_objects_v2(Bucket="shop", **given)  # type: ignore[attr-defined]


def test_the_plan_and_the_task_name_what_is_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    lab = Lab.made(mode="COMPLIANCE", days=30)
    spec = BackupSpec(backup="b", location="s3://shop/x", keep_last=1)
    job = SimpleNamespace(spec=spec, catalogue=lab.catalogue, store=lab.catalogue.store, copy=None)
    notes = planning._pruning(job)  # type: ignore[arg-type]
    assert [note.split(" until ")[0] for note in notes] == [
        f"pruning keeps {number}, which is locked: COMPLIANCE" for number in ("2", "1")
    ]

    monkeypatch.setattr(PruneOperator, "job", lambda *_: job)
    run = TasksByHand("backup_topics", "r", "kafka_ferry", {})
    told = run.do(PruneOperator, "prune")
    assert (told["deleted"], told["locked"], told["not_deleted"]) == ([], 2, 0), "small, as it is an XCom"
    assert set(run.written("pruning.json")["locked"]) == {"1", "2"}
    assert lab.whole() == {"1", "2", "3"}

    lab.bucket.pass_days(31)
    lab.bucket.denied = {lab.key("1")}
    assert run.do(PruneOperator, "prune")["deleted"] == ["2", "1"]
    written = run.written("pruning.json")
    assert (written["locked"], list(written["not_deleted"].values())) == ({}, ["AccessDenied Access Denied"])
