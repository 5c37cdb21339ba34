"""The page's app under a path prefix, on real artifacts; Airflow's database is in tests/browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.common.db.common import _get_session
from airflow.api_fastapi.core_api import security
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

import report_samples as samples
from airflow_database import database
from job_samples import NOW
from kafka_ferry.core.job_name import JobName
from kafka_ferry.plugin import KafkaFerryPlugin
from kafka_ferry.report import app as app_module
from kafka_ferry.report.app import Known, app, find_jobs, find_run
from kafka_ferry.report.artifacts import PLAN, PROGRESS, REPORT, RunArtifacts
from kafka_ferry.report.job_list import KnownRun
from kafka_ferry.report.job_runs import KnownRuns
from kafka_ferry.report.pages import write_pages

ADDRESSES = ("", "/report.json", "/live.json", "/lines.json")
ENDS = [f"{end}?table=topics" if "lines" in end else end for end in ADDRESSES]
OF_JOBS = ("/", "/lines.json")
ODD = "manual__2026-11-21T08:00:00+00:00 50%/#?"
ODD_QUOTED = "manual__2026-11-21T08%3A00%3A00%2B00%3A00%2050%25%2F%23%3F"


@pytest.fixture(params=["", "/airflow/prod"])
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def known(tmp_path: Path) -> Callable[[str, str], Known]:
    """Runs with their artifacts: ``at_work`` has no report, ``large`` many lines, ``before`` is of an older version."""

    def make(dag_id: str, run_id: str) -> Known:
        artifacts = RunArtifacts(dag_id, run_id, str(tmp_path))
        run = samples.running() if dag_id == "at_work" else samples.large() if dag_id == "large" else samples.passed()
        artifacts.write_json(PLAN, run.plan.to_json())
        if not artifacts.size(PROGRESS):
            for line in run.progress[-40:]:
                artifacts.append_line(PROGRESS, line)
        summary = None
        if run.report:
            report = run.report.model_copy(update={"dag_id": dag_id, "run_id": run_id})
            if dag_id == "before":
                summary = report.summary(artifacts.write_json(REPORT, report.to_json()))
            else:
                path = artifacts.write_blocks(REPORT, report.blocks())
                summary = report.summary(path) | {"pages": write_pages(artifacts, report)}
        return Known(artifacts, run.state, summary, {})

    return make


@pytest.fixture
def client(prefix: str, known: Callable[[str, str], Known], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Mounted as Airflow mounts it; every caller may read."""
    guard = app_module._ALLOWED[0].dependency
    assert guard
    monkeypatch.setattr(app, "dependency_overrides", {find_run: known, guard: lambda: None})
    airflow = FastAPI(root_path=prefix)
    airflow.mount("/kafka-ferry", app)
    with TestClient(airflow, base_url="http://ferry.test") as client:
        yield client


def test_addresses_carry_the_path_of_the_base_url(client, prefix):
    root = f"{prefix}/kafka-ferry"
    page = client.get(f"{root}/report/at_work/{ODD_QUOTED}")
    assert page.status_code == 200
    assert f'data-live="{root}/report/at_work/{ODD_QUOTED}/live.json"' in page.text
    assert f'src="{root}/static/page.js"' in page.text
    assert client.get(f"{root}/static/page.js").status_code == 200
    news = client.get(f"{root}/report/at_work/{ODD_QUOTED}/live.json").json()
    assert news["done"] is False
    assert "43.0 %" in news["html"]
    assert f'data-lines="{root}/report/large/{ODD_QUOTED}/lines.json"' in (
        client.get(f"{root}/report/large/{ODD_QUOTED}").text
    )


@pytest.mark.parametrize("dag", ["d", "before"])
def test_the_report_is_a_download(client, prefix, dag):
    answer = client.get(f"{prefix}/kafka-ferry/report/{dag}/{ODD_QUOTED}/report.json")
    assert answer.headers["content-type"] == "application/json"
    report = samples.passed().report
    assert report
    assert answer.json() == report.model_copy(update={"dag_id": dag, "run_id": ODD}).to_json()
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{dag}-manual__2026-11-21T08_00_00_00_00_50____-report.json"'
    )
    missing = client.get(f"{prefix}/kafka-ferry/report/at_work/r/report.json")
    assert (missing.status_code, missing.json()) == (404, {"detail": "this run has no report yet"})


def test_a_report_of_another_run_is_no_download(client, prefix, known, monkeypatch):
    def other(dag_id: str, run_id: str) -> Known:
        found = known(dag_id, run_id)
        report = samples.passed().report
        assert report
        found.artifacts.write_blocks(REPORT, report.blocks())
        return found

    monkeypatch.setitem(app.dependency_overrides, find_run, other)
    assert client.get(f"{prefix}/kafka-ferry/report/d/r/report.json").status_code == 404


