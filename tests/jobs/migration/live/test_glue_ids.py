"""Ids of AWS Glue in the records, looked up in a double of Glue by botocore's model (``glue_double.py``). Not AWS."""

from __future__ import annotations

import json

import pytest

from glue_double import GlueDouble
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.live.schema_ids import refuse_no_registry, schemas_check
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.schema_id_forms import Form
from kafka_ferry.records.schema_ids import SchemaIdUse
from registry_double import RegistryDouble, serving

ORDER = '{"type":"record","name":"Order","fields":[]}'
NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> GlueDouble:
    double = GlueDouble()
    double.use(monkeypatch, "glue_source", "glue_target")
    return double


def check(target: str, *uses: SchemaIdUse) -> Check:
    nothing = Fingerprint(0, 0, 0, 0, None, None)
    result = PartitionResult(
        "orders", "orders", 0, nothing, nothing, PartitionComparison("pass", 0, 0), schema_ids=uses
    )  # fmt: skip
    return schemas_check(spec(target), [result])


def spec(target: str, source: str = "glue_source") -> MigrationSpec:
    return MigrationSpec.from_params({"topics": ["orders"], "migration": "m", "source_registry_conn_id": source,
                                      "target_registry_conn_id": target})  # fmt: skip


def use(number: int | str, form: Form = Form.GLUE, records: int = 5, offset: int = 1) -> SchemaIdUse:
    return SchemaIdUse("value", number, records, 0, offset, form)


def test_one_registry_for_both_clusters_passes(glue: GlueDouble) -> None:
    ids = glue.put("orders", ORDER), glue.put("orders", '"string"')
    found = check("glue_source", *map(use, ids))

    assert found.status is Status.PASS
    assert found.expected.startswith("2 ids in 10 keys and values of 1 topic")
    assert sum(name == "GetSchemaVersion" for name, _ in glue.requests) == 4


def test_an_id_that_glue_does_not_know_is_named(glue: GlueDouble) -> None:
    found = check("glue_target", use(glue.put("orders", ORDER)), use(NOBODYS, records=1, offset=9))

    assert found.status is Status.FAIL
    assert found.differences == [
        f"orders: values with Glue's schema version {NOBODYS}: neither registry knows it: 1 record, first: partition "
        "0, offset 9"
    ]


def test_what_begins_so_by_chance_is_no_difference(glue: GlueDouble) -> None:
    assert check("glue_target", use(NOBODYS)).status is Status.EXPLAINED


def test_ids_of_other_kinds_are_skipped(glue: GlueDouble) -> None:
    found = check("glue_target", use(7, Form.HEADER_ID), use(7, Form.ID))

    assert found.status is Status.SKIPPED
    assert found.detail == "source_registry_conn_id leads to AWS Glue, which has no such ids"


def test_a_target_of_another_kind_is_said_to_be_one(glue: GlueDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(RegistryDouble()) as registry:
        connection = json.dumps({"conn_type": "http", "host": registry.url})
        monkeypatch.setenv("AIRFLOW_CONN_REGISTRY_TARGET", connection)
        found = check("registry_target", use(glue.put("orders", ORDER)), use(7, Form.HEADER_ID))

    assert found.status is Status.SKIPPED
    assert "and target_registry_conn_id is no connection of type aws" in found.detail


def test_a_glue_that_lets_us_not_in_is_refused_in_the_plan(glue: GlueDouble) -> None:
    refuse_no_registry(spec("glue_target"))
    glue.faults = {"ListSchemas": ["AccessDeniedException"]}
    with pytest.raises(BadParam, match="param 'source_registry_conn_id': list_schemas: AccessDeniedException"):
        refuse_no_registry(spec("glue_target"))
