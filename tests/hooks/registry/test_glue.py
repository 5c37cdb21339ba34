"""The client of AWS Glue Schema Registry, against a double by botocore's model (``glue_double.py``)."""

from __future__ import annotations

import json

import pytest

from glue_double import GlueDouble
from kafka_ferry.core.schemas import Schema
from kafka_ferry.exceptions import BadConnection, NotAuthorized, TransientError
from kafka_ferry.hooks.registry.glue import GlueRegistry
from kafka_ferry.hooks.registry.hook import RegistryNotFound, leads_to_glue

ORDER = '{"type":"record","name":"Order","fields":[]}'


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> GlueDouble:
    double = GlueDouble()
    double.use(monkeypatch, "glue_source")
    return double


def test_what_is_there_is_read_page_by_page(glue: GlueDouble) -> None:
    ids = [glue.put("orders", ORDER.replace("Order", f"Order{number}")) for number in range(5)]
    for name in ("lines", "money", "prices"):
        glue.put(name, "{}", "JSON")
    hook = GlueRegistry("glue_source")

    assert hook.subjects() == ["orders", "lines", "money", "prices"]
    assert hook.versions("orders") == [1, 2, 3, 4, 5]
    assert hook.versions("none") == []
    found = hook.version("orders", 2)
    assert (found.id, found.schema) == (ids[1], Schema(ORDER.replace("Order", "Order1")))
    assert hook.version("money", 1).schema == Schema("{}", "JSON")
    assert hook.by_id(ids[4]) == Schema(ORDER.replace("Order", "Order4"))
    assert hook.by_id("00000000-0000-0000-0000-000000000000") is None
    with pytest.raises(RegistryNotFound, match="EntityNotFoundException"):
        hook.version("orders", 9)


def test_versions_that_are_not_available_are_none(glue: GlueDouble) -> None:
    glue.put("orders", ORDER)
    glue.put("orders", '"string"')
    glue.registries["shop"]["orders"].status[2] = "FAILURE"

    assert GlueRegistry("glue_source").versions("orders") == [1]


@pytest.mark.parametrize(
    ("theirs", "level", "mode"),
    [
        ("BACKWARD", "BACKWARD", None),
        ("FULL_ALL", "FULL_TRANSITIVE", None),
        ("NONE", "NONE", None),
        ("DISABLED", None, "READONLY"),
    ],
)
def test_levels_are_called_as_elsewhere(glue: GlueDouble, theirs: str, level: str | None, mode: str | None) -> None:
    glue.put("orders", ORDER, compatibility=theirs)
    hook = GlueRegistry("glue_source")

    assert (hook.compatibility("orders"), hook.mode("orders")) == (level, mode)
    assert (hook.compatibility(), hook.mode()) == (None, "READWRITE")


def test_its_registry_is_named_by_the_connection(glue: GlueDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GLUE_PLAIN", json.dumps({"conn_type": "aws", "login": "k", "password": "s",
                                                              "extra": {"region_name": "eu-west-1"}}))  # fmt: skip
    glue.registries["default-registry"] = {}
    assert GlueRegistry("glue_plain").subjects() == []
    assert glue.requests[-1][1]["RegistryId"] == {"RegistryName": "default-registry"}
    del glue.registries["default-registry"]
    with pytest.raises(BadConnection, match="AWS Glue has no schema registry 'default-registry' there"):
        GlueRegistry("glue_plain").subjects()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", NotAuthorized),
        ("ThrottlingException", TransientError),
        ("InternalServiceException", TransientError),
    ],
)
def test_errors_say_whether_to_try_again(glue: GlueDouble, code: str, kind: type[Exception]) -> None:
    glue.faults = {"ListSchemas": [code]}
    with pytest.raises(kind, match=code):
        GlueRegistry("glue_source").subjects()


def test_which_connections_lead_to_it(glue: GlueDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_REGISTRY", json.dumps({"conn_type": "http", "host": "r"}))

    assert [leads_to_glue(one) for one in ("glue_source", "registry", "nowhere")] == [True, False, False]
    with pytest.raises(BadConnection, match="'nowhere' does not exist"):
        GlueRegistry("nowhere").subjects()
