"""``migrate_schemas`` between doubles of Confluent's registry, which know mode IMPORT (``registry_double.py``).

What needs no modes is tried on real registries in ``tests/integration/schemas``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.registry.live.journal import SettingsJournal
from kafka_ferry.jobs.schemas.live import migration as live
from registry_double import RegistryDouble, Version, serving
from schemas_by_hand import SchemasRun

ORDER = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}'
ORDER_2 = ORDER.replace("]}", ',{"name":"note","type":"string","default":""}]}')
LINE = '{"type":"record","name":"Line","namespace":"shop","fields":[{"name":"order","type":"Order"}]}'
PROTO = 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }'
PRICE = 'syntax = "proto3"; package shop; import "money.proto"; message Price { Money of = 1; }'


@pytest.fixture(autouse=True)
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryDouble]:
    """Ids with gaps, references, two contexts, deleted versions, settings of its own."""
    with serving(RegistryDouble()) as registry:
        registry.put("orders-value", ORDER, id=11)
        registry.put("orders-value", ORDER_2, id=7)
        registry.put("lines-value", LINE, references=[{"name": "Order", "subject": "orders-value", "version": 1}], id=3)
        registry.put("money", PROTO, "PROTOBUF", id=20)
        registry.put(
            "prices-value", PRICE, "PROTOBUF", [{"name": "money.proto", "subject": "money", "version": 1}], id=19
        )
        registry.put("j/son-value", '{"type":"object"}', "JSON", id=5)
        registry.put(":.eu:orders-value", '"long"', id=11)
        registry.put("gone-value", '"int"', id=30)
        registry.put("gone-value", '"bytes"', id=31)
        registry.subjects["gone-value"][1].deleted = True
        registry.compatibility["orders-value"] = "FULL"
        registry.mode["money"] = "READONLY"
        named(monkeypatch, "registry_source", registry)
        yield registry


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryDouble]:
    with serving(RegistryDouble()) as registry:
        named(monkeypatch, "registry_target", registry)
        yield registry


def named(monkeypatch: pytest.MonkeyPatch, conn_id: str, registry: RegistryDouble) -> None:
    fields = {"conn_type": "http", "host": registry.url, "extra": {"timeout": 5}}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))


def params(**more: Any) -> dict[str, Any]:
    return {
        "source_registry_conn_id": "registry_source",
        "target_registry_conn_id": "registry_target",
        "subjects": [".*"],
        "ids": "keep",
        "deleted": False,
        "dry_run": False,
        **more,
    }


def run(name: str = "one", **more: Any) -> SchemasRun:
    return SchemasRun(name, **params(**more))


def held(registry: RegistryDouble, deleted: bool = False) -> dict[tuple[str, int], tuple[int, str]]:
    return {
        (subject, number): (version.id, version.schema["schema"])
        for subject, versions in registry.subjects.items()
        for number, version in versions.items()
        if deleted or not version.deleted
    }


def writes(registry: RegistryDouble) -> list[str]:
    return [one for one in registry.requests if not one.startswith("GET")]


# --- ids are kept -----------------------------------------------------------------------------------------------------


def test_a_registry_is_carried_whole_with_its_ids(source: RegistryDouble, target: RegistryDouble) -> None:
    report = run().whole()

    assert report["verdict"] == "PASS", report
    assert {check["name"]: check["status"] for check in report["checks"]} == dict.fromkeys(
        ("subjects", "schemas", "ids", "compatibility", "modes"), "pass"
    )
    assert held(target) == held(source)
    assert target.compatibility == source.compatibility
    assert target.mode == source.mode, "no subject is left in IMPORT, and READONLY came with its subject"
    assert report["sentence"] == (
        "8 schemas of 7 subjects are at the target and say the same, with all they refer to, under the same ids."
    )


def test_a_second_run_writes_nothing(source: RegistryDouble, target: RegistryDouble) -> None:
    run().whole()
    target.requests.clear()

    report = run("two").whole()

    assert report["verdict"] == "PASS"
    assert writes(target) == []


def test_what_came_since_is_added(source: RegistryDouble, target: RegistryDouble) -> None:
    run().whole()
    source.put("orders-value", ORDER_2.replace("note", "remark"), id=40)
    target.requests.clear()
    again = run("two")
    again.plan()

    assert [one["name"] for one in again.written("plan.json")["changes"]] == ["orders-value"]
    assert again.apply() == {"registered": 1, "deleted": 0, "settings": 0}
    assert held(target) == held(source)


def test_deleted_versions_come_where_they_are_asked_for(source: RegistryDouble, target: RegistryDouble) -> None:
    source.put("gone-value", '"int"')  # the first one once more, under the same id
    report = run(deleted=True).whole()

    assert report["verdict"] == "PASS", report
    assert held(target, deleted=True) == held(source, deleted=True)
    assert held(target) == held(source)
    assert target.subjects["gone-value"][1].deleted


def test_a_dry_run_changes_nothing(source: RegistryDouble, target: RegistryDouble) -> None:
    dry = run(dry_run=True)
    with pytest.raises(BaseException, match=""):
        dry.plan()

    plan = dry.written("plan.json")
    assert plan["to_register"] == 8
    assert {"action": "create", "kind": "schemas", "name": "orders-value",
            "detail": "versions 1 as id 11; 2 as id 7"} in plan["changes"]  # fmt: skip
    assert writes(target) == []


def test_subjects_are_chosen_and_what_they_refer_to_comes_along(source: RegistryDouble, target: RegistryDouble) -> None:
    report = run(subjects=["prices-.*", ":.eu:.*"]).whole()

    assert report["verdict"] == "PASS", report
    assert sorted(target.subjects) == [":.eu:orders-value", "money", "prices-value"]
    assert "money" not in target.mode, "its settings were not asked for"


@pytest.mark.parametrize(
    ("theirs", "id_of_it", "told"),
    [
        ('"string"', 11, r"orders-value version 1: the target has another schema there, with id 11"),
        (ORDER, 12, r"orders-value version 1: the target has the same schema with id 12"),
    ],
)
def test_clashes_are_found_in_the_plan(
    source: RegistryDouble, target: RegistryDouble, theirs: str, id_of_it: int, told: str
) -> None:
    target.put("orders-value", theirs, id=id_of_it)

    with pytest.raises(AirflowFailException, match=told):
        run().plan()
    assert writes(target) == []


def test_an_id_that_means_another_schema_is_found_in_the_plan(source: RegistryDouble, target: RegistryDouble) -> None:
    target.put("other-value", '"string"', id=11)

    with pytest.raises(AirflowFailException, match=r"orders-value version 1: the target uses id 11 for another schema"):
        run().plan()


def test_an_id_of_a_deleted_schema_is_in_use_too(source: RegistryDouble, target: RegistryDouble) -> None:
    target.put("other-value", '"string"', id=11)
    target.subjects["other-value"][1].deleted = True

    with pytest.raises(AirflowFailException, match="the target uses id 11 for another schema"):
        run().plan()


def test_the_same_id_in_another_context_is_no_clash(source: RegistryDouble, target: RegistryDouble) -> None:
    target.put(":.us:other-value", '"string"', id=11)

    assert run().whole()["verdict"] == "PASS"


def test_another_spelling_is_no_clash(source: RegistryDouble, target: RegistryDouble) -> None:
    target.put("orders-value", json.dumps(json.loads(ORDER), indent=2), id=11)
    target.subjects["orders-value"][1].schema["schema"] = json.dumps(json.loads(ORDER), indent=2)

    assert run().whole()["verdict"] == "PASS"


def test_modes_come_back_when_the_target_refuses_a_schema(source: RegistryDouble, target: RegistryDouble) -> None:
    target.mode["orders-value"] = "READWRITE"
    target.put("orders-value", ORDER, id=11)
    failed = run()
    failed.plan()
    target.faults = {"POST /subjects/lines-value": -1}
    target.fault = "no disk"
    patient = live.RegistryHook
    with pytest.MonkeyPatch.context() as patch, pytest.raises(TransientError, match="no disk"):
        patch.setattr(live, "RegistryHook", lambda conn_id: patient(conn_id, patience=0.1))
        failed.apply()

    assert target.mode == {"": "READWRITE", "orders-value": "READWRITE"}
    target.faults = {}
    assert failed.apply()["registered"] >= 1
    assert held(target) == held(source)


def test_the_teardown_takes_back_what_a_killed_task_left(source: RegistryDouble, target: RegistryDouble) -> None:
    killed = run()
    killed.plan()

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(live.SchemasMigration, "_register_kept", die)
        patch.setattr(live.SchemasMigration, "take_back", lambda *_: 0)  # as a killed process has no end
        killed.apply()
    assert set(target.mode.values()) == {"READWRITE", "IMPORT"}

    assert killed.restore() == 7
    assert target.mode == {"": "READWRITE"}
    assert killed.restore() == 0


def test_what_it_was_before_is_what_the_first_try_saw(source: RegistryDouble, target: RegistryDouble) -> None:
    """The next try finds IMPORT, which is our own."""
    journal = SettingsJournal(run().artifacts)
    journal.note("mode", {"a": "READONLY"})
    journal.note("mode", {"a": "IMPORT", "b": None})

    assert journal.open()["mode"] == {"a": "READONLY", "b": None}


class ForgetfulRegistry(RegistryDouble):
    """As Apicurio 3.3.3 was seen to be: it takes IMPORT and ids, and gives its own."""

    def _register(self, subject: str, body: dict[str, Any]) -> int:
        return super()._register(subject, body) if "id" not in body else self.put(subject, body["schema"])


def test_a_registry_that_does_not_keep_ids_is_found_at_the_first_schema(
    source: RegistryDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(ForgetfulRegistry()) as target:
        named(monkeypatch, "registry_target", target)
        one = run()
        one.plan()
        with pytest.raises(AirflowFailException, match=r"took the id \d+ .* and gave it 1: .*use ids: map"):
            one.apply()
        assert len(held(target)) == 1
        assert set(target.mode.values()) == {"READWRITE"}


# --- the target gives ids ---------------------------------------------------------------------------------------------


def test_ids_are_mapped_where_the_target_gives_them(source: RegistryDouble, target: RegistryDouble) -> None:
    target.put("other-value", '"string"', id=11)
    one = run(ids="map")
    report = one.whole()

    assert report["verdict"] == "PASS", report
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["ids"]["status"] == "explained"
    assert "no MirrorMaker rewrites an id in a record" in checks["ids"]["detail"]
    order = target.subjects["orders-value"][1].id
    assert f"id 11 -> {order}" in checks["ids"]["differences"]
    assert ["", 11, order] in (one.artifacts.read_json("schemas/ids.json") or [])
    assert target.compatibility == source.compatibility
    warned = [item for item in one.written("plan.json")["findings"] if item["code"] == "mapped_ids"]
    assert warned[0]["severity"] == "warn"


def test_history_that_today_would_be_incompatible_is_mapped(source: RegistryDouble, target: RegistryDouble) -> None:
    source.put("odd-value", '"string"')
    source.put("odd-value", '"int"')
    target.compatibility["odd-value"] = source.compatibility["odd-value"] = "BACKWARD"
    report = run(ids="map", subjects=["odd-value"]).whole()

    assert report["verdict"] == "PASS", report
    assert target.compatibility == {"": "BACKWARD", "odd-value": "BACKWARD"}


def test_references_follow_the_numbers_of_the_target(source: RegistryDouble, target: RegistryDouble) -> None:
    target.put("orders-value", ORDER.replace("long", "string"))  # is version 1 there
    report = run(ids="map", subjects=["lines-value"]).whole()

    assert report["verdict"] == "PASS", report
    assert target.subjects["lines-value"][1].schema["references"] == [
        {"name": "Order", "subject": "orders-value", "version": 2}
    ]


def test_a_second_mapping_writes_nothing(source: RegistryDouble, target: RegistryDouble) -> None:
    source.put("gone-value", '"int"')
    run(ids="map", deleted=True).whole()
    target.requests.clear()

    report = run("two", ids="map", deleted=True).whole()

    assert report["verdict"] == "PASS", report
    assert writes(target) == []


def test_an_empty_registry_that_counts_gives_the_same_ids(source: RegistryDouble, target: RegistryDouble) -> None:
    source.subjects = {"a-value": {1: Version(1, _avro(ORDER)), 2: Version(3, _avro(ORDER_2))},
                       "b-value": {1: Version(2, _avro('"string"'))}}  # fmt: skip
    source.mode, source.compatibility = {"": "READWRITE"}, {"": "BACKWARD"}

    checks = run(ids="map").checks()

    assert checks["ids"]["status"] == "pass", "in the source's order"
    assert held(target) == held(source)


def _avro(text: str) -> dict[str, Any]:
    return {"schema": text, "schemaType": "AVRO", "references": []}


def test_a_target_without_modes_takes_mapped_ids_alone(source: RegistryDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(RegistryDouble(modes=False)) as target:
        named(monkeypatch, "registry_target", target)
        with pytest.raises(AirflowFailException, match=r"param 'ids': .* knows no modes.*Fix: use ids: map"):
            run().plan()
        report = run("two", ids="map", subjects=["orders-value", "money"]).whole()

    assert report["verdict"] == "PASS", report
    modes = {check["name"]: check for check in report["checks"]}["modes"]
    assert (modes["status"], modes["differences"]) == ("explained", ["money: READONLY at the source"])


# --- what is proven ---------------------------------------------------------------------------------------------------


def test_what_was_changed_behind_its_back_is_a_fail(source: RegistryDouble, target: RegistryDouble) -> None:
    one = run()
    one.plan()
    one.apply()
    target.subjects["orders-value"][2].schema["schema"] = ORDER
    target.subjects["lines-value"][1].id = 99
    del target.subjects["j/son-value"]
    target.compatibility["orders-value"] = "NONE"
    target.mode["lines-value"] = "IMPORT"
    one.validate()
    report = one.report()

    assert report["verdict"] == "FAIL"
    checks = {check["name"]: check for check in report["checks"]}
    assert {check["status"] for check in checks.values()} == {"fail"}
    assert checks["subjects"]["differences"] == ["j/son-value version 1"]
    assert checks["schemas"]["differences"] == [
        "orders-value version 2 (id 7): the target has another schema there, with id 7"
    ]
    assert "lines-value version 1 (id 3): the target has the same schema with id 99" in checks["ids"]["differences"]
    assert checks["compatibility"]["differences"] == ["orders-value: NONE, not FULL"]
    assert checks["modes"]["differences"] == ["lines-value: still in IMPORT"]


def test_a_changed_schema_that_others_refer_to_is_named_with_them(
    source: RegistryDouble, target: RegistryDouble
) -> None:
    one = run()
    one.plan()
    one.apply()
    target.subjects["money"][1].schema["schema"] = PROTO.replace("cents", "pence")
    one.validate()
    checks = {check["name"]: check for check in one.report()["checks"]}

    assert [line.partition(" (")[0] for line in checks["schemas"]["differences"]] == [
        "money version 1", "prices-value version 1",
    ]  # fmt: skip


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"subjects": ["none.*"]}, r"param 'subjects': subjects: none matches none\.\*"),
        ({"subjects": []}, "param 'subjects'"),
        ({"subjects": ["("]}, "is not a regular expression"),
        ({"subjects": ["(a+)+b"]}, "could take forever"),
        ({"ids": "guess"}, "param 'ids'"),
        ({"id": "map"}, r"param 'id' is unknown; did you mean 'ids'\?"),
        ({"target_registry_conn_id": "registry_source"}, "param 'target_registry_conn_id' is the source, too"),
        ({"target_registry_conn_id": "nowhere"}, "connection 'nowhere' does not exist"),
        ({"deleted": "perhaps"}, "param 'deleted'"),
    ],
)
def test_bad_params(source: RegistryDouble, target: RegistryDouble, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(AirflowFailException, match=told):
        run(**wrong).plan()
    assert writes(target) == []


def test_a_read_only_target_is_refused(source: RegistryDouble, target: RegistryDouble) -> None:
    target.mode[""] = "READONLY_OVERRIDE"
    with pytest.raises(AirflowFailException, match="its mode at the target is READONLY_OVERRIDE"):
        run().plan()
    target.mode[""] = "READONLY"
    with pytest.raises(AirflowFailException, match="its mode at the target is READONLY"):
        run("two", ids="map").plan()


def test_a_reference_to_nowhere_is_refused(source: RegistryDouble, target: RegistryDouble) -> None:
    del source.subjects["money"]
    with pytest.raises(AirflowFailException, match="refers to money version 1, which the source does not have"):
        run().plan()


def test_two_runs_do_not_write_at_once(source: RegistryDouble, target: RegistryDouble) -> None:
    run("one").plan()
    other = run("two")
    other.others = {"one"}
    with pytest.raises(AirflowFailException, match="run 'one' of this DAG is still working on"):
        other.plan()
