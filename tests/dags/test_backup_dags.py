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
    assert backup.task_dict["report"].trigger_rule == "all_done"
    assert [task.task_id for task in backup.tasks if task.is_mapped] == ["export"]
