"""What an answer says of its connection, and what all of them together say."""

from __future__ import annotations

from kafka_ferry.core.checks import Status
from kafka_ferry.core.plan import Asked, PlannedConnection
from kafka_ferry.jobs.connections.rules.answer import Answer, check_of, checks_of, not_asked, sentence_of


def planned(
    conn_id: str, kind: Asked | None = Asked.KAFKA, *, named: bool = False, problem: str = ""
) -> PlannedConnection:
    return PlannedConnection(conn_id=conn_id, kind=kind, written_to=False, named=named, problem=problem)


ABSENT = planned("gone", None, problem="there is no such connection")


def test_what_is_missing_fails_what_is_limited_is_explained() -> None:
    line = planned("a")
    assert check_of(line, Answer(conn_id="a", actual="cluster x")).status is Status.PASS
    assert check_of(line, Answer(conn_id="a", limits=["l"])).status is Status.EXPLAINED
    found = check_of(line, Answer(conn_id="a", missing=["m"], limits=["l"], notes=["n", "o"]))
    assert (found.status, found.differences, found.detail) == (Status.FAIL, ["m", "l"], "n; o")
    assert found.expected == "a: a Kafka cluster to read from"


def test_an_absent_default_is_skipped_and_an_absent_one_that_was_named_fails() -> None:
    skipped = check_of(ABSENT, not_asked(ABSENT))
    assert (skipped.status, skipped.detail) == (Status.SKIPPED, "there is no such connection")
    named = ABSENT.model_copy(update={"named": True})
    assert check_of(named, not_asked(named)).differences == ["there is no such connection"]
    assert check_of(named, not_asked(named)).status is Status.FAIL


def test_a_default_of_a_type_that_cannot_be_used_fails() -> None:
    wrong = planned("kafka_source", None, problem="it is of type 'http2'")
    assert check_of(wrong, not_asked(wrong)).status is Status.FAIL


def test_one_whose_task_left_nothing_is_no_pass() -> None:
    (found,) = checks_of([planned("a")], {})
    assert found.status is Status.FAIL
    assert "it was not asked" in found.differences[0]


def test_checks_are_in_the_order_of_the_plan() -> None:
    lines = [planned("b"), ABSENT, planned("a")]
    answers = {one: Answer(conn_id=one) for one in ("a", "b")} | {"gone": not_asked(ABSENT)}
    found = checks_of(lines, answers)
    assert [check.name for check in found] == ["b", "gone", "a"]
    assert sentence_of(found) == (
        "2 connections answer, and nothing that was asked for is missing (1 more does not exist)."
    )


def test_the_sentence_tells_limits() -> None:
    found = checks_of([planned("a")], {"a": Answer(conn_id="a", limits=["l"])})
    assert sentence_of(found) == (
        "1 connection answers, and nothing that was asked for is missing (1 with limits that are named below)."
    )


def test_secrets_are_in_no_part_of_an_answer() -> None:
    found = Answer(conn_id="a", actual="x hush y", notes=["hush"], missing=["a hush"], limits=["hush b"])
    assert "hush" not in found.without({"hush"}).model_dump_json()
    assert "hunter2" not in Answer(conn_id="a", missing=["password=hunter2"]).without(()).model_dump_json()