def test_lines_are_given_a_page_at_a_time(client, prefix):
    address = f"{prefix}/kafka-ferry/report/large/r/lines.json"
    found = client.get(address, params={"table": "groups", "start": 5_950}).json()
    assert (found["start"], found["lines"], found["found"], found["html"].count("<tr")) == (5_950, 6_000, 6_000, 50)
    found = client.get(address, params={"table": "topics", "only": "true"}).json()
    assert (found["found"], found["html"].count("<tr")) == (1, 1)
    assert "one is lost" in found["html"]
    found = client.get(address, params={"table": "groups", "find": "CONSUMER-7", "sort": 3, "down": "true"}).json()
    assert found["found"] == 100
    assert found["html"].index(">99<") < found["html"].index(">98<")


def test_names_in_lines_stay_text(client, prefix, known, monkeypatch):
    evil = "<img src=x onerror=alert(1)>"

    def nasty(dag_id: str, run_id: str) -> Known:
        found = known("large", run_id)
        report = samples.report(
            [samples.topic(evil, detail=evil)] * 150, [samples.group(evil, i, topic=evil) for i in range(150)], []
        )
        return replace(found, summary={"verdict": "PASS", "pages": write_pages(found.artifacts, report)})

    monkeypatch.setitem(app.dependency_overrides, find_run, nasty)
    for table in ("topics", "groups"):
        html = client.get(
            f"{prefix}/kafka-ferry/report/large/r/lines.json", params={"table": table, "start": 100, "find": "<IMG"}
        ).json()["html"]
        assert html.count("<tr") == 50
        assert "<img" not in html
        assert "&lt;img" in html


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"table": "../../report.json"},
        {"table": "backups"},
        {"table": "topics", "start": -1},
        {"table": "topics", "start": 10**12},
        {"table": "topics", "sort": 9},
        {"table": "topics", "find": "x" * 501},
    ],
)
def test_what_is_no_question_is_refused(client, prefix, asked):
    assert client.get(f"{prefix}/kafka-ferry/report/large/r/lines.json", params=asked).status_code == 422


def test_a_run_without_lines_has_none_to_give(client, prefix):
    for dag in ("at_work", "before"):
        answer = client.get(f"{prefix}/kafka-ferry/report/{dag}/r/lines.json", params={"table": "topics"})
        assert answer.status_code == 404


def test_lines_that_cannot_be_read_are_named(client, prefix, known, monkeypatch):
    def damaged(dag_id: str, run_id: str) -> Known:
        found = known("large", "r")
        assert found.summary
        found.artifacts.write_text(f"pages/{found.summary['pages']}.topics.jsonl", "[1]")
        return found

    monkeypatch.setitem(app.dependency_overrides, find_run, damaged)
    answer = client.get(f"{prefix}/kafka-ferry/report/large/r/lines.json", params={"table": "topics"})
    assert answer.status_code == 503
    assert "Fix: clear the task report" in answer.json()["detail"]


def test_the_policy_admits_nothing_from_elsewhere(client, prefix):
    policy = client.get(f"{prefix}/kafka-ferry/report/d/r").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("end", ENDS)
def test_who_may_not_read_the_xcoms_of_the_dag_is_refused_before_the_run_is_looked_up(end, known, monkeypatch):
    """With Airflow's own guard, and an auth manager that gives rights by DAG, which Airflow's simple one cannot."""
    asked: list[tuple[str, str, str]] = []
    found: list[str] = []

    class ByDag:
        def is_authorized_dag(self, *, method: str, access_entity: DagAccessEntity, details: DagDetails, user: str):
            asked.append((user, method, str(access_entity.value)))
            return details.id == "mine"

    def look_up(dag_id: str, run_id: str) -> Known:
        found.append(dag_id)
        return known(dag_id, run_id)

    monkeypatch.setattr(security, "get_auth_manager", ByDag)
    monkeypatch.setattr(security.DagModel, "get_team_name", lambda dag_id: None)
    monkeypatch.setattr(app, "dependency_overrides", {security.get_user: lambda: "ann", find_run: look_up})
    with TestClient(app, base_url="http://ferry.test") as client:
        assert client.get(f"/report/mine/r{end}").status_code == 200
        refused = client.get(f"/report/theirs/r{end}")

    assert (refused.status_code, refused.json()) == (403, {"detail": "Forbidden"})
    assert found == ["mine"]
    assert asked == [("ann", "GET", "XCOM")] * 2


