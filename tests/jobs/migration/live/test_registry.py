"""A migration that carries schemas: planned, registered before the copy, taken back when killed, proven.

Registries are doubles of Confluent's (``registry_double.py``), which know mode IMPORT.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from glue_double import GlueDouble
from kafka_ferry.core.checks import Status
from kafka_ferry.core.finding import Severity
from kafka_ferry.exceptions import BadParam, FerryError, TransientError
from kafka_ferry.jobs.common.run_lock import acquire_lock, other_holder
from kafka_ferry.jobs.migration.live.registry import carrier_of, carry_what_came_since, registry_plan
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.tasks.engine import RemoveOperator
from kafka_ferry.jobs.registry.live import stage
from kafka_ferry.jobs.registry.live.carrier import SchemasCarrier
from kafka_ferry.jobs.registry.live.journal import IDS, SettingsJournal
from kafka_ferry.jobs.registry.live.stage import carry, registry_carried
from kafka_ferry.report.artifacts import RunArtifacts
from registry_double import RegistryDouble, serving

BOTH = {"source_registry_conn_id": "registry_source", "target_registry_conn_id": "registry_target"}
ORDER = '{"type":"record","name":"Order","fields":[]}'
Registries = tuple[RegistryDouble, RegistryDouble]


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Registries]:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    with serving(RegistryDouble()) as source, serving(RegistryDouble()) as target:
        for name, registry in (("SOURCE", source), ("TARGET", target)):
            connection = json.dumps({"conn_type": "http", "host": registry.url})
            monkeypatch.setenv(f"AIRFLOW_CONN_REGISTRY_{name}", connection)
        source.put("orders-value", ORDER, id=7)
        source.put("gone-value", '"int"', id=9)
        source.subjects["gone-value"][1].deleted = True
        yield source, target


@pytest.fixture
def alive() -> set[str]:
    """The runs that Airflow says are queued or running."""
    return {"one", "two"}


def context(run_id: str, alive: set[str]) -> Any:
    ti = SimpleNamespace(
        task_id="remove", map_index=-1, try_number=1,
        get_dr_count=lambda dag_id, run_ids, states: len(alive & set(run_ids)),
    )  # fmt: skip
    return {"dag_run": SimpleNamespace(dag_id="d", run_id=run_id), "ti": ti, "params": {}}


def spec(**more: object) -> MigrationSpec:
    return MigrationSpec.from_params({"topics": ["orders"], "migration": "m", **BOTH, "schema_ids": "keep", **more})


def carrier(**more: object) -> SchemasCarrier:
    found = carrier_of(spec(**more))
    assert found
    return found


def ids(registry: RegistryDouble) -> dict[str, list[int]]:
    return {subject: [one.id for one in versions.values()] for subject, versions in registry.subjects.items()}


def test_schemas_are_registered_with_their_ids_and_proven(registries: Registries, alive: set[str]) -> None:
    source, target = registries
    changes, findings, notes = registry_plan(spec())
    assert [(change.kind, change.name) for change in changes] == [
        ("schemas", "gone-value"),
        ("schemas", "orders-value"),
    ]
    assert [one for one in findings if one.severity is Severity.REFUSE] == []
    assert notes == ["schemas: 2 versions of 2 subjects at the source; 0 are at the target, 2 are registered, by "
                     "references, under the ids and versions they have, before the copy begins"]  # fmt: skip
    assert target.subjects == {}, "a plan changes nothing"

    assert carry(context("one", alive), carrier(), RunArtifacts("d", "one")).registered == 2
    assert carry(context("one", alive), carrier(), RunArtifacts("d", "one")).registered == 0

    assert ids(target) == ids(source)
    assert target.subjects["gone-value"][1].deleted
    assert target.mode == {"": "READWRITE"}
    assert registry_carried(carrier(), RunArtifacts("d", "one")).status is Status.PASS
    del target.subjects["orders-value"]
    check = registry_carried(carrier(), RunArtifacts("d", "one"))
    assert (check.name, check.status) == ("registry", Status.FAIL)
    assert "subjects: orders-value version 1" in check.differences


def test_ids_can_be_the_targets(registries: Registries, alive: set[str]) -> None:
    registries[1].put("other", '"float"')
    changes, findings, _ = registry_plan(spec(schema_ids="map"))
    assert len(changes) == 2
    assert any("fill an empty registry that knows IMPORT with schema_ids: keep" in str(one) for one in findings)

    carry(context("one", alive), carrier(schema_ids="map"), RunArtifacts("d", "one"))
    check = registry_carried(carrier(schema_ids="map"), RunArtifacts("d", "one"))

    assert check.status is Status.EXPLAINED
    assert ["", 7, 2] in (RunArtifacts("d", "one").read_json(IDS) or [])


def test_schemas_of_glue_are_mapped_and_nothing_else(
    registries: Registries, alive: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    glue = GlueDouble()
    uuid = glue.put("orders", ORDER)
    glue.use(monkeypatch, "glue_source", "glue_target")
    of_glue = {"source_registry_conn_id": "glue_source", "schema_ids": "map"}
    _, findings, _ = registry_plan(spec(**of_glue))
    assert {"mapped_ids": "schema_ids", "names_of_glue": "schema_ids"}.items() <= {
        one.code: one.param for one in findings
    }.items()

    carry(context("one", alive), carrier(**of_glue), RunArtifacts("d", "one"))
    assert registry_carried(carrier(**of_glue), RunArtifacts("d", "one")).status is Status.EXPLAINED
    assert RunArtifacts("d", "one").read_json(IDS) == [["", uuid, registries[1].subjects["orders"][1].id]]

    with pytest.raises(BadParam, match=r"'schema_ids' is keep, and 'glue_source' leads to AWS Glue.*schema_ids: map"):
        registry_plan(spec(source_registry_conn_id="glue_source"))
    with pytest.raises(BadParam, match="'target_registry_conn_id': leads to AWS Glue, which is read alone"):
        registry_plan(spec(target_registry_conn_id="glue_target"))


def test_a_clash_is_refused_with_the_cure(registries: Registries) -> None:
    registries[1].put("other", '"float"', id=7)
    (told,) = [str(one) for one in registry_plan(spec())[1] if one.severity is Severity.REFUSE]
    assert "uses id 7 for another schema" in told
    assert "carry the others by migrate_schemas and its param subjects, with schema_ids: none here" in told
    assert "use schema_ids: map" in told


def test_a_registry_that_is_still_empty_is_no_mistake(registries: Registries) -> None:
    registries[0].subjects.clear()
    assert registry_plan(spec())[:2] == ([], [])


def test_who_does_not_ask_for_it_asks_no_registry() -> None:
    assert registry_plan(spec(schema_ids="none")) == ([], [], [])
    assert carrier_of(ComparisonSpec.from_params({"topics": ["t"], **BOTH})) is None


@pytest.mark.parametrize("asked", ["keep", "map"])
def test_it_needs_both_registries(asked: str) -> None:
    nothing = dict.fromkeys(BOTH)
    with pytest.raises(BadParam, match=f"param 'schema_ids' is {asked}, but no registries are given.*schema_ids: none"):
        spec(**nothing, schema_ids=asked)
    with pytest.raises(BadParam, match="'schema_ids'"):
        spec(schema_ids="same")


def test_what_applications_register_during_the_copy_is_carried_before_it_is_proven(
    registries: Registries, alive: set[str]
) -> None:
    source, target = registries
    carry(context("one", alive), carrier(), RunArtifacts("d", "one"))
    source.put("new-value", '"bytes"', id=12)

    carry_what_came_since(context("one", alive), spec(), RunArtifacts("d", "one"))

    assert ids(target) == ids(source)
    target.put("theirs", '"null"', id=13)
    source.put("new-value", '"double"', id=13)
    carry_what_came_since(context("one", alive), spec(), RunArtifacts("d", "one"))
    assert registry_carried(carrier(), RunArtifacts("d", "one")).status is Status.FAIL
    carry_what_came_since(context("one", alive), spec(schema_ids="none"), RunArtifacts("d", "one"))


def test_other_runs_wait_and_may_begin_while_the_first_copies(
    registries: Registries, alive: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.time, "sleep", lambda _: None)
    acquire_lock(context("one", alive), carrier().shared_name)
    with pytest.raises(TransientError, match=r"run one is still registering schemas at 'registry_target'. Fix"):
        carry(context("two", alive), carrier(), RunArtifacts("d", "two"), seconds=0)
    assert registries[1].subjects == {}

    carry(context("one", alive), carrier(), RunArtifacts("d", "one"))
    assert other_holder(context("two", alive), carrier().shared_name) is None, "its copy takes days"
    assert carry(context("two", alive), carrier(), RunArtifacts("d", "two")).registered == 0


def test_the_teardown_takes_back_what_a_killed_task_left(
    registries: Registries, alive: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SchemasCarrier, "_register_kept", die)
        patch.setattr(SchemasCarrier, "take_back", lambda *_: 0)  # as a killed process has no end
        carry(context("one", alive), carrier(), RunArtifacts("d", "one"))
    assert "IMPORT" in registries[1].mode.values()
    assert SettingsJournal(RunArtifacts("d", "one")).open()["mode"]

    def dead(*_: Any) -> None:
        raise FerryError("no broker answers")

    monkeypatch.setattr(
        "kafka_ferry.jobs.migration.live.migration.migration_of", lambda *_: SimpleNamespace(spec=spec())
    )
    monkeypatch.setattr(RemoveOperator, "_remove", dead)
    with pytest.raises(FerryError, match="no broker answers"):
        RemoveOperator(task_id="remove").execute_task(context("one", alive))
    assert registries[1].mode == {"": "READWRITE"}
