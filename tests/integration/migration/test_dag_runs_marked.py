"""Runs that a user ends by hand, in a real Airflow: never green without a verdict, and what did not work is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dag_runs import Runs, fill
from demo.airflow_api import AirflowApi
from stack import Stack

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[3] / "include" / "examples"
DAGS = sorted(path.stem for path in (Path(__file__).parents[3] / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def runs(airflow_stack: Stack, airflow_api: AirflowApi) -> Runs:
    return Runs(airflow_stack, airflow_api)


@pytest.fixture
def paused(airflow_api: AirflowApi) -> Iterator[Callable[[str, bool], None]]:
    """``paused(dag, True)``: its runs stay queued, so that they can be marked before they begin."""
    before: dict[str, bool] = {}

    def pause(dag: str, paused: bool) -> None:
        before.setdefault(dag, bool(airflow_api._get(f"/api/v2/dags/{dag}")["is_paused"]))
        airflow_api._call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": paused})

    yield pause
    for dag, was in before.items():
        airflow_api._call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": was})


def mark_run(runs: Runs, run: str, state: str) -> None:
    runs.api._call("PATCH", f"/api/v2/dags/{runs.dag}/dagRuns/{run}", {"state": state})


def mark_task(runs: Runs, run: str, task: str, state: str) -> None:
    body: dict[str, Any] = {"new_state": state}
    runs.api._call("PATCH", f"/api/v2/dags/{runs.dag}/dagRuns/{run}/taskInstances/{task}", body)


@pytest.mark.parametrize("state", [pytest.param("failed", marks=pytest.mark.nightly), "success"])
def test_a_run_that_is_marked_in_the_wait_is_torn_down_and_fails_with_a_report(
    runs: Runs, slow_source: Callable[[int], None], state: str
) -> None:
    topic = f"marked.{state}"
    fill(runs.stack.source_bootstrap, topic, 20_000)
    slow_source(50_000)
    run = runs.trigger(f"marked-{state}", topics=[topic])
    runs.until(run, lambda: runs.task(run, "wait_until_converged").state == "deferred")
    mark_run(runs, run, state)

    assert runs.wait(run) == "failed"
    assert runs.task(run, "report").state == "failed"
    report = runs.report(run)
    assert report["verdict"] == "FAIL"
    words = "a user marked it, or the run, as failed" if state == "failed" else "it was marked as success in Airflow"
    told = [
        text for text in report["failures"] if text.startswith("wait_until_converged: ")
    ]  # the canary flew, perhaps
    assert len(told) == 1, report["failures"]
    assert words in told[0]
    runs.nothing_is_left(run)


def test_a_plan_that_never_began_is_what_broke(runs: Runs, paused: Callable[[str, bool], None]) -> None:
    paused(runs.dag, True)
    run = runs.trigger("never-began", topics=["never.began"])
    mark_task(runs, run, "plan", "failed")
    paused(runs.dag, False)
    assert runs.wait(run) == "failed"
    assert runs.report(run)["failures"] == [
        "plan: it never started (in Airflow: failed). Fix: see its log in Airflow, then clear it"
    ]


@pytest.mark.parametrize(
    "dag", [pytest.param(dag, marks=[] if dag == "verify_backup" else pytest.mark.nightly) for dag in DAGS]
)
def test_no_dag_has_a_run_that_is_green_without_a_verdict(
    runs: Runs, paused: Callable[[str, bool], None], dag: str
) -> None:
    """Marked before it begins, as success: all is skipped but the report."""
    own = Runs(runs.stack, runs.api, dag)
    paused(dag, True)
    example = EXAMPLES / f"{dag}.json"
    own.api.trigger(dag, "marked-at-once", json.loads(example.read_text()) if example.exists() else {})
    mark_run(own, "marked-at-once", "success")
    paused(dag, False)
    assert own.wait("marked-at-once") == "failed"
    report = own.report("marked-at-once")
    assert report["verdict"] == "FAIL"
    assert report["failures"][0].endswith(": it did not do its work (in Airflow: skipped)")
