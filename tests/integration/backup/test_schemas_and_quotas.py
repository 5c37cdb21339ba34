"""A backup with the schemas of a real registry and the client quotas of a real cluster, restored to others.

Both registries are Apicurio 2.6, which knows no modes: ids are mapped. What IMPORT needs is in ``tests/jobs/backup``,
with a double. What registries hold is asked here without our client.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.sdk.exceptions import AirflowFailException

from backup_lab import LOCATION
from dags_by_hand import DagRunByHand
from kafka_ferry.core.quotas import Quota
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.hooks.objects.s3_connection import store_of
from own_registries import ask, own_registries, register, use_registries
from quotas_by_hand import take_away
from stack import Stack
from stack.registries import Registry

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(900)]

ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "id", "type": "long"}]}
LINE = {"type": "record", "name": "Line", "namespace": "shop", "fields": [{"name": "order", "type": "Order"}]}
MONEY = 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }'


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Registry]]:
    with own_registries(tmp_path_factory.mktemp("registries")) as made:
        yield made


@pytest.fixture
def clusters(stack: Stack) -> Iterator[dict[str, KafkaQuotas]]:
    """Quotas of both; all that there are at the end are taken away."""
    made = {
        "source": KafkaQuotas({"bootstrap.servers": stack.source_bootstrap}, "source"),
        "target": KafkaQuotas({"bootstrap.servers": stack.target_bootstrap}, "target"),
    }
    yield made
    for cluster in made.values():
        take_away(cluster, cluster.quotas())


def status(report: dict[str, Any], name: str) -> dict[str, Any]:
    found = next((check for check in report["checks"] if check["name"] == name), None)
    assert found, report
    return dict(found)


@pytest.mark.usefixtures("connections")
def test_schemas_and_quotas_come_back(
    registries: dict[str, Registry],
    clusters: dict[str, KafkaQuotas],
    stack: Stack,
    topic_prefix: str,
    make_topics: Callable[..., list[str]],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    use_registries(registries, monkeypatch)
    source, target = registries["registry_source"], registries["registry_target"]
    register(target, "other-value", '"bytes"')  # so that no id is the same
    register(source, "orders-value", ORDER)
    line = register(
        source, "lines-value", LINE, "AVRO", {"name": "shop.Order", "subject": "orders-value", "version": 1}
    )
    register(source, "money", MONEY, "PROTOBUF")
    gone = register(source, "gone-value", '"int"')
    register(source, "gone-value", '"long"')
    requests.delete(f"{source.url}/subjects/gone-value/versions/1", timeout=30).raise_for_status()
    requests.put(f"{source.url}/config/orders-value", json={"compatibility": "FULL"}, timeout=30).raise_for_status()
    quotas = [
        Quota.of({"user": f"{topic_prefix}app"}, "producer_byte_rate", 1_048_576.0),
        Quota.of({"user": f"{topic_prefix}app", "client-id": None}, "request_percentage", 12.5),
        Quota.of({"client-id": f"{topic_prefix} é%"}, "consumer_byte_rate", 5_000.0),
    ]
    assert clusters["source"].set_quotas(quotas) == []
    assert clusters["target"].set_quotas([Quota.of(dict(quotas[0].entity), quotas[0].key, 9.0)]) == []
    deadline = time.monotonic() + 20
    while not set(quotas) <= set(clusters["source"].quotas()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}orders", partitions=2)
    produce(stack.source_bootstrap, topic, [{"value": b"\0" + line.to_bytes(4, "big") + b"x", "partition": 1}])

    common = {"backup": f"{topic_prefix}b", "location": LOCATION}
    asked = {**common, "topics": [topic], "groups": [], "registry_conn_id": "registry_source"}
    report = DagRunByHand("backup_topics", "first", **asked).whole()
    assert report["verdict"] == "PASS", report
    assert status(report, "registry") | {"detail": ""} == {
        "name": "registry", "status": "pass", "expected": "5 versions of 4 subjects", "detail": "",
        "actual": "read, as they were written", "differences": [], "commands": [],
    }  # fmt: skip
    assert (status(report, "quotas")["status"], status(report, "quotas")["actual"]) == ("pass", "3")
    assert DagRunByHand("backup_topics", "second", **asked).whole()["verdict"] == "PASS"
    store = store_of(LOCATION, "aws_default")
    (kept,) = store.list(f"{topic_prefix}b/schemas/")
    verified = DagRunByHand("verify_backup", "verify", **common).whole()
    assert (verified["verdict"], status(verified, "registry")["status"]) == ("PASS", "pass")

    # The source registry is lost: nobody asks it.
    there = {number: ask(source, f"/schemas/ids/{number}") for number in (line, gone)}
    monkeypatch.delenv("AIRFLOW_CONN_REGISTRY_SOURCE")
    to = {**common, "rename": {"(.*)": "\\1.back"}, "target_registry_conn_id": "registry_target", "quotas": "copy"}
    with pytest.raises(AirflowFailException, match=r"the target uses id 1 .*use schema_ids: map"):
        DagRunByHand("restore_topics", "keep", **to).whole()
    assert ask(target, "/subjects") == ["other-value"]

    restored = DagRunByHand("restore_topics", "map", **to, schema_ids="map")
    report = restored.whole()
    assert report["verdict"] == "PASS", report
    check = status(report, "registry")
    assert (check["status"], "schema_ids: map was asked for" in check["detail"]) == ("explained", True), check
    found = {number: at for _, number, at in restored.artifacts.read_json("schemas/ids.json") or []}
    for number, schema in there.items():
        assert found[number] != number
        restored_as = ask(target, f"/schemas/ids/{found[number]}")["schema"]
        assert json.loads(restored_as) == json.loads(schema["schema"])
    assert ask(target, f"/schemas/ids/{found[line]}")["references"] == there[line]["references"]
    assert ask(target, "/subjects/gone-value/versions") == [2]
    assert ask(target, "/config/orders-value") == {"compatibilityLevel": "FULL"}
    assert status(report, "quotas")["status"] == "pass", status(report, "quotas")
    assert set(clusters["target"].quotas()) >= set(quotas)
    changes = [change["name"] for change in restored.artifacts.read_json("plan.json")["changes"]]
    assert {str(quota) for quota in quotas} <= set(changes)

    store.put(kept.key, store.get(kept.key)[:-1])
    damaged = DagRunByHand("verify_backup", "damaged", **common)
    with pytest.raises(AirflowFailException):
        damaged.whole()
    verified = damaged.artifacts.read_json("report.json") or {}
    assert (verified["verdict"], status(verified, "registry")["status"]) == ("FAIL", "fail")
    with pytest.raises(AirflowFailException, match="SHA-256"):
        DagRunByHand("restore_topics", "damaged", **to, schema_ids="map").whole()
