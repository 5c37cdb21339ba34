"""One connection: bounded in time, without secrets, and never in the way of the others."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from kafka_ferry.compat import BaseHook
from kafka_ferry.core.plan import Asked, PlannedConnection
from kafka_ferry.exceptions import BadParam, FerryError, TransientError
from kafka_ferry.extras import MissingExtra
from kafka_ferry.jobs.connections.live.asking import ask, secrets_of, type_of
from kafka_ferry.jobs.connections.live.planning import planned_connections, probe_name
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec

SECRET = "s3cr'et\\$" + "{x}"


def question(conn_id: str, kind: Asked | None = Asked.KAFKA, **params: Any) -> Question:
    planned = PlannedConnection(conn_id=conn_id, kind=kind, written_to=False, named=True, problem="gone")
    return Question(planned, ConnectionsSpec.from_params({"patience": 1, **params}), "probe")


def answered(asking: Any, conn_id: str = "shop", **params: Any) -> Answer:
    return ask(question(conn_id, **params), lambda kind: asking)


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"bootstrap.servers": "127.0.0.1:1", "sasl.password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "kafka", "password": "hush hush", "extra": extra}))


@pytest.mark.parametrize("error", [FerryError("no"), BadParam("x", "is bad", "y"), MissingExtra("no boto3")])
def test_an_error_is_the_answer(error: FerryError) -> None:
    def fails(question: Question, answer: Answer) -> None:
        answer.actual = "cluster x"
        raise error

    found = answered(fails)
    assert (found.actual, found.missing) == ("cluster x", [str(error)])


def test_where_nothing_answers_it_is_said_what_to_look_at() -> None:
    def dead(question: Question, answer: Answer) -> None:
        raise TransientError("shop: cannot describe the cluster: timed out.")

    (told,) = answered(dead).missing
    assert told.startswith("shop: cannot describe the cluster: timed out. Fix: does it run, is the address right")


def test_a_fault_of_ours_or_of_a_library_is_an_answer_too() -> None:
    def fails(question: Question, answer: Answer) -> None:
        raise KeyError("x")

    assert answered(fails).missing == ["KeyError: 'x'"]


def test_one_that_does_not_answer_ends_in_time_and_what_it_said_is_kept() -> None:
    def hangs(question: Question, answer: Answer) -> None:
        answer.notes.append("as User:ferry")
        time.sleep(30)

    begun = time.monotonic()
    found = answered(hangs)
    assert time.monotonic() - begun < 10
    assert found.notes == ["as User:ferry"]
    assert found.missing == ["it did not answer within 3 s. Fix: look at the system, or raise patience"]


def test_no_secret_of_the_connection_is_in_its_answer() -> None:
    def quotes(question: Question, answer: Answer) -> None:
        answer.notes.append(f"login {SECRET}")
        raise RuntimeError(f"got {SECRET!r} and hush hush")

    told = answered(quotes).model_dump_json()
    assert "s3cr" not in told
    assert "hush" not in told
    assert "***" in told
    assert secrets_of("shop") == {SECRET, "hush hush"}
    assert secrets_of("not_there") == set()


def test_one_that_is_not_there_is_not_asked() -> None:
    def never(question: Question, answer: Answer) -> None:
        raise AssertionError

    assert ask(question("x", kind=None), lambda kind: never).missing == ["gone"]


def test_a_connection_that_cannot_be_read_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(conn_id: str) -> Any:
        raise ValueError("not a URI: kafka://ferry:hunter2@")

    with monkeypatch.context() as backend:
        backend.setattr(BaseHook, "get_connection", broken)
        with pytest.raises(FerryError, match=r"cannot be read \(ValueError\)") as told:
            type_of("broken")
        assert told.value.__cause__ is None
        plan = planned_connections(ConnectionsSpec.from_params({"connections": ["broken"]}))
        assert ask(question("broken")).missing, "and asking it anyway never passes"
    assert "cannot be read" in plan.connections[0].problem
    assert "hunter2" not in json.dumps(plan.to_json()) + str(told.value)


def test_a_variable_that_is_no_connection_is_not_called_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", '{"conn_type": "kafka", "password": "hunter2')
    plan = planned_connections(ConnectionsSpec.from_params({"connections": ["broken", "shop"]}))
    broken, good = plan.connections
    assert (broken.kind, good.kind) == (None, Asked.KAFKA)
    assert broken.problem.startswith("AIRFLOW_CONN_BROKEN cannot be read. Fix: a URI, or JSON")
    assert "hunter2" not in json.dumps(plan.to_json())


def test_the_plan_tells_what_is_there_and_what_is_nearly_named_so() -> None:
    plan = planned_connections(ConnectionsSpec.from_params({"connections": ["shop", "shopp"]}))
    assert plan.connections[0].kind is Asked.KAFKA
    assert plan.connections[1].problem == "there is no such connection; did you mean shop?"
    assert SECRET not in json.dumps(plan.to_json())


def test_aws_default_need_not_exist_once_something_is_asked_of_aws() -> None:
    (plain,) = planned_connections(ConnectionsSpec.from_params({"connections": ["aws_default"]})).connections
    asked = ConnectionsSpec.from_params({"connections": ["aws_default"], "location": "s3://bucket/prefix"})
    (used,) = planned_connections(asked).connections
    assert (plain.kind, used.kind) == (None, Asked.AWS)


def test_a_location_that_the_deployment_does_not_allow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__KAFKA_FERRY__LOCATIONS", "s3://ours")
    with pytest.raises(BadParam, match=r"param 'location'.*may be read and written"):
        planned_connections(ConnectionsSpec.from_params({"location": "s3://theirs"}))


def test_a_host_that_the_deployment_does_not_allow_is_not_logged_in_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__KAFKA_FERRY__HOSTS", "other")
    monkeypatch.setenv("AIRFLOW_CONN_BOX", json.dumps({"conn_type": "ssh", "host": "127.0.0.1", "port": 1}))
    (told,) = ask(question("box", Asked.HOST)).missing
    assert "'box' is not a host that may be used" in told
    assert "AIRFLOW__KAFKA_FERRY__HOSTS" in told


def test_a_dead_broker_worker_and_server_are_told_by_their_own_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WORKER", json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": 1}))
    fields = {"conn_type": "mysql", "host": "127.0.0.1", "port": 1, "login": "a", "password": "hush hush"}
    monkeypatch.setenv("AIRFLOW_CONN_DATABASE", json.dumps(fields))
    for conn_id, kind in (("shop", Asked.KAFKA), ("worker", Asked.CONNECT), ("database", Asked.DATABASE)):
        begun = time.monotonic()
        found = ask(question(conn_id, kind))
        assert time.monotonic() - begun < 20, conn_id
        assert found.missing, conn_id
        assert "s3cr" not in found.model_dump_json()
        assert "hush" not in found.model_dump_json()


def test_the_probe_is_the_same_on_each_try_and_another_for_each_connection() -> None:
    one = probe_name("check_connections", "manual__1", "aws_default")
    assert one == probe_name("check_connections", "manual__1", "aws_default")
    assert one != probe_name("check_connections", "manual__1", "aws_other")
    assert one != probe_name("check_connections", "manual__2", "aws_default")
