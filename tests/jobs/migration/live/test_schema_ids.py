"""Schema ids looked up in registries: doubles of Confluent's (``registry_double.py``)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.exceptions import BadConnection, BadParam
from kafka_ferry.jobs.migration.live.schema_ids import refuse_no_registry, schemas_check
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.schema_ids import SchemaIdUse
from registry_double import RegistryDouble, serving

BOTH = {"source_registry_conn_id": "registry_source", "target_registry_conn_id": "registry_target"}
ORDER = '{"type":"record","name":"Order","fields":[]}'
LINE = '{"type":"array","items":"Order"}'


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[RegistryDouble, RegistryDouble]]:
    with serving(RegistryDouble()) as source, serving(RegistryDouble()) as target:
        for name, registry in (("SOURCE", source), ("TARGET", target)):
            connection = json.dumps({"conn_type": "http", "host": registry.url})
            monkeypatch.setenv(f"AIRFLOW_CONN_REGISTRY_{name}", connection)
            registry.put("orders-value", ORDER, id=7)
            registry.put("lines-value", LINE, references=[{"name": "Order", "subject": "orders-value", "version": 1}],
                         id=8)  # fmt: skip
        yield source, target


def spec(**more: object) -> MigrationSpec:
    return MigrationSpec.from_params({"topics": ["orders"], "migration": "m", **more})


def result(*uses: SchemaIdUse) -> PartitionResult:
    nothing = Fingerprint(0, 0, 0, 0, None, None)
    return PartitionResult("orders", "orders", 0, nothing, nothing, PartitionComparison("pass", 0, 0), schema_ids=uses)


def check(*uses: SchemaIdUse) -> Check:
    return schemas_check(spec(**BOTH), [PartitionResult.from_json(json.loads(json.dumps(result(*uses).to_json())))])


def test_ids_that_mean_the_same_pass(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    found = check(SchemaIdUse("value", 7, 5, 0, 0), SchemaIdUse("value", 8, 5, 0, 1))
    assert found.status is Status.PASS, found


def test_a_schema_that_is_referred_to_is_a_part_of_the_meaning(
    registries: tuple[RegistryDouble, RegistryDouble],
) -> None:
    registries[1].subjects["orders-value"][1].schema["schema"] = ORDER.replace("[]", '[{"name":"a","type":"int"}]')
    found = check(SchemaIdUse("value", 8, 5, 0, 1))

    assert found.differences == [
        "orders: values with id 8: it is another schema at the target: 5 records, first: partition 0, offset 1"
    ]


def test_a_softly_deleted_schema_still_means_something(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    for registry in registries:
        registry.subjects["orders-value"][1].deleted = True
    assert check(SchemaIdUse("value", 7, 5, 0, 0)).status is Status.PASS


def test_one_that_is_gone_is_named(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    del registries[1].subjects["orders-value"]
    assert "the target registry does not know it" in check(SchemaIdUse("value", 7, 5, 0, 0)).differences[0]


def test_without_registries_it_is_skipped_with_the_reason() -> None:
    found = schemas_check(spec(), [result(SchemaIdUse("value", 7, 5, 0, 0))])
    assert found.status is Status.SKIPPED
    assert "source_registry_conn_id and target_registry_conn_id are empty" in found.detail


def test_where_no_record_is_read_it_is_skipped(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    found = schemas_check(spec(verification="counts", **BOTH), [])
    assert (found.status, found.detail) == (Status.SKIPPED, "param verification is counts: no record was read")
    assert registries[0].requests == []


def test_one_registry_alone_is_refused() -> None:
    with pytest.raises(BadParam, match="param 'source_registry_conn_id' is empty, but target_registry_conn_id is giv"):
        spec(target_registry_conn_id="registry_target")


def test_what_is_no_registry_is_refused_in_the_plan(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    refuse_no_registry(spec(**BOTH))
    registries[1].raw = {"/subjects": b"<html>"}
    with pytest.raises(BadParam, match=r"param 'target_registry_conn_id': .*did not answer in JSON"):
        refuse_no_registry(spec(**BOTH))
    with pytest.raises(BadConnection, match="'nowhere' does not exist"):
        refuse_no_registry(spec(**{**BOTH, "source_registry_conn_id": "nowhere"}))
    refuse_no_registry(spec())
