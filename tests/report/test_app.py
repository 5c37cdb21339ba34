"""The page's app under a path prefix, with the run given instead of read; the real one is in tests/browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api import security
from fastapi import FastAPI
from fastapi.testclient import TestClient

import report_samples as samples
from kafka_ferry.report import app as app_module
from kafka_ferry.report.app import app, find_run
from kafka_ferry.report.run import RunData

ODD = "manual__2026-11-21T08:00:00+00:00 50%/#?"
ODD_QUOTED = "manual__2026-11-21T08%3A00%3A00%2B00%3A00%2050%25%2F%23%3F"


@pytest.fixture(params=["", "/airflow/prod"])
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Mounted as Airflow mounts it; every caller may read, and each run is ``samples.passed``."""

    def known(dag_id: str, run_id: str) -> RunData:
        found = samples.running() if dag_id == "at_work" else samples.passed()
        return RunData(**{**vars(found), "dag_id": dag_id, "run_id": run_id})

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


def test_the_report_is_a_download(client, prefix):
    answer = client.get(f"{prefix}/kafka-ferry/report/d/{ODD_QUOTED}/report.json")
    assert answer.json()["verdict"] == "PASS"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="d-manual__2026-11-21T08_00_00_00_00_50____-report.json"'
    )
    missing = client.get(f"{prefix}/kafka-ferry/report/at_work/r/report.json")
    assert (missing.status_code, missing.json()) == (404, {"detail": "this run has no report yet"})


def test_the_policy_admits_nothing_from_elsewhere(client, prefix):
    policy = client.get(f"{prefix}/kafka-ferry/report/d/r").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("end", ["", "/report.json", "/live.json"])
def test_who_may_not_read_the_xcoms_of_the_dag_is_refused_before_the_run_is_looked_up(end, monkeypatch):
    """With Airflow's own guard, and an auth manager that gives rights by DAG, which Airflow's simple one cannot."""
    asked: list[tuple[str, str, str]] = []
    found: list[str] = []

    class ByDag:
        def is_authorized_dag(self, *, method: str, access_entity: DagAccessEntity, details: DagDetails, user: str):
            asked.append((user, method, str(access_entity.value)))
            return details.id == "mine"

    def look_up(dag_id: str, run_id: str) -> RunData:
        found.append(dag_id)
        return RunData(**{**vars(samples.passed()), "dag_id": dag_id, "run_id": run_id})

    monkeypatch.setattr(security, "get_auth_manager", ByDag)
    monkeypatch.setattr(security.DagModel, "get_team_name", lambda dag_id: None)
    monkeypatch.setattr(app, "dependency_overrides", {security.get_user: lambda: "ann", find_run: look_up})
    with TestClient(app, base_url="http://ferry.test") as client:
        assert client.get(f"/report/mine/r{end}").status_code == 200
        refused = client.get(f"/report/theirs/r{end}")

    assert (refused.status_code, refused.json()) == (403, {"detail": "Forbidden"})
    assert found == ["mine"]
    assert asked == [("ann", "GET", "XCOM")] * 2


def test_every_page_of_a_run_is_guarded():
    guarded = {route.path: route for route in app.routes if getattr(route, "dependant", None)}
    assert set(guarded) == {f"/report/{{dag_id}}/{{run_id:path}}{end}" for end in ("", "/report.json", "/live.json")}
    guard = app_module._ALLOWED[0].dependency
    for route in guarded.values():
        # First, so that nobody learns without a login which runs there are.
        assert route.dependant.dependencies[0].call is guard
