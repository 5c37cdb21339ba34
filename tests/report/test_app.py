"""The page's app under a path prefix, with the run given instead of read; the real one is in tests/browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
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


def test_every_page_of_a_run_is_guarded():
    guarded = {route.path: route for route in app.routes if getattr(route, "dependant", None)}
    assert set(guarded) == {f"/report/{{dag_id}}/{{run_id:path}}{end}" for end in ("", "/report.json", "/live.json")}
    guard = app_module._ALLOWED[0].dependency
    for route in guarded.values():
        # First, so that nobody learns without a login which runs there are.
        assert route.dependant.dependencies[0].call is guard
