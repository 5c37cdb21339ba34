"""What Airflow is told of the package: in the words of its schema, and of things that exist."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import airflow
import jsonschema

from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.provider_info import get_provider_info

SCHEMAS = Path(airflow.__file__).parent


def test_it_is_as_airflow_reads_it() -> None:
    told = get_provider_info()
    schema = json.loads((SCHEMAS / "provider_info.schema.json").read_text())
    jsonschema.validate(told, schema)
    assert set(told) <= set(schema["properties"]), "a key that Airflow does not know"
    for kind in ("hooks", "operators", "sensors", "triggers"):
        assert all(one["integration-name"] == told["integrations"][0]["integration-name"] for one in told[kind])


def test_its_modules_exist() -> None:
    told = get_provider_info()
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for one in told[kind]:
            for module in one["python-modules"]:
                importlib.import_module(module)


def test_the_connection_type_is_the_hook_s_own() -> None:
    (one,) = get_provider_info()["connection-types"]
    assert one["hook-class-name"] == f"{ConnectHook.__module__}.{ConnectHook.__qualname__}"
    assert (one["connection-type"], one["hook-name"]) == (ConnectHook.conn_type, ConnectHook.hook_name)
    hints = ConnectHook.get_ui_field_behaviour()
    behaviour = json.loads((SCHEMAS / "customized_form_field_behaviours.schema.json").read_text())
    jsonschema.validate(hints, behaviour)
    extra = json.loads(hints["placeholders"]["extra"])
    assert set(extra) == {"verify", "timeout", "config_provider"}
