"""The tasks in order: one connection's trouble is its own line, and the verdict is of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from connections_by_hand import CheckRun
from kafka_ferry.core.job_name import JobName
from kafka_ferry.core.plan import Asked
from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.connections.live import asking
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.spec import DEFAULTS
from kafka_ferry.jobs.connections.tasks import (
    AskOperator,
    ConnectionsReportOperator,
    PlanConnectionsOperator,
    ValidateConnectionsOperator,
)

SECRET = "hush-hush-hush"


@pytest.fixture(autouse=True)
def two_clusters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``kafka_source`` answers, ``kafka_target`` does not; nothing else is there."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    for name in DEFAULTS:
        monkeypatch.delenv(f"AIRFLOW_CONN_{name.upper()}", raising=False)
    extra = {"bootstrap.servers": "127.0.0.1:1", "sasl.password": SECRET}
    for name in ("KAFKA_SOURCE", "KAFKA_TARGET"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps({"conn_type": "kafka", "extra": extra}))

    def asker(kind: Asked) -> Any:
        def ask(question: Question, answer: Answer) -> None:
            if question.conn_id == "kafka_target":
                raise TransientError(f"kafka_target: no answer in 20 s, sasl.password is {SECRET}")
            answer.actual = f"cluster x of {kind.value}"

        return ask

    monkeypatch.setattr(asking, "_asker", asker)


def test_one_that_does_not_answer_fails_the_run_and_the_others_are_told(tmp_path: Path) -> None:
    run = CheckRun("run")
    report = run.whole()
    statuses = {check["name"]: check["status"] for check in report["checks"]}
    assert statuses == {
        "kafka_source": "pass",
        "kafka_target": "fail",
        "kafka_connect": "skipped",
        "aws_default": "skipped",
        "database_source": "skipped",
        "registry_source": "skipped",
        "registry_target": "skipped",
    }
    assert report["verdict"] == "FAIL"
    assert report["failures"] == []
    everything = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file()) + str(run.seen)
    assert "no answer in 20 s" in everything
    assert SECRET not in everything


def test_all_that_answer_pass_and_defaults_that_are_not_there_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_KAFKA_TARGET")
    report = CheckRun("run").whole()
    assert report["verdict"] == "PASS"
    assert report["sentence"] == (
        "1 connection answers, and nothing that was asked for is missing (6 more do not exist)."
    )


def test_a_pass_lets_no_event_come_that_says_something_was_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(ConnectionsReportOperator, "tell_others", lambda *given: told.append(given))
    run = CheckRun("run", connections=["kafka_source"])
    monkeypatch.setattr("kafka_ferry.jobs.common.job_of.job_of", lambda *_: JobName(kind="ask", name="kafka_source"))
    assert run.whole()["verdict"] == "PASS"
    assert told == []


def test_where_nothing_is_there_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_SOURCE", "KAFKA_TARGET"):
        monkeypatch.delenv(f"AIRFLOW_CONN_{name}")
    report = CheckRun("run").whole()
    assert {check["status"] for check in report["checks"]} == {"skipped"}
    assert report["verdict"] == "FAIL"


def test_a_named_one_that_is_not_there_fails() -> None:
    checks = CheckRun("run", connections=["kafka_source", "kafka_sources"]).checks()
    assert checks["kafka_source"]["status"] == "pass"
    assert checks["kafka_sources"]["status"] == "fail"
    assert checks["kafka_sources"]["differences"] == [
        "there is no such connection; did you mean kafka_source or kafka_target?"
    ]


def test_a_param_that_cannot_work_ends_with_the_plan() -> None:
    run = CheckRun("run", connections=["kafka_source"], location="s3://bucket/x")
    with pytest.raises(AirflowFailException, match="no connection of type aws is asked"):
        run.do(PlanConnectionsOperator, "plan")


def test_answers_of_an_earlier_try_with_other_connections_are_forgotten() -> None:
    first = CheckRun("run", connections=["kafka_source", "kafka_target"])
    first.whole()
    again = CheckRun("run", connections=["kafka_target"])
    again.do(PlanConnectionsOperator, "plan")
    assert again.do(ValidateConnectionsOperator, "validate") == {"kafka_target": "fail"}
    assert "it was not asked" in again.artifacts.read_json("checks.json")["checks"][0]["differences"][0]


def test_the_log_has_the_answer_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    run = CheckRun("run", connections=["kafka_target"])
    for shard in run.do(PlanConnectionsOperator, "plan"):
        assert run.do(AskOperator, "ask", shard=shard) == "fail"
    said = capsys.readouterr()
    assert "no answer in 20 s" in said.out
    assert SECRET not in said.out + said.err