def test_every_page_is_guarded():
    guarded = {route.path: route for route in app.routes if getattr(route, "dependant", None)}
    of_runs = {f"/report/{{dag_id}}/{{run_id:path}}{end}" for end in ADDRESSES}
    # No page: tasks ask it, which have no login. It tells of one pool, by its name (tests/jobs/common/test_pool.py).
    guarded.pop("/pool")
    assert set(guarded) == of_runs | set(OF_JOBS)
    guard = app_module._ALLOWED[0].dependency
    for end in OF_JOBS:
        assert guarded[end].dependant.dependencies[0].call is find_jobs
        # Before the database is asked.
        assert guarded[end].dependant.dependencies[0].dependencies[0].call is app_module.readable
    for route in (guarded[path] for path in of_runs):
        # First, so that nobody learns without a login which runs there are.
        assert route.dependant.dependencies[0].call is guard


def jobs(*names: str) -> KnownRuns:
    made = [JobName(kind="copy", name=name) for name in names]
    return KnownRuns([KnownRun(number, "mm2", ODD, "running", NOW, job) for number, job in enumerate(made)])


def test_the_page_of_all_jobs_carries_the_path_of_the_base_url(client, prefix, monkeypatch):
    monkeypatch.setitem(app.dependency_overrides, find_jobs, lambda: jobs("flights"))
    root = f"{prefix}/kafka-ferry"
    page = client.get(f"{root}/?days=7")
    assert page.status_code == 200
    assert f'data-lines="{root}/lines.json?days=7"' in page.text
    assert f'href="{root}/report/mm2/{ODD_QUOTED}"' in page.text
    assert f'data-tab="{prefix}/dags/mm2/runs/{ODD_QUOTED}/plugin/kafka_ferry"' in page.text
    assert client.get(f"{root}/static/ferry.svg").headers["content-type"] == "image/svg+xml"
    policy = page.headers["content-security-policy"]
    assert policy == client.get(f"{root}/report/d/r").headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


def test_the_page_knows_where_the_plugin_puts_it():
    tab, nav = KafkaFerryPlugin.external_views
    assert nav["href"] == f"{app_module.MOUNTED}/"
    assert KafkaFerryPlugin.fastapi_apps[0]["url_prefix"] == app_module.MOUNTED
    assert tab["url_route"] == app_module.TAB


def test_lines_of_jobs_are_found(client, prefix, monkeypatch):
    monkeypatch.setitem(app.dependency_overrides, find_jobs, lambda: jobs("flights", "orders", "<b>x</b>"))
    address = f"{prefix}/kafka-ferry/lines.json"
    found = client.get(address, params={"find": "ORD", "days": 3, "sort": 0}).json()
    assert (found["found"], found["lines"], found["html"].count("<tr")) == (1, 3, 1)
    assert "orders" in found["html"]
    assert "<b>" not in client.get(address).json()["html"]


@pytest.mark.parametrize("asked", [{"days": 0}, {"days": 10**6}, {"days": "x"}, {"start": -1}, {"start": 10**12}])
def test_what_is_no_question_about_jobs_is_refused(client, prefix, monkeypatch, asked):
    monkeypatch.setitem(app.dependency_overrides, find_jobs, lambda: jobs("flights"))
    assert client.get(f"{prefix}/kafka-ferry/", params=asked).status_code == 422


def test_of_all_jobs_those_are_shown_whose_xcoms_the_user_may_read(tmp_path, monkeypatch):
    """With Airflow's own guard and tables, and an auth manager that gives rights by DAG."""
    asked: list[tuple[str, str, str, str]] = []

    class ByDag:
        def is_authorized_dag(self, *, method: str, access_entity: DagAccessEntity, details: DagDetails, user: str):
            asked.append((user, method, str(access_entity.value), str(details.id)))
            return details.id == "mine"

    monkeypatch.setattr(security, "get_auth_manager", ByDag)
    monkeypatch.setattr(security.DagModel, "get_team_name", lambda dag_id: None)
    with database(tmp_path) as airflow:
        for dag_id in ("mine", "theirs"):
            airflow.dag(dag_id)
            airflow.run(dag_id, "r", JobName(kind="copy", name=f"of-{dag_id}"), "PASS")
        airflow.write()
        overrides = {security.get_user: lambda: "ann", _get_session: lambda: airflow.session}
        monkeypatch.setattr(app, "dependency_overrides", overrides)
        with TestClient(app, base_url="http://ferry.test") as client:
            page, lines = client.get("/"), client.get("/lines.json")
            assert (page.status_code, "of-mine" in page.text, "theirs" in page.text) == (200, True, False)
            assert (lines.json()["lines"], "theirs" in lines.text) == (1, False)
    assert asked == [("ann", "GET", "XCOM", "mine"), ("ann", "GET", "XCOM", "theirs")] * 2


@pytest.mark.parametrize("end", OF_JOBS)
def test_without_a_login_no_job_is_told_and_no_database_is_asked(end, monkeypatch):
    def nobody() -> None:
        raise HTTPException(401, "Not authenticated")

    def no_session() -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(app, "dependency_overrides", {security.get_user: nobody, _get_session: no_session})
    with TestClient(app, base_url="http://ferry.test") as client:
        assert client.get(end).status_code == 401
