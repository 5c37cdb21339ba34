"""The shape of export and import: what runs after what, what is put back after failures, and what parsing costs."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from airflow.sdk import DAG

from dag_pages import tasks_of

DAGS = Path(__file__).resolve().parents[2] / "dags"
NAMES = ("export_topics_to_s3", "import_topics_from_s3", "import_files_from_s3")
HEAVY = ("numpy", "pyarrow", "fastavro", "boto3", "confluent_kafka", "requests")


def load(name: str) -> DAG:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS / f"{name}.py")
    assert bag.import_errors == {}
    return bag.dags[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_edges_are_those_of_the_docstring(name: str) -> None:
    dag = load(name)
    order, _ = tasks_of(dag)
    assert set(order) == set(dag.task_dict)
    edges = {(task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids}
    # Beside the chain: mapped tasks depend on what says how many there are, the teardown on its setup.
    assert edges - set(pairwise(order)) <= {
        ("freeze", "export"), ("freeze", "verify"), ("shards", "import"), ("provision_topics", "release")
    }  # fmt: skip
    assert set(pairwise(order)) <= edges
    assert [task.task_id for task in dag.leaves] == ["report"]
    assert all((task.retries or 0) >= 2 for task in dag.tasks)
    assert dag.schedule is None


@pytest.mark.parametrize("name", NAMES[1:])
def test_retention_is_put_back_whatever_happened(name: str) -> None:
    dag = load(name)
    assert [task.task_id for task in dag.tasks if task.is_setup] == ["provision_topics"]
    teardowns = [task.task_id for task in dag.tasks if task.is_teardown]
    assert [name for name in teardowns if name != "remove"] == ["release", "report"]
    assert dag.task_dict["release"].on_failure_fail_dagrun is True


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_connector_is_looked_for_whatever_happened(name: str) -> None:
    remove = load(name).task_dict["remove"]
    assert remove.is_teardown
    assert not any(task.is_setup for task in remove.get_direct_relatives(upstream=True)), "no setup holds it back"
    assert remove.on_failure_fail_dagrun is True


@pytest.mark.parametrize("name", NAMES)
def test_parsing_imports_nothing_heavy(name: str) -> None:
    code = f"""
import sys, airflow.sdk, airflow.sdk.exceptions
before = set(sys.modules)
sys.path.insert(0, {str(DAGS.parent / "plugins")!r})
import runpy
runpy.run_path({str(DAGS / f"{name}.py")!r})
print(*(name for name in {HEAVY!r} if name in sys.modules and name not in before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
