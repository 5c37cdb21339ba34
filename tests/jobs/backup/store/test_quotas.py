"""Client quotas of a backup: noted, and set again by a restore that is asked to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.quotas import Quota
from kafka_ferry.exceptions import BadParam, NotAuthorized, NotSupported, TransientError
from kafka_ferry.jobs.backup.rules.judge import quotas_check
from kafka_ferry.jobs.backup.rules.manifest import EntityQuotas, Manifest
from kafka_ferry.jobs.backup.rules.quotas import by_entity, quotas_of
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec
from kafka_ferry.jobs.backup.store import around, restore_job
from kafka_ferry.jobs.backup.store.around import Around, look_around
from kafka_ferry.jobs.backup.store.restore_job import RestoreJob
from kafka_ferry.jobs.common import quotas as common

HELD = Quota.of({"user": "app"}, "producer_byte_rate", 1000.0)
TIME = Quota.of({"user": "app"}, "request_percentage", 12.5)
EVERYBODY = Quota.of({"user": None, "client-id": "é c%"}, "consumer_byte_rate", 5.0)
ALL = [HELD, TIME, EVERYBODY]
NOTED = by_entity(ALL)


class Cluster:
    """A cluster's quotas and nothing else."""

    def __init__(self, *there: Quota) -> None:
        self.there, self.refused = list(there), list[str]()
        self.fault: Exception | None = None

    def quotas(self) -> list[Quota]:
        if self.fault:
            raise self.fault
        return list(self.there)

    def set_quotas(self, wanted: list[Quota], *, validate_only: bool = False) -> list[str]:
        if not validate_only and not self.refused:
            places = {quota.place for quota in wanted}
            self.there = [one for one in self.there if one.place not in places] + wanted
        return self.refused


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    for module in (around, restore_job, common):
        monkeypatch.setattr(module, "KafkaQuotas", SimpleNamespace(of=lambda _: made))
    return made


def manifest(*quotas: EntityQuotas, **more: Any) -> Manifest:
    return Manifest(
        backup="b", backup_id="1", mode="full", created="2026-11-21T02:00:00+00:00", cluster_id="c",
        quotas=list(quotas), **more,
    )  # fmt: skip


def restore(*quotas: EntityQuotas) -> RestoreJob:
    job = RestoreJob(RestoreSpec(backup="b", location="s3://b/x", quotas="copy"))
    job.restore_run = SimpleNamespace(manifest=manifest(*quotas))  # type: ignore[assignment]
    return job


# --- in the manifest --------------------------------------------------------------------------------------------------


def test_they_are_by_entity_and_come_back_as_they_were() -> None:
    assert [one.values for one in NOTED if one.entity == {"user": "app"}] == [
        {"producer_byte_rate": 1000.0, "request_percentage": 12.5}
    ]
    assert by_entity(reversed(ALL)) == NOTED
    read = Manifest.from_bytes(manifest(*NOTED).to_bytes(), "b/manifests/1.json")
    assert sorted(map(str, quotas_of(read.quotas))) == sorted(map(str, ALL))
    assert set(quotas_of(read.quotas)) == set(ALL)


def test_a_manifest_without_any_has_the_bytes_it_had() -> None:
    assert b"quotas" not in manifest().to_bytes()


def test_a_backup_notes_them_where_it_is_asked_to(cluster: Cluster) -> None:
    cluster.there = ALL
    spec = BackupSpec(backup="b", location="s3://b/x")

    found = look_around(SimpleNamespace(), spec)  # type: ignore[arg-type]

    assert (found.quotas, found.notes) == (NOTED, ())
    assert look_around(SimpleNamespace(), spec.model_copy(update={"quotas": False})) == Around()  # type: ignore[arg-type]
    made = manifest(*NOTED)
    assert (quotas_check(made, asked=True).status, quotas_check(made, asked=True).actual) == (Status.PASS, "3")
    assert quotas_check(manifest(), asked=True).actual == "there are none"
    assert quotas_check(manifest(), asked=False).detail == "param quotas is off"


@pytest.mark.parametrize("fault", [NotSupported("s: too old"), NotAuthorized("s: not allowed. Fix: grant it")])
def test_what_may_not_be_read_is_said_and_holds_no_backup_back(cluster: Cluster, fault: Exception) -> None:
    cluster.fault = fault

    found = look_around(SimpleNamespace(), BackupSpec(backup="b", location="s3://b/x"))  # type: ignore[arg-type]

    assert found.notes == [f"client quotas are not in this backup: {fault}"]
    check = quotas_check(manifest(notes=list(found.notes)), asked=True)
    assert (check.status, check.detail) == (Status.SKIPPED, found.notes[0])
    cluster.fault = TransientError("s: away")
    with pytest.raises(TransientError):
        look_around(SimpleNamespace(), BackupSpec(backup="b", location="s3://b/x"))  # type: ignore[arg-type]


# --- restored ---------------------------------------------------------------------------------------------------------


def test_a_restore_plans_and_sets_what_differs_and_takes_none_away(cluster: Cluster) -> None:
    kept = Quota.of({"ip": "10.0.0.1"}, "connection_creation_rate", 3.0)
    cluster.there = [kept, Quota.of({"user": "app"}, "producer_byte_rate", 9.0)]
    job = restore(*NOTED)

    assert [(change.action.value, change.name) for change in job.quotas_to_set().changes()] == [
        ("create", str(EVERYBODY)), ("create", str(TIME)), ("update", str(HELD)),
    ]  # fmt: skip
    assert len(cluster.there) == 2, "a plan changes nothing"
    for _ in range(2):
        check = job.set_quotas()
        assert (check.status, check.expected, check.actual) == (
            Status.EXPLAINED,
            "3 quotas, as in the backup",
            "3 there",
        )
        assert check.differences == [f"only on the target, and kept: {kept}"]
    assert set(cluster.there) == {kept, *ALL}


def test_a_plan_refuses_what_cannot_be(cluster: Cluster) -> None:
    with pytest.raises(BadParam, match=r"'quotas' is copy, but the backup holds no client quotas.*quotas: none"):
        restore().quotas_to_set()
    cluster.refused = ["user app: no such rate"]
    with pytest.raises(BadParam, match=r"'quotas' is copy, but the target refuses user app: no such rate.*none"):
        restore(*NOTED).quotas_to_set()
    cluster.fault = NotSupported("t: its brokers tell no quotas")
    with pytest.raises(BadParam, match="'quotas' is copy, but t: its brokers tell no quotas"):
        restore(*NOTED).quotas_to_set()


def test_what_is_not_taken_is_a_fail(cluster: Cluster) -> None:
    cluster.refused = ["user app: no"]
    check = restore(*NOTED).set_quotas()
    assert (check.status, check.differences[0]) == (Status.FAIL, "user app: no")
    cluster.fault = NotAuthorized("t: not any more")
    check = restore(*NOTED).set_quotas()
    assert (check.status, check.detail) == (Status.FAIL, "t: not any more")
