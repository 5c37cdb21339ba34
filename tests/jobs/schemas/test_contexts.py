"""Contexts (``:.name:subject``) in ``migrate_schemas``, between doubles of Confluent's registry.

No registry of the stack knows them (``registry_double.py``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.schemas.live import migration as live
from registry_double import RegistryDouble, guid_of, serving
from schemas_by_hand import SchemasRun

ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
LINE = '{"type":"record","name":"Line","fields":[{"name":"order","type":"Order"}]}'


def reference(subject: str, version: int = 1) -> dict[str, Any]:
    return {"name": "Order", "subject": subject, "version": version}


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[RegistryDouble, RegistryDouble]]:
    """The source has ``orders`` in two contexts and in the default one, each another schema with the same id, and
    ``lines`` in two that refer to that of their own, one to it by its qualified name."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    with serving(RegistryDouble()) as source, serving(RegistryDouble()) as target:
        for name, registry in (("SOURCE", source), ("TARGET", target)):
            fields = json.dumps({"conn_type": "http", "host": registry.url, "extra": {"timeout": 5}})
            monkeypatch.setenv(f"AIRFLOW_CONN_REGISTRY_{name}", fields)
        for context, kind in (("", "long"), (":.eu:", "int"), (":.us:", "string")):
            source.put(f"{context}orders", ORDER.replace("long", kind), id=11)
        source.put(":.eu:lines", LINE, references=[reference("orders")], id=4)
        source.put(":.us:lines", LINE, references=[reference(":.us:orders")], id=5)
        source.put("both", LINE, references=[reference(":.eu:orders")], id=6)
        source.compatibility[":.eu:orders"] = "FULL"
        source.mode[":.us:orders"] = "READONLY"
        yield source, target


def run(name: str = "one", **more: Any) -> SchemasRun:
    return SchemasRun(name, **{
        "source_registry_conn_id": "registry_source", "target_registry_conn_id": "registry_target",
        "subjects": [".*"], "ids": "keep", "deleted": False, "dry_run": False, **more,
    })  # fmt: skip


def held(registry: RegistryDouble) -> dict[tuple[str, int], tuple[int, dict[str, Any]]]:
    return {
        (subject, number): (version.id, version.schema)
        for subject, versions in registry.subjects.items()
        for number, version in versions.items()
    }


def test_contexts_are_kept_with_their_ids_references_and_settings(
    registries: tuple[RegistryDouble, RegistryDouble],
) -> None:
    source, target = registries
    report = run().whole()

    assert report["verdict"] == "PASS", report
    assert held(target) == held(source), "references as they were written, too: a GUID is made of them"
    assert target.compatibility == source.compatibility
    assert target.mode == source.mode
    assert {guid_of(version[1]) for version in target.subjects[":.eu:lines"].items()} == {
        guid_of(version[1]) for version in source.subjects[":.eu:lines"].items()
    }


@pytest.mark.parametrize(
    ("subject", "along"),
    [(":.eu:lines", ":.eu:orders"), (":.us:lines", ":.us:orders"), ("both", ":.eu:orders")],
)
def test_what_a_schema_of_a_context_refers_to_comes_along(
    registries: tuple[RegistryDouble, RegistryDouble], subject: str, along: str
) -> None:
    """A name without a context means that of the schema that says it, not the default one."""
    source, target = registries
    report = run(subjects=[subject]).whole()

    assert report["verdict"] == "PASS", report
    assert sorted(target.subjects) == sorted([subject, along])
    assert held(target) == {place: version for place, version in held(source).items() if place[0] in (subject, along)}


