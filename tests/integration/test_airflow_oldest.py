"""A whole Airflow of the oldest version we run on, with the wheel: page, clear, marks and backfill in its scheduler."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from dag_runs import ReadQuota, Runs, fill
from demo.airflow_api import FINISHED, AirflowApi, AirflowApiError
from own_dags import VARIABLE
from stack import Stack, s3
from stack.jars import cache_folder
from stack.stack import PROJECT
from wheel_airflow import build_wheel, make_venv, packages_of, put_wheel, versions

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1_800)]

OLDEST = versions()[0]
DAG = "mirror_maker2_on_connect"
TIMEOUT = 900


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Of a stack of its own: the wheel in Airflow's venv, and the plugins folder of the checkout beside it."""
    python = make_venv(cache_folder(PROJECT) / "airflows" / OLDEST, *packages_of(OLDEST))
    put_wheel(python, build_wheel(tmp_path_factory.mktemp("dist")))
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "oldest-stack"
    owner, program = int(os.environ["FERRY_TEST_SESSION_PID"]), python.with_name("airflow")
    stack = Stack(folder, airflow=True, owner_pid=owner, report=print, airflow_program=program)
    own_dags = os.environ.pop(VARIABLE, None)  # of the other Airflow of this session
    try:
        stack.up()
    finally:
        if own_dags is not None:
            os.environ[VARIABLE] = own_dags
    values = stack.variables()
    api = AirflowApi(values["FERRY_AIRFLOW_URL"], values["FERRY_AIRFLOW_USER"], values["FERRY_AIRFLOW_PASSWORD"])
    assert api._get("/api/v2/version")["version"] == OLDEST
    assert api.import_errors() == []
    yield Runs(stack, api)
    stack.down()


@pytest.fixture
def slow(runs: Runs) -> Iterator[Callable[[int], None]]:
    quota = ReadQuota(runs.stack)
    yield quota
    quota(0)


@pytest.fixture(scope="module")
def passed(runs: Runs) -> str:
    """A run that passed."""
    fill(runs.stack.source_bootstrap, "oldest.a", 5_000)
    run = runs.trigger("oldest", topics=["oldest.a"])
    assert runs.wait(run, TIMEOUT) == "success", runs.report(run)
    return run


def test_a_migration_passes_with_its_deferrals(runs: Runs, passed: str) -> None:
    report = runs.report(passed)
    assert (report["verdict"], report["failures"]) == ("PASS", [])
    assert report["topics"][0]["target_records"] == 5_000
    assert {task.state for task in runs.api.tasks(DAG, passed)} == {"success"}
    runs.nothing_is_left(passed)


def test_the_page_is_served_to_who_may_see_the_run(runs: Runs, passed: str) -> None:
    """No tab before 3.1, and a browser sends no token outside Airflow's own pages: clients of the API see it."""
    token = runs.api._session.headers["Authorization"]
    page = f"{runs.api.url}/kafka-ferry/report/{DAG}/{quote(passed, safe='')}"

    def get(url: str, **headers: str) -> requests.Response:
        return requests.get(url, headers=headers, timeout=60)

    assert get(page).status_code == 401
    assert get(page, Authorization="Bearer made-up").status_code in (401, 403)
    shown = get(page, Authorization=str(token))
    assert (shown.status_code, "PASS" in shown.text, "oldest.a" in shown.text) == (200, True, True)
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    lines = get(f"{page}/lines.json?table=topics", Authorization=str(token))
    assert "oldest.a" in lines.json()["html"]
    assert get(f"{page}/live.json", Authorization=str(token)).json()["done"] is True
    assert get(f"{page}/report.json", Authorization=str(token)).json()["verdict"] == "PASS"
    assert get(f"{page}x", Authorization=str(token)).status_code == 404
    jobs = f"{runs.api.url}/kafka-ferry/"
    assert get(jobs).status_code == 401
    listed = get(jobs, Authorization=str(token))
    assert (listed.status_code, "oldest" in listed.text, ">PASS<" in listed.text) == (200, True, True)


@pytest.mark.parametrize("task", ["deploy", "fingerprint", "validate"])
def test_a_cleared_task_works_again_to_the_same_verdict(runs: Runs, passed: str, task: str) -> None:
    tries = runs.task(passed, "deploy").try_number
    runs.clear(passed, task, wait=False)
    assert runs.wait(passed, TIMEOUT) == "success", runs.report(passed)
    assert runs.report(passed)["verdict"] == "PASS"
    assert runs.task(passed, "deploy").try_number == tries + 1, "a cleared task has its setups run again"
    runs.nothing_is_left(passed)


