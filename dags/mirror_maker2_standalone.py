"""Migrate topics from one Kafka cluster to another with MirrorMaker 2 on a standalone worker, and prove the result.

plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
-> translate_groups -> validate -> remove -> report; the canary flies beside the wait
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.migration import migrate, task_defaults
from kafka_ferry.operators.host_params import standalone_params

with DAG(
    dag_id="mirror_maker2_standalone",
    dag_display_name="Migrate topics with MirrorMaker 2 on a standalone worker",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "migration", "mirror-maker-2", "hosts"],
    doc_md=__doc__,
    params=standalone_params(),
    default_args=task_defaults("mirror_maker2_standalone"),
):
    migrate()
