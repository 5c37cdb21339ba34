"""``migrate_schemas`` between two real registries: Apicurio 2.6, which knows no modes, so that ids are mapped.

What IMPORT needs is in ``tests/jobs/schemas``, with a double. What the registries hold is asked here without our
client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.sdk.exceptions import AirflowFailException

from own_registries import own_registries, use_registries
from schemas_by_hand import SchemasRun
from stack.registries import Registry

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


def register(registry: Registry, subject: str, schema: Any, kind: str = "AVRO", *references: dict[str, Any]) -> int:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    body = {"schema": text, "schemaType": kind, "references": list(references)}
    answer = requests.post(f"{registry.url}/subjects/{subject}/versions", json=body, timeout=30)
    answer.raise_for_status()
    return int(answer.json()["id"])


def ask(registry: Registry, path: str) -> Any:
    answer = requests.get(f"{registry.url}{path}", timeout=30)
    answer.raise_for_status()
    return answer.json()


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
        assert ours["schema"] == theirs["schema"], (number, at)
        assert ours["references"] == theirs["references"], (number, at)
    assert ask(target, "/subjects/all-gone-value/versions") == [2]
    assert ask(target, "/subjects/all-gone-value/versions?deleted=true") == [1, 2]
    assert ask(target, "/config/all-orders-value") == {"compatibilityLevel": "FULL"}

    again = SchemasRun("again", **params("all-"))
    again.plan()
    assert again.written("plan.json")["to_register"] == 0
    assert again.apply() == {"registered": 0, "deleted": 0, "settings": 0}


def test_ids_are_not_promised_where_they_cannot_be_kept(registries: dict[str, Registry]) -> None:
    register(registries["registry_source"], "kept-value", '"string"')

    with pytest.raises(AirflowFailException, match=r"knows no modes.*Fix: use ids: map"):
        SchemasRun("keep", **params("kept-", ids="keep")).plan()
    assert "kept-value" not in ask(registries["registry_target"], "/subjects")


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
