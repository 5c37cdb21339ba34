"""The DAG's shape: what runs after what, what is taken away after failures, and what is retried."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from airflow.sdk import DAG

from dag_pages import tasks_of

DAGS = Path(__file__).resolve().parents[2] / "dags"
FILE = DAGS / "mirror_maker2_on_connect.py"
#: Of the CPU seconds that importing Airflow takes. Measured: 0.06 (0.11 of 1.9 s); it was 0.25 while operators imported
#: numpy (0.15 s), requests (0.10 s) and confluent_kafka (0.03 s) at the top.
SHARE = 0.12


@pytest.fixture(scope="module")
def dag() -> DAG:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(FILE)
    assert bag.import_errors == {}
    (found,) = bag.dags.values()
    return found


def test_the_edges_are_those_of_the_docstring(dag: DAG) -> None:
    order, aside = tasks_of(dag)
    assert set(order) | {"canary"} == set(dag.task_dict)
    assert "canary" in aside
    assert dag.task_dict["canary"].upstream_task_ids == {"wait_until_running"}
    assert "validate" in dag.task_dict["canary"].downstream_task_ids
    for before, after in pairwise(order):
        assert after in dag.task_dict[before].downstream_task_ids, f"{before} -> {after}"


def test_no_further_edges_but_those_of_setups_and_teardown(dag: DAG) -> None:
    setups = {task.task_id for task in dag.tasks if task.is_setup}
    edges = {(task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids}
    # A chain has one edge less than tasks; the canary beside it adds one; each setup is tied to the teardown.
    edges -= {(setup, "remove") for setup in setups}
    assert len(edges) == len(dag.task_dict) - 1 + 1


def test_deploy_and_wait_are_setups_of_remove(dag: DAG) -> None:
    setups = {task.task_id for task in dag.tasks if task.is_setup}
    assert setups == {"provision_topics", "deploy", "wait_until_running"}
    assert setups <= dag.task_dict["remove"].upstream_task_ids
    assert [task.task_id for task in dag.tasks if task.is_teardown] == ["remove", "report"]


def test_leftovers_fail_the_run(dag: DAG) -> None:
    assert dag.task_dict["remove"].on_failure_fail_dagrun is True


def test_clearing_the_work_deploys_waits_and_removes_again(dag: DAG) -> None:
    around = {task.task_id for task in dag.tasks if task.is_setup} | {"remove"}
    for task in ("wait_until_converged", "canary", "shards", "fingerprint", "translate_groups", "validate"):
        cleared = dag.partial_subset(task, include_upstream=False, include_downstream=False)
        assert set(cleared.task_dict) == {task} | around


def test_the_report_runs_whatever_happened_and_last(dag: DAG) -> None:
    report = dag.task_dict["report"]
    assert (report.is_teardown, report.on_failure_fail_dagrun) == (True, True)
    assert "remove" in report.upstream_task_ids
    assert report.downstream_task_ids == set()
    assert [task.task_id for task in dag.leaves] == ["report"]


def test_every_task_is_retried(dag: DAG) -> None:
    assert {task.task_id: task.retries for task in dag.tasks if (task.retries or 0) < 2} == {"canary": 1}


def test_what_waits_does_so_outside_a_worker_slot(dag: DAG) -> None:
    for task in dag.tasks:
        assert getattr(task, "mode", "poke") == "poke"


def test_it_runs_when_triggered_only(dag: DAG) -> None:
    assert dag.schedule is None
    assert dag.catchup is False
    assert {"kafka", "migration"} <= dag.tags


def test_one_mapped_task(dag: DAG) -> None:
    assert [task.task_id for task in dag.tasks if task.is_mapped] == ["fingerprint"]


PROBE = """
import sys, time
started = time.process_time()
import airflow.configuration, airflow.sdk
from airflow.sdk import DAG, BaseHook, BaseOperator, BaseSensorOperator, Connection, Context, Param
import airflow.sdk.exceptions, airflow.sdk.execution_time.task_runner, airflow.triggers.base
DAG("any", schedule=None)  # what Airflow imports for the first DAG, whosever it is
sys.path.insert(0, sys.argv[1])
import runpy
before, began = set(sys.modules), time.process_time()
airflows = began - started
runpy.run_path(sys.argv[2])
seconds = time.process_time() - began
heavy = ("boto3", "fastapi", "numba", "pandas", "pyarrow", "numpy", "requests", "confluent_kafka")
print(seconds / airflows, *(name for name in heavy if name in sys.modules and name not in before))
"""


def test_parsing_stays_within_bounds_and_imports_no_giants() -> None:
    """CPU seconds also grow on a busy machine, so they are compared with those of Airflow's own imports beside them.

    The least of some counts: each alone differs by half beside other work (measured, 0.10 to 0.15).
    """
    plugins = DAGS.parent / "plugins"
    best, heavy = 9.0, [""]
    for _ in range(8):
        command = [sys.executable, "-c", PROBE, str(plugins), str(FILE)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        share, *heavy = done.stdout.splitlines()[-1].split()
        best = min(best, float(share))
        if best < SHARE:
            break
    assert heavy == []
    assert best < SHARE