def test_a_reference_to_what_its_context_lacks_is_refused(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    """That the default context has it is of no use."""
    source, _ = registries
    del source.subjects[":.eu:orders"]
    with pytest.raises(AirflowFailException, match=r"refers to :\.eu:orders version 1, which the source does not have"):
        run(subjects=[":.eu:lines"]).plan()


def test_a_clash_in_one_context_is_named_with_it(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    _, target = registries
    target.put(":.eu:other", '"bytes"', id=11)
    target.put(":.ap:other", '"bytes"', id=11)

    planned = run()
    with pytest.raises(AirflowFailException, match=r":\.eu:orders version 1: the target uses id 11 for another schema"):
        planned.plan()
    clashes = [one for one in planned.written("plan.json")["findings"] if one["code"] == "clash_of_id"]
    assert [one["subject"] for one in clashes] == ["subject :.eu:orders version 1"]
    assert run("two", subjects=["orders", ":.us:.*"]).whole()["verdict"] == "PASS", "those of other contexts are free"


def test_content_that_differs_in_one_context_is_named_with_it(
    registries: tuple[RegistryDouble, RegistryDouble],
) -> None:
    _, target = registries
    one = run()
    one.plan()
    one.apply()
    target.subjects[":.eu:orders"][1].schema["schema"] = ORDER  # what the default context has
    one.validate()
    failed = {check["name"]: check["differences"] for check in one.report()["checks"] if check["status"] == "fail"}

    named = {line.partition(" version")[0] for line in failed["schemas"]}
    assert named == {":.eu:orders", ":.eu:lines", "both"}, "with all that refer to it, and nobody else"


def test_mapped_ids_are_those_of_the_context(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    _, target = registries
    target.put(":.eu:orders", '"bytes"')
    one = run(ids="map")
    report = one.whole()

    assert report["verdict"] == "PASS", report
    assert target.subjects[":.eu:lines"][1].schema["references"] == [reference("orders", 2)], "by the number there"
    mapped = {(context, number): given for context, number, given in one.artifacts.read_json("schemas/ids.json") or []}
    assert mapped == {
        ("", 11): target.subjects["orders"][1].id, (":.eu:", 11): target.subjects[":.eu:orders"][2].id,
        (":.us:", 11): target.subjects[":.us:orders"][1].id, (":.eu:", 4): target.subjects[":.eu:lines"][1].id,
        (":.us:", 5): target.subjects[":.us:lines"][1].id, ("", 6): target.subjects["both"][1].id,
    }  # fmt: skip


def test_import_is_taken_back_in_every_context(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    source, target = registries
    one = run()
    one.plan()
    target.faults = {"POST /subjects/%3A.us%3Alines": -1}
    target.fault = "no disk"
    patient = live.RegistryHook
    with pytest.MonkeyPatch.context() as patch, pytest.raises(TransientError, match="no disk"):
        patch.setattr(live, "RegistryHook", lambda conn_id: patient(conn_id, patience=0.1))
        one.apply()
    assert target.mode == {"": "READWRITE"}
    target.faults = {}
    one.apply()
    assert held(target) == held(source)


def test_a_subject_of_a_context_that_is_read_only_is_refused(
    registries: tuple[RegistryDouble, RegistryDouble],
) -> None:
    _, target = registries
    target.mode[":.us:orders"] = "READONLY"
    with pytest.raises(AirflowFailException, match=r"subject :\.us:orders: its mode at the target is READONLY"):
        run(ids="map").plan()


def test_what_counts_in_a_context_is_not_what_counts_for_all(
    registries: tuple[RegistryDouble, RegistryDouble],
) -> None:
    """As Confluent's registry has it: the level of all is that of the default context, and a context has its own."""
    source, target = registries
    source.compatibility |= {"": "NONE", ":.us:": "FORWARD"}
    source.mode[":.us:"] = "READONLY"  # that of a whole context is not carried, as that of all is not
    report = run().whole()

    assert report["verdict"] == "PASS", report
    assert target.compatibility == {
        "": "BACKWARD", "orders": "NONE", "both": "NONE", ":.eu:orders": "FULL", ":.us:orders": "FORWARD",
        ":.us:lines": "FORWARD",
    }  # fmt: skip
    assert target.mode == {"": "READWRITE", ":.us:orders": "READONLY"}


def test_a_context_that_is_read_only_is_refused(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    _, target = registries
    target.mode[":.us:"] = "READONLY"
    with pytest.raises(AirflowFailException, match=r"subject :\.us:lines: its mode at the target is READONLY"):
        run(ids="map").plan()
    assert run("two", ids="map", subjects=["orders", ":.eu:.*"]).whole()["verdict"] == "PASS"


def test_history_that_a_contexts_level_would_refuse_is_carried(
    registries: tuple[RegistryDouble, RegistryDouble],
) -> None:
    source, target = registries
    source.put(":.eu:odd", '"string"')
    source.put(":.eu:odd", '"int"')
    source.compatibility |= {"": "NONE", ":.eu:": "BACKWARD"}
    target.compatibility |= {"": "NONE", ":.eu:": "BACKWARD"}
    report = run(ids="map", subjects=[":.eu:odd"]).whole()

    assert report["verdict"] == "PASS", report
    assert target.compatibility == {"": "NONE", ":.eu:": "BACKWARD"}
