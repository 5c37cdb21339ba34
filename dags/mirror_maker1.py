"""Migrate topics from one Kafka cluster to another with MirrorMaker 1, for who still runs it, and prove the result.

plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
-> translate_groups -> validate -> remove -> report; the canary flies beside the wait
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.migration import migrate, task_defaults
from kafka_ferry.operators.mirror_maker1_params import mirror_maker1_params

with DAG(
    dag_id="mirror_maker1",
    dag_display_name="Migrate topics with MirrorMaker 1",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "migration", "mirror-maker-1", "hosts"],
    doc_md=__doc__,
    params=mirror_maker1_params(),
    default_args=task_defaults("mirror_maker1"),
):
    migrate()
