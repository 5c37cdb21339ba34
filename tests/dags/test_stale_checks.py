"""Checks are of this try: in every DAG they are forgotten when anything that they judge has run again since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forms import DAGS
from kafka_ferry.report.stages import Stage, validated

FOLDER = Path(__file__).resolve().parents[2] / "dags"
#: Tasks before validate that do nothing it judges; setups run again with whatever is cleared behind them.
NOT_JUDGED = {"plan"}


def dag_of(name: str) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(FOLDER / f"{name}.py").dags[name]


def stage(name: str, started: str) -> Stage:
    return Stage(stage=name, started=started, ended=started, state="success", error="")


@pytest.mark.parametrize("name", DAGS)
def test_a_task_that_ran_again_after_validate_makes_its_checks_stale(name: str) -> None:
    dag = dag_of(name)
    judged = dag.get_task("report").judged()
    before = {task.task_id for task in dag.get_task("validate").get_flat_relatives(upstream=True) if not task.is_setup}
    assert judged == before - NOT_JUDGED
    assert judged, "validate judges something"
    done = [stage("validate", "2026-01-01T00:00:10"), stage("plan", "2026-01-01T00:00:20")]
    assert validated([*done, *(stage(task, "2026-01-01T00:00:05") for task in judged)], judged)
    for again in judged:
        for mapped in (again, f"{again}[3]"):
            assert not validated([*done, stage(mapped, "2026-01-01T00:00:11")], judged), again


def test_without_validate_nothing_is_judged() -> None:
    assert not validated([stage("export", "2026-01-01T00:00:05")], {"export"})
