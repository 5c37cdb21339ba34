"""A connection of type http that leads to a schema registry; a double of Confluent's (``registry_double.py``)."""

from __future__ import annotations

import json

import pytest

from kafka_ferry.core.plan import Asked, PlannedConnection
from kafka_ferry.jobs.connections.live.asking import ask
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec
from registry_double import RegistryDouble, serving


def asked(monkeypatch: pytest.MonkeyPatch, registry: RegistryDouble, password: str = "") -> Answer:
    with serving(registry) as served:
        host, _, port = served.url.rpartition("/")[2].partition(":")
        fields = {"conn_type": "http", "host": host, "port": int(port), "login": "ferry", "password": password}
        monkeypatch.setenv("AIRFLOW_CONN_REGISTRY_SOURCE", json.dumps(fields))
        planned = PlannedConnection(
            conn_id="registry_source", kind=Asked.CONNECT, written_to=False, named=True, problem=""
        )
        return ask(Question(planned, ConnectionsSpec.from_params({"patience": 2}), "probe"))


def test_it_is_told_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = RegistryDouble()
    registry.put("orders-value", '{"type": "string"}')
    found = asked(monkeypatch, registry)
    assert (found.actual, found.missing) == ("a schema registry with 1 subject", [])


def test_one_that_refuses_the_login_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(monkeypatch, RegistryDouble(login=("ferry", "right")), "wrong-one")
    assert found.actual == ""
    assert found.missing
    assert "wrong-one" not in found.model_dump_json()
