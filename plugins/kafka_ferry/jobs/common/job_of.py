"""What a run is of, as its first task told Airflow: for those that speak of it afterwards."""

from __future__ import annotations

from typing import Any

from kafka_ferry.core.job_name import KEY, JobName
from kafka_ferry.core.plan import Kind
from kafka_ferry.jobs.common.plan import PlanningOperator


def job_of(dag: Any, ti: Any) -> JobName:
    """Its kind and its name; a comparison has none, and is called as its DAG is.

    :param dag: of the run. ``ti``: a task instance of it, whose XComs can be read.
    :returns: without a kind, and called as the DAG, when the run did not come to its first task.
    """
    unknown = JobName(kind="", name=dag.dag_id)
    first = next((task.task_id for task in dag.tasks if isinstance(task, PlanningOperator)), None)
    found = JobName.from_json(ti.xcom_pull(task_ids=first, key=KEY)) if first else None
    if found is None or not found.name:
        return unknown
    return found.model_copy(update={"name": dag.dag_id}) if found.kind == Kind.COMPARE else found
