"""The demo's calls of Airflow's REST API, against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import responses

from demo import airflow_api
from demo.airflow_api import AirflowApi, AirflowApiError, Task, log_lines

URL = "http://127.0.0.1:8080"
RUN = f"{URL}/api/v2/dags/d/dagRuns/r"


@pytest.fixture
def airflow() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def api() -> AirflowApi:
    return AirflowApi(f"{URL}/", "admin", "pass-word-1")


def test_logs_in_when_asked_to_and_repeats_the_call(airflow: responses.RequestsMock, api: AirflowApi) -> None:
    airflow.get(RUN, status=401)
    airflow.post(
        f"{URL}/auth/token",
        json={"access_token": "t0k"},
        status=201,
        match=[responses.matchers.json_params_matcher({"username": "admin", "password": "pass-word-1"})],
    )
    airflow.get(
        RUN, json={"state": "running"}, match=[responses.matchers.header_matcher({"Authorization": "Bearer t0k"})]
    )
    assert api.state("d", "r") == "running"


def test_a_refused_login_is_told_without_the_password(airflow: responses.RequestsMock, api: AirflowApi) -> None:
    airflow.get(RUN, status=401)
    airflow.post(f"{URL}/auth/token", status=401, body="pass-word-1 is wrong")
    with pytest.raises(AirflowApiError, match="login as admin: HTTP 401") as caught:
        api.state("d", "r")
    assert "pass-word-1" not in str(caught.value)


def test_triggers_without_a_logical_date(airflow: responses.RequestsMock, api: AirflowApi) -> None:
    airflow.post(f"{URL}/api/v2/dags/d/dagRuns", json={"dag_run_id": "r"})
    api.trigger("d", "r", {"topics": ["a"]})
    sent = json.loads(airflow.calls[0].request.body or b"")
    assert sent == {"dag_run_id": "r", "logical_date": None, "conf": {"topics": ["a"]}}


def test_airflows_own_words_are_in_the_error(airflow: responses.RequestsMock, api: AirflowApi) -> None:
    airflow.post(f"{URL}/api/v2/dags/d/dagRuns", status=400, json={"detail": "'x' is not of type 'array'"})
    with pytest.raises(AirflowApiError, match=r"HTTP 400: .*not of type 'array'"):
        api.trigger("d", "r", {"topics": "x"})


def test_a_dag_not_parsed_yet_is_unknown_and_a_broken_server_is_an_error(
    airflow: responses.RequestsMock, api: AirflowApi
) -> None:
    airflow.get(f"{URL}/api/v2/dags/d", status=404)
    airflow.get(f"{URL}/api/v2/dags/d", json={"dag_id": "d"})
    airflow.get(f"{URL}/api/v2/dags/d", status=500)
    assert not api.dag_is_known("d")
    assert api.dag_is_known("d")
    with pytest.raises(AirflowApiError, match="HTTP 500"):
        api.dag_is_known("d")


@pytest.mark.parametrize(("locked", "answers"), [(1, True), (4, True), (5, False)])
def test_a_locked_database_is_asked_again_but_not_for_ever(
    airflow: responses.RequestsMock, api: AirflowApi, monkeypatch: pytest.MonkeyPatch, locked: int, answers: bool
) -> None:
    monkeypatch.setattr(airflow_api, "LOCKED_WAIT_S", 0)
    for _ in range(locked):
        airflow.get(RUN, status=500, json={"detail": {"reason": "Database error", "statement": "hidden"}})
    if answers:
        airflow.get(RUN, json={"state": "running"})
        assert api.state("d", "r") == "running"
    else:
        with pytest.raises(AirflowApiError, match=r"HTTP 500: .*Database error"):
            api.state("d", "r")
    assert len(airflow.calls) == locked + answers


def test_a_backfill_that_met_a_locked_database_is_asked_for_again(
    airflow: responses.RequestsMock, api: AirflowApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_api, "LOCKED_WAIT_S", 0)
    url = f"{URL}/api/v2/backfills"
    airflow.post(url, status=503, json={"detail": "Database is locked. Backfill creation is not supported on SQLite …"})
    airflow.post(url, json={"id": 1})
    assert api._call("POST", "/api/v2/backfills", {}) == {"id": 1}
    airflow.post(url, status=503, json={"detail": "away"})
    with pytest.raises(AirflowApiError, match=r"HTTP 503: .*away"):
        api._call("POST", "/api/v2/backfills", {})


def test_a_question_is_asked_again_after_http_500_and_a_change_is_not(
    airflow: responses.RequestsMock, api: AirflowApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_api, "LOCKED_WAIT_S", 0)
    url = f"{URL}/api/v2/assets/events"
    airflow.get(url, status=500, body="Internal Server Error")
    airflow.get(url, json={"asset_events": []})
    assert api._get("/api/v2/assets/events") == {"asset_events": []}
    airflow.post(url, status=500, body="Internal Server Error")
    with pytest.raises(AirflowApiError, match="HTTP 500"):
        api._call("POST", "/api/v2/assets/events", {})
    assert len(airflow.calls) == 3


def test_import_errors_name_the_file(airflow: responses.RequestsMock, api: AirflowApi) -> None:
    found = [{"filename": "x.py", "stack_trace": "SyntaxError"}]
    airflow.get(f"{URL}/api/v2/importErrors", json={"import_errors": found, "total_entries": 1})
    assert api.import_errors() == ["x.py:\nSyntaxError"]


def test_tasks_and_their_names(airflow: responses.RequestsMock, api: AirflowApi) -> None:
    one = {"task_id": "plan", "state": None, "map_index": -1, "try_number": 0, "pool": "default"}
    two = {"task_id": "print", "state": "failed", "map_index": 3, "try_number": 2}
    airflow.get(f"{RUN}/taskInstances", json={"task_instances": [one, two]})
    assert [task.name for task in api.tasks("d", "r")] == ["plan", "print[3]"]


def test_a_log_is_its_events_and_exceptions_without_folding_marks(
    airflow: responses.RequestsMock, api: AirflowApi
) -> None:
    error = {
        "exc_type": "DataLossError",
        "exc_value": "topic a: 3 records lost",
        "frames": [{"filename": "f.py", "lineno": i, "name": "g"} for i in range(9)],
    }
    content = [
        {"event": "::group::Pre Execute"},
        {"timestamp": "2026-01-01T00:00:00Z", "level": "error", "event": "Task failed", "error_detail": [error]},
    ]
    airflow.get(f"{RUN}/taskInstances/validate/logs/2", json={"content": content, "continuation_token": None})
    assert api.log("d", "r", Task("validate", "failed", 1, 2)) == [
        "error Task failed",
        *[f"    f.py:{i} in g" for i in range(4, 9)],
        "    DataLossError: topic a: 3 records lost",
    ]
    assert airflow.calls[0].request.params["map_index"] == "1"


def test_a_log_entry_may_be_plain_text() -> None:
    assert log_lines("a\nb") == ["a", "b"]
