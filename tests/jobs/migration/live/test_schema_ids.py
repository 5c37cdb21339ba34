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
from kafka_ferry.records.schema_id_forms import Form
from kafka_ferry.records.schema_ids import SchemaIdUse
from registry_double import RegistryDouble, guid_of, serving

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


# --- ids in headers ---------------------------------------------------------------------------------------------------


def in_header(form: Form, number: int | str) -> SchemaIdUse:
    return SchemaIdUse("value", number, 5, 0, 1, form)


def test_a_guid_leads_to_the_same_content_at_both(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    source, target = registries
    guid = guid_of(source.subjects["lines-value"][1])
    assert check(in_header(Form.GUID, guid), in_header(Form.HEADER_ID, 8)).status is Status.PASS

    target.subjects["lines-value"][1].id = 99  # a GUID says nothing of ids
    assert check(in_header(Form.GUID, guid)).status is Status.PASS
    assert check(in_header(Form.HEADER_ID, 8)).differences == [
        "orders: values with id 8 in a header: the target registry does not know it: 5 records, first: partition 0, "
        "offset 1"
    ]


def test_a_guid_that_the_target_does_not_have_is_named(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    """As a reference with another version's number at the target gives the same schema another GUID."""
    source, target = registries
    guid = guid_of(source.subjects["lines-value"][1])
    target.subjects["orders-value"][2] = target.subjects["orders-value"][1]
    target.subjects["lines-value"][1].schema["references"][0]["version"] = 2

    assert check(in_header(Form.GUID, guid)).differences == [
        f"orders: values with GUID {guid} in a header: the target registry does not know it: 5 records, first: "
        "partition 0, offset 1"
    ]


@pytest.mark.parametrize(("at", "side"), [(0, "source"), (1, "target")])
def test_a_registry_without_guids_is_said_to_be_one(
    registries: tuple[RegistryDouble, RegistryDouble], at: int, side: str
) -> None:
    registries[at].guids = False
    found = check(in_header(Form.GUID, guid_of(registries[0].subjects["lines-value"][1])))

    assert found.status is Status.SKIPPED
    assert found.detail == f"the {side} registry has no GUIDs, as Confluent's has since version 8"


def test_many_ids_that_are_none_are_no_crash(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    uses = [in_header(Form.HEADER_ID, 2**32 - 1 - number) for number in range(60)]
    uses += [in_header(Form.GUID, f"{number:08}-0000-0000-0000-000000000000") for number in range(60)]
    found = check(*uses)

    assert (found.status, found.actual) == (Status.FAIL, "120 differences")
    assert found.differences[-1] == "and 70 more"


# --- Apicurio's own ids; on a real one in tests/integration/schemas ---------------------------------------------------


@pytest.fixture
def apicurios(
    registries: tuple[RegistryDouble, RegistryDouble], monkeypatch: pytest.MonkeyPatch
) -> tuple[RegistryDouble, RegistryDouble]:
    own = "/apis/registry/v2"
    version = f"{own}/groups/default/artifacts/orders%2Fx/versions/1"
    for name, registry in zip(("SOURCE", "TARGET"), registries, strict=True):
        connection = json.dumps({"conn_type": "http", "host": f"{registry.url}/apis/ccompat/v7"})
        monkeypatch.setenv(f"AIRFLOW_CONN_REGISTRY_{name}", connection)
        registry.raw = {
            f"{own}/system/info": b'{"name": "Apicurio Registry"}',
            f"{own}/ids/globalIds/3": LINE.encode(),
            f"{own}/ids/globalIds/3/references": b'[{"groupId": null, "artifactId": "orders/x", "version": "1",'
            b' "name": "Order"}]',
            f"{own}/ids/contentIds/4": b'syntax = "proto3"; message Money { int64 cents = 1; }',
            f"{own}/ids/contentIds/4/references": b"[]",
            version: ORDER.encode(),
            f"{version}/references": b"[]",
        }
    return registries


def test_ids_of_apicurio_are_found_by_its_own_api(apicurios: tuple[RegistryDouble, RegistryDouble]) -> None:
    uses = in_header(Form.GLOBAL_ID, 3), in_header(Form.CONTENT_ID, 4)
    assert check(*uses).status is Status.PASS

    raw = apicurios[1].raw
    raw["/apis/registry/v2/groups/default/artifacts/orders%2Fx/versions/1"] = b'"string"'
    del raw["/apis/registry/v2/ids/contentIds/4"]
    assert check(*uses).differences == [
        "orders: values with Apicurio's content id 4: the target registry does not know it: 5 records, first: "
        "partition 0, offset 1",
        "orders: values with Apicurio's global id 3: it is another schema at the target: 5 records, first: "
        "partition 0, offset 1",
    ]


def test_references_of_apicurio_that_lead_in_a_circle_end(apicurios: tuple[RegistryDouble, RegistryDouble]) -> None:
    circle = b'[{"groupId": "default", "artifactId": "orders/x", "version": "1", "name": "Order"}]'
    for registry in apicurios:
        registry.raw["/apis/registry/v2/groups/default/artifacts/orders%2Fx/versions/1/references"] = circle

    assert check(in_header(Form.GLOBAL_ID, 3)).status is Status.PASS


def test_a_registry_without_apicurios_api_is_said_to_be_one(
    registries: tuple[RegistryDouble, RegistryDouble], apicurios: tuple[RegistryDouble, RegistryDouble]
) -> None:
    del registries[1].raw["/apis/registry/v2/system/info"]
    found = check(in_header(Form.GLOBAL_ID, 3))

    assert found.status is Status.SKIPPED
    assert found.detail == "the target registry has no API of Apicurio's beside the Confluent one"


def test_ids_of_apicurio_mean_nothing_to_a_registry_of_another_kind(
    registries: tuple[RegistryDouble, RegistryDouble],
) -> None:
    found = check(in_header(Form.GLOBAL_ID, 3), in_header(Form.HEADER_ID, 7))

    assert found.status is Status.EXPLAINED
    assert found.differences == [
        "orders: values with Apicurio's global id 3: 5 records, first: partition 0, offset 1: skipped: the source "
        "registry has no API of Apicurio's beside the Confluent one"
    ]


# --- Glue's -----------------------------------------------------------------------------------------------------------


def test_glues_ids_are_skipped_without_a_connection_to_it(registries: tuple[RegistryDouble, RegistryDouble]) -> None:
    found = check(in_header(Form.GLUE, "8fe1a0ad-12f4-4dd5-b1ec-9c3f5aa4c0de"))

    assert found.status is Status.SKIPPED
    assert found.detail == "these are AWS Glue's, and source_registry_conn_id is no connection of type aws"
