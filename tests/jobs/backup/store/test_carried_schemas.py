"""Schemas from a registry into a backup, and from there to a registry by a restore.

Registries are doubles of Confluent's (``registry_double.py``), which know mode IMPORT; real ones are in
``tests/integration/backup``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import true_manifests
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Severity
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.hooks.registry.hook import RegistryError
from kafka_ferry.jobs.backup.rules.manifest import Manifest, SchemasPart
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec
from kafka_ferry.jobs.backup.store import restore_job
from kafka_ferry.jobs.backup.store.around import look_around
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.restore_job import RestoreJob
from kafka_ferry.jobs.backup.store.schemas import check_schemas, keep_schemas
from kafka_ferry.jobs.backup.tasks.restore import ReleaseOperator
from kafka_ferry.jobs.registry.live.carrier import SchemasCarrier
from kafka_ferry.jobs.registry.live.journal import IDS, SettingsJournal
from kafka_ferry.jobs.registry.live.stage import registry_carried
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.report.artifacts import RunArtifacts
from registry_double import RegistryDouble, serving

ORDER = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}'
LINE = '{"type":"record","name":"Line","namespace":"shop","fields":[{"name":"order","type":"Order"}]}'


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def catalogue(store: FolderStore) -> Catalogue:
    return Catalogue(store, "b")


def backup(catalogue: Catalogue, schemas: SchemasPart | None) -> Manifest:
    """Written, with its records."""
    made = true_manifests.manifest("1", true_manifests.stored(catalogue.store, 0, [b"v"] * 10), schemas=schemas)
    catalogue.write(made)
    return made


def part_of(manifest: Manifest) -> SchemasPart:
    assert manifest.schemas
    return manifest.schemas


def checked(catalogue: Catalogue) -> Check:
    return check_schemas(catalogue.store, catalogue.complete().values(), why_none="none asked for")[0]


# --- read of a registry -----------------------------------------------------------------------------------------------


def named(monkeypatch: pytest.MonkeyPatch, conn_id: str, registry: RegistryDouble) -> None:
    fields = {"conn_type": "http", "host": registry.url, "extra": {"timeout": 5}}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryDouble]:
    with serving(RegistryDouble()) as registry:
        registry.put("orders-value", ORDER, id=11)
        registry.put("lines-value", LINE, references=[{"name": "Order", "subject": "orders-value", "version": 1}], id=3)
        registry.put(":.eu:orders-value", '"long"', id=11)
        registry.put("gone-value", '"int"', id=30)
        registry.put("gone-value", '"bytes"', id=31)
        registry.subjects["gone-value"][1].deleted = True
        registry.compatibility["orders-value"] = "FULL"
        registry.mode["lines-value"] = "READONLY"
        named(monkeypatch, "registry_source", registry)
        yield registry


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RegistryDouble]:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    with serving(RegistryDouble()) as registry:
        named(monkeypatch, "registry_target", registry)
        yield registry


def backed_up(catalogue: Catalogue) -> Manifest:
    spec = BackupSpec(backup="b", location="s3://b/x", quotas=False, registry_conn_id="registry_source")
    around = look_around(SimpleNamespace(), spec)  # type: ignore[arg-type]
    assert around.schemas
    keep_schemas(catalogue.store, around.schemas, around.packed)
    return backup(catalogue, around.schemas)


def test_a_backup_holds_all_of_a_registry(catalogue: Catalogue, source: RegistryDouble) -> None:
    manifest = backed_up(catalogue)

    assert (part_of(manifest).subjects, part_of(manifest).versions) == (4, 5)
    assert checked(catalogue).status is Status.PASS
    assert part_of(backed_up(catalogue)) == part_of(manifest), "nothing changed"
    source.put("orders-value", '"double"')
    assert part_of(backed_up(catalogue)) != part_of(manifest)


def test_a_registry_that_is_none_is_not_left_out_in_silence(catalogue: Catalogue, source: RegistryDouble) -> None:
    source.raw["/subjects"] = b"<html>"
    with pytest.raises(RegistryError, match="Is this the Confluent API"):
        backed_up(catalogue)


# --- restored ---------------------------------------------------------------------------------------------------------


def restore(catalogue: Catalogue, manifest: Manifest, **params: Any) -> RestoreJob:
    spec = RestoreSpec.from_params({
        "backup": "b", "location": "s3://b/x", "target_registry_conn_id": "registry_target", **params,
    })  # fmt: skip
    job = RestoreJob(spec)
    job.store = catalogue.store
    job.restore_run = SimpleNamespace(manifest=manifest, release=lambda _: [])  # type: ignore[assignment]
    return job


def carrier_of(job: RestoreJob) -> SchemasCarrier:
    assert job.carrier
    return job.carrier


def held(registry: RegistryDouble) -> dict[tuple[str, int], tuple[int, str, bool]]:
    return {
        (subject, number): (version.id, version.schema["schema"], version.deleted)
        for subject, versions in registry.subjects.items()
        for number, version in versions.items()
    }


def test_a_registry_comes_back_with_its_ids(
    catalogue: Catalogue, source: RegistryDouble, target: RegistryDouble
) -> None:
    manifest, before = backed_up(catalogue), held(source)
    source.subjects.clear()  # it is lost
    job, artifacts = restore(catalogue, manifest), RunArtifacts("restore_topics", "r")

    changes, findings = restore_job._schemas(job)
    assert not [one for one in findings if one.severity is Severity.REFUSE]
    assert {change.name for change in changes if change.kind == "schemas"} == {key[0] for key in before}
    assert held(target) == {}, "a plan changes nothing"
    carrier_of(job).apply(SettingsJournal(artifacts))
    check = registry_carried(carrier_of(restore(catalogue, manifest)), artifacts)

    assert held(target) == before
    assert (check.name, check.status) == ("registry", Status.PASS)
    assert target.mode == {"": "READWRITE", "lines-value": "READONLY"}, "none is left in IMPORT"
    assert target.compatibility == source.compatibility
    again = restore(catalogue, manifest)
    assert restore_job._schemas(again)[0] == []


def test_ids_can_be_the_targets(catalogue: Catalogue, source: RegistryDouble, target: RegistryDouble) -> None:
    target.put("other", '"float"')
    manifest, artifacts = backed_up(catalogue), RunArtifacts("restore_topics", "r")
    job = restore(catalogue, manifest, schema_ids="map")

    assert any("schema_ids: keep" in str(finding) for finding in restore_job._schemas(job)[1])
    carrier_of(job).apply(SettingsJournal(artifacts))
    check = registry_carried(carrier_of(restore(catalogue, manifest, schema_ids="map")), artifacts)

    assert check.status is Status.EXPLAINED
    assert "schema_ids: map was asked for" in check.detail
    assert artifacts.read_json(IDS)
    assert {key[0] for key in held(target)} == {"other", *source.subjects}


def test_only_some_subjects_come_with_what_they_refer_to(
    catalogue: Catalogue, source: RegistryDouble, target: RegistryDouble
) -> None:
    job = restore(catalogue, backed_up(catalogue), subjects=["lines-.*"])
    carrier_of(job).apply(SettingsJournal(RunArtifacts("restore_topics", "r")))
    assert set(target.subjects) == {"lines-value", "orders-value"}


def refusals(job: RestoreJob) -> list[str]:
    return [str(one) for one in restore_job._schemas(job)[1] if one.severity is Severity.REFUSE]


def test_a_plan_refuses_what_clashes_and_names_the_param(
    catalogue: Catalogue, source: RegistryDouble, target: RegistryDouble
) -> None:
    manifest = backed_up(catalogue)
    target.put("unknown", '"null"', id=3)
    target.put("orders-value", '"null"', id=99)

    told = refusals(restore(catalogue, manifest))

    assert len(told) == 2
    assert any("id 3" in one and "in the backup" in one and "use schema_ids: map" in one for one in told)
    assert refusals(restore(catalogue, manifest, subjects=[":.eu:.*"])) == []
    target.modes = False
    (one,) = refusals(restore(catalogue, manifest, subjects=["gone-.*"]))
    assert "knows no modes" in one


def test_a_registry_with_a_hole_is_refused_until_the_subject_is_left_out(
    catalogue: Catalogue, source: RegistryDouble, target: RegistryDouble
) -> None:
    del source.subjects["orders-value"]
    manifest = backed_up(catalogue)
    assert checked(catalogue).status is Status.EXPLAINED
    (told,) = refusals(restore(catalogue, manifest))
    assert "refers to orders-value version 1, which the backup does not have" in told
    assert refusals(restore(catalogue, manifest, subjects=["gone-.*"])) == []


def test_a_backup_without_schemas_cannot_give_any(catalogue: Catalogue, target: RegistryDouble) -> None:
    with pytest.raises(BadParam, match="'target_registry_conn_id' is given, but the backup holds no schemas"):
        restore_job._schemas(restore(catalogue, backup(catalogue, None)))


def test_damaged_schemas_are_not_registered(
    catalogue: Catalogue, source: RegistryDouble, target: RegistryDouble
) -> None:
    manifest = backed_up(catalogue)
    catalogue.store.put(part_of(manifest).key, b"x")
    with pytest.raises(DamagedSegment, match="SHA-256"):
        restore_job._schemas(restore(catalogue, manifest))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"target_registry_conn_id": None, "subjects": ["a"]}, "'subjects' is given, but target_registry_conn_id"),
        ({"schema_ids": "same"}, "schema_ids"),
        ({"subjects": ["("]}, "subjects"),
        ({"subjects": []}, "subjects"),
    ],
)
def test_bad_params_are_refused(catalogue: Catalogue, params: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParam, match=said):
        restore(catalogue, backup(catalogue, None), **params)


def test_release_takes_back_what_a_killed_task_left_even_when_the_cluster_does_not_answer(
    catalogue: Catalogue, source: RegistryDouble, target: RegistryDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, artifacts = restore(catalogue, backed_up(catalogue)), RunArtifacts("restore_topics", "r")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SchemasCarrier, "_register_kept", die)
        patch.setattr(SchemasCarrier, "take_back", lambda *_: 0)  # as a killed process has no end
        carrier_of(job).apply(SettingsJournal(artifacts))
    assert "IMPORT" in target.mode.values()

    def away(_: Any) -> list[str]:
        raise FerryError("no broker answers")

    job.restore_run.release = away  # type: ignore[method-assign]
    artifacts.write_json("held_configs.json", {"t": {}})
    monkeypatch.setattr("kafka_ferry.jobs.backup.tasks.restore.put_back", lambda run, _: run.release({}))
    monkeypatch.setattr(restore_job, "restore_job", lambda _: job)
    ti = SimpleNamespace(task_id="release", map_index=-1, try_number=1)
    context: Any = {"dag_run": SimpleNamespace(dag_id="restore_topics", run_id="r"), "params": {}, "ti": ti}
    with pytest.raises(FerryError, match="no broker answers"):
        ReleaseOperator(task_id="release").execute_task(context)
    assert target.mode == {"": "READWRITE"}
