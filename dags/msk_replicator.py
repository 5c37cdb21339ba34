"""Migrate topics from one MSK cluster to another with Amazon's MSK Replicator, and prove the result.

plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
-> translate_groups -> validate -> remove -> report; the canary flies beside the wait
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.migration import migrate, task_defaults
from kafka_ferry.operators.msk_replicator_params import msk_replicator_params

with DAG(
    dag_id="msk_replicator",
    dag_display_name="Migrate MSK to MSK with MSK Replicator",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "migration", "msk"],
    doc_md=__doc__,
    params=msk_replicator_params(),
    default_args=task_defaults("msk_replicator"),
):
    migrate()
