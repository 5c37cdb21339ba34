"""Which connections are asked, which are not there, and what is refused before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.plan import Asked, PlannedConnection
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.connections.rules.plan import plan_of, planned
from kafka_ferry.jobs.connections.rules.spec import DEFAULTS, ConnectionsSpec
from params_tables import SPECS

KNOWN = {"kafka_source", "kafka_target", "kafka_connect", "our_bucket"}


def spec(**params: Any) -> ConnectionsSpec:
    return ConnectionsSpec.from_params(params)


def line(conn_id: str, kind: str | None, **params: Any) -> PlannedConnection:
    return planned(conn_id, kind, spec(**params), KNOWN)


def test_without_params_the_defaults_of_all_other_dags_are_asked() -> None:
    said = {
        field.default
        for kind in SPECS.values()
        if kind is not ConnectionsSpec
        for name, field in kind.model_fields.items()
        if name.endswith("conn_id") and isinstance(field.default, str)
    }
    assert said == set(DEFAULTS)
    assert spec().asked == list(DEFAULTS)
    assert not spec().named


def test_a_connection_named_twice_is_asked_once() -> None:
    assert spec(connections=["b", " a", "b"]).asked == ["b", "a"]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"connections": ["{{ conn }}"]}, "connections"),
        ({"connections": ["a b"]}, "connections"),
        ({"topics": ["orders.*"]}, "topics"),
        ({"location": "file:///tmp"}, "location"),
        ({"location": "s3://"}, "location"),
        ({"services": ["lambda"]}, "services"),
        ({"cluster_arn": "orders"}, "cluster_arn"),
        ({"patience": 0}, "patience"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(params: dict[str, Any], param: str) -> None:
    with pytest.raises(BadParam) as refused:
        spec(**params)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("kafka", Asked.KAFKA),
        ("kafka_connect", Asked.CONNECT),
        ("http", Asked.CONNECT),
        ("aws", Asked.AWS),
        ("mysql", Asked.DATABASE),
        ("ssh", Asked.HOST),
    ],
)
def test_the_type_says_what_is_asked(kind: str, asked: Asked) -> None:
    found = line("kafka_target", kind)
    assert (found.kind, found.problem) == (asked, "")
    assert found.written_to == (asked is Asked.KAFKA)


def test_one_that_is_not_there_is_told_with_what_is_nearly_the_same() -> None:
    assert line("kafka_sorce", None, connections=["kafka_sorce"]).problem == (
        "there is no such connection; did you mean kafka_source or kafka_target or kafka_connect?"
    )
    assert line("x", None, connections=["x"]).problem == (
        "there is no such connection. Fix: create it, or correct the id"
    )
    assert line("kafka_target", None).problem == "there is no such connection", "a default that nobody named"


def test_one_of_a_type_that_nothing_uses_is_told_with_those_that_are() -> None:
    found = line("our_bucket", "postgres")
    assert found.kind is None
    assert "'postgres'" in found.problem
    assert "kafka, kafka_connect, http, aws, mysql, ssh" in found.problem


def test_a_connection_written_to_that_is_not_asked_is_refused_and_the_default_is_not() -> None:
    asked = spec(connections=["kafka_source"], written_to=["kafka_sourc"])
    with pytest.raises(BadParam, match=r"param 'written_to'.*did you mean kafka_source"):
        plan_of(asked, [planned("kafka_source", "kafka", asked, KNOWN)], "now")
    plan = plan_of(spec(connections=["kafka_source"]), [line("kafka_source", "kafka")], "now")
    assert plan.notes == ["kafka_source: a Kafka cluster to read from"]


@pytest.mark.parametrize("more", [{"location": "s3://b/p"}, {"services": ["msk_connect"]}])
def test_questions_to_aws_take_a_connection_of_its_type(more: dict[str, Any]) -> None:
    asked = spec(connections=["kafka_source"], **more)
    with pytest.raises(BadParam, match="no connection of type aws") as refused:
        plan_of(asked, [planned("kafka_source", "kafka", asked, KNOWN)], "now")
    assert refused.value.param in more
    plan_of(asked, [planned("our_bucket", "aws", asked, KNOWN)], "now")
