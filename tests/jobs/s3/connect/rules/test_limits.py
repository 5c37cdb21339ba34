"""What a connector cannot do is refused at once, with the param and the cure."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

EXPORT: dict[str, Any] = {"topics": ["a"], "transport": "connect", "format": "avro"}
IMPORT: dict[str, Any] = {"transport": "connect"}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"mode": "full"}, "param 'mode': full begins .*Fix: mode: incremental with another export name"),
        ({"signing_conn_id": "key"}, "param 'signing_conn_id' is set, .*Fix: leave it out; or transport: engine"),
        ({"location": "file:///x"}, "param 'location' is file:///x, and our S3 connectors know buckets only"),
        ({"transport": "copy"}, "param 'transport'.*'engine', 'connect' or 'msk_connect'"),
        ({"connector_afterwards": "leave"}, "param 'connector_afterwards'"),
        ({"tasks_max": 0}, "param 'tasks_max'"),
        ({"no_progress_timeout": 1}, "param 'no_progress_timeout'"),
    ],
)
def test_an_export(params: dict[str, Any], words: str) -> None:
    assert ExportSpec.from_params(EXPORT).transport == "connect"
    with pytest.raises(BadParam, match=words):
        ExportSpec.from_params({**EXPORT, **params})


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (
            {"format": "parquet"},
            "param 'format' is parquet, which Confluent's sink does not write .*avro, jsonl, bytes",
        ),
        ({"connector": "camel"}, "param 'format' is avro, which Camel's sink does not write .*one of bytes"),
        ({"follow_for": 60}, "param 'follow_for' is set, .*no manifests .*connector_afterwards: run"),
        ({"mode": "full"}, "param 'mode': full begins .*Fix: mode: incremental with another export name"),
        ({"transport": "engine"}, "param 'connector' is confluent, but with transport engine .*transport: connect"),
        (
            {"transport": "msk_connect"},
            "param 'connector' is confluent, and on MSK Connect only ours .*transport: c",
        ),
        (
            {"connector": "kafka_ferry", "accept_losses": ["keys"]},
            "param 'accept_losses' is set, and nothing gets lost",
        ),
        ({"connector": "kafka_ferry", "format": "bytes"}, "param 'format' is bytes, which only connectors of other"),
        ({"connector": "confluence"}, "param 'connector'.*'confluent', 'aiven', 'lenses' or 'camel'"),
        ({"accept_losses": ["everything"]}, "param 'accept_losses.*'keys'"),
        ({"location": "file:///x"}, "param 'location' is file:///x"),
    ],
)
def test_an_export_by_another_makers_connector(params: dict[str, Any], words: str) -> None:
    vendor = {**EXPORT, "connector": "confluent", "accept_losses": ["timestamps"]}
    assert ExportSpec.from_params(vendor).connector == "confluent"
    with pytest.raises(BadParam, match=words):
        ExportSpec.from_params({**vendor, **params})


def test_bytes_are_no_format_of_the_engine() -> None:
    with pytest.raises(BadParam, match="param 'format' is bytes"):
        ExportSpec.from_params({"topics": ["a"], "format": "bytes"})


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"export_id": "x"}, "param 'export_id' is set, and our S3 source reads all exports of a name"),
        ({"signing_conn_id": "key"}, "param 'signing_conn_id'"),
        ({"location": "file:///x"}, "param 'location'"),
        ({"copy_to": "file:///y"}, "param 'copy_to' is file:///y"),
    ],
)
def test_an_import(params: dict[str, Any], words: str) -> None:
    assert ImportSpec.from_params(IMPORT).transport == "connect"
    with pytest.raises(BadParam, match=words):
        ImportSpec.from_params({**IMPORT, **params})


def test_the_engine_is_asked_nothing_of_the_kind() -> None:
    spec = ExportSpec.from_params({"topics": ["a"], "mode": "full", "signing_conn_id": "key", "location": "file:///x"})
    assert (spec.transport, spec.format) == ("engine", "parquet")