def test_a_run_that_is_marked_failed_is_torn_down_and_reported(runs: Runs, slow: Callable[[int], None]) -> None:
    fill(runs.stack.source_bootstrap, "oldest.marked", 20_000)
    slow(50_000)
    run = runs.trigger("oldest-marked", topics=["oldest.marked"])
    runs.until(run, lambda: runs.task(run, "wait_until_converged").state == "deferred", TIMEOUT)
    runs.api._call("PATCH", f"/api/v2/dags/{DAG}/dagRuns/{run}", {"state": "failed"})
    assert runs.wait(run, TIMEOUT) == "failed"
    assert runs.report(run)["verdict"] == "FAIL"
    runs.nothing_is_left(run)


def test_a_refused_plan_fails_at_once_with_the_fix(runs: Runs) -> None:
    run = runs.trigger("oldest-refused", topics=["oldest.a"], target_conn_id="nobody")
    assert runs.wait(run, TIMEOUT) == "failed"
    assert "connection 'nobody' does not exist" in runs.report(run)["failures"][0]
    runs.refused_at_once(run, "connection 'nobody' does not exist")
    assert runs.task(run, "deploy").state == "upstream_failed"


def test_a_dry_run_skips_the_rest(runs: Runs) -> None:
    run = runs.trigger("oldest-dry", topics=["oldest.a"], dry_run=True)
    assert runs.wait(run, TIMEOUT) == "success"
    assert {task.state for task in runs.api.tasks(DAG, run) if task.task_id != "plan"} == {"skipped"}


def backfilled(api: AirflowApi, dag: str, conf: dict[str, Any]) -> list[str]:
    """Run ids of a backfill of two nights, of a DAG that is still paused.

    Airflow 3.0.6 makes one run after the other, and on SQLite ends with HTTP 500 and half of them when its scheduler
    writes at that moment ("database is locked", seen once): what it has made is taken away, and it is asked again.
    """
    window = {"from_date": "2026-11-01T00:00:00Z", "to_date": "2026-11-03T00:00:00Z"}
    choice = {"run_backwards": False, "dag_run_conf": conf, "reprocess_behavior": "none", "max_active_runs": 1}
    for left in (2, 1, 0):
        refused = ""
        try:
            api._call("POST", "/api/v2/backfills", {"dag_id": dag, **window, **choice})
        except AirflowApiError as error:
            refused = str(error)
        found = api._get(f"/api/v2/dags/{dag}/dagRuns?limit=100")["dag_runs"]
        made = [run["dag_run_id"] for run in found if run["run_type"] == "backfill"]
        if not refused:
            return made
        assert "HTTP 500" in refused, refused
        assert left, refused
        for half in api._get(f"/api/v2/backfills?dag_id={dag}")["backfills"]:
            if not half["completed_at"]:
                api._call("PUT", f"/api/v2/backfills/{half['id']}/cancel")
        for run in made:
            assert api._send("DELETE", f"/api/v2/dags/{dag}/dagRuns/{quote(run, safe='')}", None).ok
    raise AssertionError("not reached")


def test_a_backfill_makes_its_nights(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "oldest.nights", 1_000)
    backups = Runs(runs.stack, runs.api, "backup_topics")
    conf = {"backup": "oldest", "topics": ["oldest.nights"], "location": f"s3://{s3.BUCKET}/oldest"}
    nights = backfilled(runs.api, backups.dag, conf)
    assert len(nights) == 2
    runs.api.pause(backups.dag, False)
    for night in nights:
        assert backups.wait(night, TIMEOUT) == "success", backups.report(night)
        assert backups.report(night)["verdict"] == "PASS"
    runs.api.pause(backups.dag, True)
    assert {backups.api.state(backups.dag, night) for night in nights} <= set(FINISHED)


def test_nothing_warns_of_us(runs: Runs, passed: str) -> None:
    """Last: in the logs of all four parts, and of all tasks."""
    logs = [*runs.stack.folder.glob("logs/airflow-*.log"), *runs.stack.folder.glob("airflow/logs/**/*.log")]
    assert len(logs) > 20
    warned = [
        line
        for path in logs
        for line in path.read_text(errors="replace").splitlines()
        if "Warning" in line and ("kafka_ferry" in line or str(PROJECT / "dags") in line)
    ]
    assert warned == []
