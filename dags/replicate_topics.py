"""Replicate chosen topics under a new name with a connector made through the Connect REST API, and prove the result.

plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
-> translate_groups -> validate -> remove -> report; the canary flies beside the wait
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.migration import migrate, task_defaults
from kafka_ferry.operators.replicate_params import replicate_params

with DAG(
    dag_id="replicate_topics",
    dag_display_name="Replicate topics under a new name",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "migration", "rename"],
    doc_md=__doc__,
    params=replicate_params(),
    default_args=task_defaults("replicate_topics"),
):
    migrate()
