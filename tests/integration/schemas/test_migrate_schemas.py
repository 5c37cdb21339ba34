"""``migrate_schemas`` between two real registries: from Apicurio 2.6, which knows no modes, to 3.3, which keeps no ids.

So ids are mapped; what needs ids that are kept is in ``tests/jobs/schemas``, with a double. What the registries hold is
asked here without our client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from airflow.sdk.exceptions import AirflowFailException

from own_registries import ask, own_registries, register, use_registries
from schemas_by_hand import SchemasRun
from stack.registries import OLD, Registry

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "id", "type": "long"}]}
ORDER_2 = {**ORDER, "fields": [*ORDER["fields"], {"name": "note", "type": "string", "default": ""}]}  # type: ignore[misc]
LINE = {"type": "record", "name": "Line", "namespace": "shop", "fields": [{"name": "order", "type": "Order"}]}
MONEY = 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }'
PRICE = 'syntax = "proto3"; package shop; import "money.proto"; message Price { Money of = 1; }'
EVENT = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Event", "type": "object"}


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Registry]]:
    with own_registries(tmp_path_factory.mktemp("registries")) as made:
        yield made


@pytest.fixture(autouse=True)
def connections(registries: dict[str, Registry], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_registries(registries, monkeypatch)
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))


def content(text: str) -> Any:
    """Apicurio 3 gives JSON back in another spelling than it got it in."""
    return json.loads(text) if text[:1] in '"{[' else text


def fill(registry: Registry, beyond: int = 0) -> int:
    """Use ids, one after the other, until one is larger; the last."""
    while (number := register(registry, "filled-value", json.dumps({**ORDER, "name": f"F{uuid4().hex}"}))) <= beyond:
        pass
    return number


def reference(name: str, subject: str, version: int = 1) -> dict[str, Any]:
    return {"name": name, "subject": subject, "version": version}


def params(prefix: str, **more: Any) -> dict[str, Any]:
    return {
        "source_registry_conn_id": "registry_source",
        "target_registry_conn_id": "registry_target",
        "subjects": [f"{prefix}.*"],
        "ids": "map",
        "deleted": True,
        "dry_run": False,
        **more,
    }


def test_a_registry_is_carried_with_references_of_every_type(registries: dict[str, Registry]) -> None:
    source, target = registries["registry_source"], registries["registry_target"]
    register(target, "other-value", '"bytes"')  # so that no id is the same
    register(target, "other-value", '"float"')
    register(source, "all-orders-value", ORDER)
    order = register(source, "all-orders-value", ORDER_2)
    line = register(source, "all-lines-value", LINE, "AVRO", reference("shop.Order", "all-orders-value", 1))
    register(source, "all-money", MONEY, "PROTOBUF")
    price = register(source, "all-prices-value", PRICE, "PROTOBUF", reference("money.proto", "all-money"))
    register(source, "all-events-value", EVENT, "JSON")
    gone = register(source, "all-gone-value", '"int"')
    register(source, "all-gone-value", '"long"')
    requests.delete(f"{source.url}/subjects/all-gone-value/versions/1", timeout=30).raise_for_status()
    requests.put(f"{source.url}/config/all-orders-value", json={"compatibility": "FULL"}, timeout=30).raise_for_status()

    run = SchemasRun("all", **params("all-"))
    report = run.whole()

    assert report["verdict"] == "PASS", report
    statuses = {check["name"]: check["status"] for check in report["checks"]}
    assert statuses == {
        "subjects": "pass", "schemas": "pass", "ids": "explained", "compatibility": "pass", "modes": "pass",
    }  # fmt: skip
    there = {number: at for _, number, at in run.artifacts.read_json("schemas/ids.json") or []}
    assert there.keys() >= {order, line, price, gone}
    for number, at in there.items():
        ours, theirs = ask(source, f"/schemas/ids/{number}"), ask(target, f"/schemas/ids/{at}")
        assert content(ours["schema"]) == content(theirs["schema"]), (number, at)
        assert ours.get("references", []) == theirs.get("references", []), (number, at)
    assert ask(target, "/subjects/all-gone-value/versions") == [2]
    assert ask(target, "/subjects/all-gone-value/versions?deleted=true") == [1, 2]
    assert ask(target, "/config/all-orders-value") == {"compatibilityLevel": "FULL"}

    again = SchemasRun("again", **params("all-"))
    again.plan()
    assert again.written("plan.json")["to_register"] == 0
    assert again.apply() == {"registered": 0, "deleted": 0, "settings": 0}


def test_an_id_that_is_taken_there_is_named_and_nothing_is_written(registries: dict[str, Registry]) -> None:
    source, target = registries["registry_source"], registries["registry_target"]
    fill(source, beyond=fill(target))
    number = register(source, "taken-value", '{"type":"fixed","name":"F","size":7}')
    fill(target, beyond=number)
    before = ask(target, "/subjects")

    with pytest.raises(AirflowFailException, match=rf"taken-value version 1: the target uses id {number} for another"):
        SchemasRun("taken", **params("taken-", ids="keep")).plan()
    assert ask(target, "/subjects") == before


def test_a_target_that_takes_an_id_and_gives_another_one_is_found_at_the_first(registries: dict[str, Registry]) -> None:
    """Apicurio 3.3.3 answers PUT /mode IMPORT with 200, and keeps no id."""
    source, target = registries["registry_source"], registries["registry_target"]
    fill(source, beyond=fill(target))
    number = register(source, "kept-a-value", json.dumps({**ORDER, "name": "A"}))
    register(source, "kept-b-value", json.dumps({**ORDER, "name": "B"}))
    run = SchemasRun("kept", **params("kept-", ids="keep"))
    run.plan()

    with pytest.raises(AirflowFailException, match=rf"took the id {number} for kept-a-value .* does not keep ids"):
        run.apply()
    run.restore()

    there = [name for name in ask(target, "/subjects") if name.startswith("kept-")]
    assert there == ["kept-a-value"]
    assert requests.get(f"{target.url}/mode/kept-a-value", timeout=30).json() in ({"mode": "READWRITE"}, {})


@pytest.mark.nightly
def test_a_target_without_modes_keeps_no_ids(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with own_registries(tmp_path, target=OLD) as made:
        use_registries(made, monkeypatch)
        register(made["registry_source"], "kept-value", '"string"')

        with pytest.raises(AirflowFailException, match=r"knows no modes.*Fix: use ids: map"):
            SchemasRun("keep", **params("kept-", ids="keep")).plan()
        assert ask(made["registry_target"], "/subjects") == []


def test_what_is_changed_at_the_target_is_a_fail(registries: dict[str, Registry]) -> None:
    source, target = registries["registry_source"], registries["registry_target"]
    register(source, "lost-value", '{"type":"enum","name":"E","symbols":["A"]}')
    run = SchemasRun("lost", **params("lost-"))
    assert run.whole()["verdict"] == "PASS"
    requests.delete(f"{target.url}/subjects/lost-value", timeout=30).raise_for_status()

    run.validate()
    report = run.report()

    assert report["verdict"] == "FAIL"
    failed = {check["name"]: check["differences"] for check in report["checks"] if check["status"] == "fail"}
    assert failed == {"subjects": ["lost-value version 1"]}
