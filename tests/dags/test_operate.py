"""DAGs that docs/operate.md shows: they are what they say, and Airflow keeps all of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import AsyncCallback
from airflow.serialization.serialized_objects import DagSerialization

from kafka_ferry.core.job_name import JobName
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.common.proven import asset_of
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from operate_snippets import snippet

FOLDER = Path(__file__).resolve().parents[2] / "dags"


def dags_in(file: Path) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(file)
    assert bag.import_errors == {}
    return dict(bag.dags)


@pytest.fixture
def shown(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """The DAG of a snippet, and what Airflow's database keeps of it."""
    dag_id: str = request.param
    file = tmp_path / f"{dag_id}.py"
    file.write_text(snippet(f'"{dag_id}"'))
    dag = dags_in(file)[dag_id]
    return dag, DagSerialization.to_dict(dag)["dag"]


@pytest.mark.parametrize("shown", ["verify_orders"], indirect=True)
def test_a_comparison_on_a_schedule_is_ours_with_params_of_its_own(shown: Any) -> None:
    dag, kept = shown
    ours = dags_in(FOLDER / "verify_clusters.py")["verify_clusters"]
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        task.task_id: task.downstream_task_ids for task in ours.tasks
    }
    assert {type(task) for task in dag.tasks} == {type(task) for task in ours.tasks}
    asked = ComparisonSpec.from_params(dag.params.dump())  # as a scheduled run has them: nobody fills in a form
    assert (asked.topics, asked.groups, asked.catch_up_timeout) == (["orders.*"], [], 600)
    assert (asked.source_conn_id, asked.target_conn_id) == ("kafka_source", "kafka_target")
    assert (dag.catchup, dag.max_active_runs, dag.is_paused_upon_creation) == (False, 1, True)
    assert kept["has_on_failure_callback"]


@pytest.mark.parametrize("shown", ["backup_orders_in_time"], indirect=True)
def test_a_deadline_is_kept_with_the_dag(shown: Any) -> None:
    dag, kept = shown
    assert BackupSpec.from_params(dag.params.dump()).backup == "orders"
    (deadline,) = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    assert deadline.interval == timedelta(hours=4)
    assert isinstance(deadline.callback, AsyncCallback)
    assert "SlackWebhookNotifier" in str(kept["deadline"])


@pytest.mark.parametrize("shown", ["after_orders"], indirect=True)
def test_a_dag_that_waits_waits_for_what_a_migration_proves(shown: Any) -> None:
    dag, _ = shown
    assert list(dag.timetable.asset_condition.objects) == [asset_of(JobName(kind="copy", name="orders"))]
