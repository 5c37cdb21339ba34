"""The shape of the backup DAGs: what runs after what, and that nobody is surprised by a schedule."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from airflow.sdk import DAG

DAGS = Path(__file__).resolve().parents[2] / "dags"


def load(name: str) -> DAG:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS / f"{name}.py")
    assert bag.import_errors == {}
    return bag.dags[name]


@pytest.fixture(scope="module")
def backup() -> DAG:
    return load("backup_topics")


def sentence(dag: DAG) -> list[str]:
    assert dag.doc_md
    line = dag.doc_md.strip().split("\n\n")[1]
    return [name.strip() for name in line.replace("\n", " ").split("->")]


def test_the_edges_of_a_backup_are_those_of_the_docstring(backup: DAG) -> None:
    order = sentence(backup)
    assert set(order) == set(backup.task_dict)
    edges = {(task.task_id, after) for task in backup.tasks for after in task.downstream_task_ids}
    # The mapped task also depends on its shards, as it does in the chain.
    assert edges == set(pairwise(order))


def test_a_nightly_dag_ships_paused_and_catches_up_on_nothing(backup: DAG) -> None:
    assert backup.is_paused_upon_creation is True
    assert backup.catchup is False
    assert backup.max_active_runs == 1
    assert backup.schedule == "0 2 * * *"


def test_scheduled_runs_need_no_params(backup: DAG) -> None:
    backup.params.validate()


def test_every_task_is_retried_and_the_report_always_made(backup: DAG) -> None:
    assert {task.retries for task in backup.tasks} == {2}
    assert backup.task_dict["report"].is_teardown
    assert [task.task_id for task in backup.tasks if task.is_mapped] == ["export"]


@pytest.mark.parametrize("name", ["restore_topics", "verify_backup"])
def test_the_chain_is_that_of_the_docstring(name: str) -> None:
    dag = load(name)
    order = sentence(dag)
    assert set(order) == set(dag.task_dict)
    edges = {(task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids}
    assert set(pairwise(order)) <= edges
    assert {task.retries for task in dag.tasks} == {2}
    assert [task.task_id for task in dag.leaves] == ["report"]


def test_a_restore_puts_back_what_it_held_also_when_provision_fails() -> None:
    dag = load("restore_topics")
    assert {task.task_id for task in dag.tasks if task.is_setup} == {"plan", "provision"}
    assert [task.task_id for task in dag.tasks if task.is_teardown] == ["release", "report"]
    assert dag.task_dict["release"].upstream_task_ids >= {"plan", "provision"}
    assert dag.task_dict["release"].on_failure_fail_dagrun is True
    for task in ("shards", "restore", "compare", "groups", "acls", "validate"):
        cleared = dag.partial_subset(task, include_upstream=False, include_downstream=False)
        assert set(cleared.task_dict) == {task, "plan", "provision", "release"}


def test_verification_is_weekly_and_ships_paused() -> None:
    dag = load("verify_backup")
    assert (dag.is_paused_upon_creation, dag.catchup, dag.max_active_runs) == (True, False, 1)
    assert dag.schedule == "0 5 * * 0"
    dag.params.validate()
