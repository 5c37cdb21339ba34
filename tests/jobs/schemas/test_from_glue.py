"""``migrate_schemas`` from AWS Glue: doubles of Glue by botocore's model, and of Confluent's registry. Not AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from glue_double import GlueDouble
from kafka_ferry.exceptions import TransientError
from registry_double import RegistryDouble, serving
from schemas_by_hand import SchemasRun

EXAMPLE = Path(__file__).resolve().parents[3] / "include" / "examples" / "more" / "migrate_schemas.glue.json"
ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
ORDER_2 = ORDER.replace("]}", ',{"name":"note","type":"string","default":""}]}')
MONEY = 'syntax = "proto3"; message Money { int64 cents = 1; }'


@pytest.fixture(autouse=True)
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> GlueDouble:
    double = GlueDouble()
    double.put("orders", ORDER, compatibility="BACKWARD_ALL")
    double.put("orders", ORDER_2)
    double.put("money", MONEY, "PROTOBUF", compatibility="DISABLED")
    double.put("events", '{"type":"object"}', "JSON", compatibility="NONE")
    double.use(monkeypatch, "glue_source", "glue_other")
    return double


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryDouble]:
    with serving(RegistryDouble()) as registry:
        fields = {"conn_type": "http", "host": registry.url, "extra": {"timeout": 5}}
        monkeypatch.setenv("AIRFLOW_CONN_REGISTRY_TARGET", json.dumps(fields))
        yield registry


def params(**more: Any) -> dict[str, Any]:
    return {
        "source_registry_conn_id": "glue_source",
        "target_registry_conn_id": "registry_target",
        "subjects": [".*"],
        "ids": "map",
        "deleted": False,
        "dry_run": False,
        **more,
    }


def writes(registry: RegistryDouble) -> list[str]:
    return [one for one in registry.requests if not one.startswith("GET")]


def test_schemas_of_glue_are_registered_and_their_uuids_mapped(glue: GlueDouble, target: RegistryDouble) -> None:
    one = SchemasRun("one", **params())
    report = one.whole()

    assert report["verdict"] == "PASS", report
    assert {name: [version.schema["schema"] for version in versions.values()]
            for name, versions in target.subjects.items()} == {
        "orders": [ORDER, ORDER_2], "money": [MONEY], "events": ['{"type":"object"}'],
    }  # fmt: skip
    there = {
        (name, number): version.id for name, some in target.subjects.items() for number, version in some.items()
    }  # fmt: skip
    schemas = glue.registries["shop"]
    assert sorted(one.artifacts.read_json("schemas/ids.json") or []) == sorted(
        ["", schemas[name].ids[number], given] for (name, number), given in there.items()
    )
    assert target.compatibility == {"": "BACKWARD", "orders": "BACKWARD_TRANSITIVE", "events": "NONE"}
    assert target.mode == {"": "READWRITE", "money": "READONLY"}, "Glue takes no version more of it either"
    ids = next(check for check in report["checks"] if check["name"] == "ids")
    assert (ids["status"], len(ids["differences"])) == ("explained", 4)
    codes = {finding["code"]: finding for finding in one.written("plan.json")["findings"]}
    assert "Glue's deserializers" in codes["mapped_ids"]["fix"]
    assert "<topic>-value" in codes["names_of_glue"]["fix"]


def test_a_second_run_writes_nothing_and_a_later_one_what_is_new(glue: GlueDouble, target: RegistryDouble) -> None:
    SchemasRun("one", **params()).whole()
    target.requests.clear()
    assert SchemasRun("two", **params()).whole()["verdict"] == "PASS"
    assert writes(target) == []

    glue.put("orders", ORDER_2.replace("note", "remark"))
    again = SchemasRun("three", **params())
    again.plan()
    assert again.apply() == {"registered": 1, "deleted": 0, "settings": 0}


def test_what_is_changed_at_the_target_is_a_fail(glue: GlueDouble, target: RegistryDouble) -> None:
    run = SchemasRun("one", **params())
    run.plan()
    run.apply()
    del target.subjects["orders"][2]
    run.validate()
    report = run.report()

    failed = {check["name"]: check["differences"] for check in report["checks"] if check["status"] == "fail"}
    assert failed == {"subjects": ["orders version 2"]}


def test_the_example_is_what_runs(glue: GlueDouble, target: RegistryDouble) -> None:
    example = json.loads(EXAMPLE.read_text())
    assert SchemasRun("one", **params(**example)).whole()["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            {"ids": "keep"},
            r"param 'ids' is keep, and 'glue_source' leads to AWS Glue, whose ids are UUIDs.*Fix: ids: m",
        ),
        ({"target_registry_conn_id": "glue_other"}, r"param 'target_registry_conn_id': leads to AWS Glue, .*ead alone"),
        ({"subjects": ["none"]}, "none matches none"),
    ],
)
def test_what_glue_cannot_is_refused_before_anything_is_written(
    glue: GlueDouble, target: RegistryDouble, wrong: dict[str, Any], told: str
) -> None:
    with pytest.raises(AirflowFailException, match=told):
        SchemasRun("one", **params(**wrong)).plan()
    assert writes(target) == []


def test_a_registry_that_glue_does_not_have_is_named(
    glue: GlueDouble, target: RegistryDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    glue.use(monkeypatch, "glue_source", registry="shops")
    with pytest.raises(AirflowFailException, match=r"'glue_source': AWS Glue has no schema registry 'shops'.*Fix: "):
        SchemasRun("one", **params()).plan()


def test_glue_that_has_too_much_to_do_is_tried_again(glue: GlueDouble, target: RegistryDouble) -> None:
    glue.faults = {"GetSchemaVersion": ["ThrottlingException"]}
    run = SchemasRun("one", **params())
    with pytest.raises(TransientError, match="ThrottlingException"):
        run.plan()
    run.plan()
