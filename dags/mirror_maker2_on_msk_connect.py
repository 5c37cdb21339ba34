"""Migrate topics to Amazon MSK with MirrorMaker 2 on MSK Connect, and prove the result.

plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
-> translate_groups -> validate -> remove -> report; the canary flies beside the wait
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.migration import migrate, task_defaults
from kafka_ferry.operators.msk_connect_params import msk_connect_params

with DAG(
    dag_id="mirror_maker2_on_msk_connect",
    dag_display_name="Migrate topics with MirrorMaker 2 on MSK Connect",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "migration", "mirror-maker-2", "aws"],
    doc_md=__doc__,
    params=msk_connect_params(),
    default_args=task_defaults("mirror_maker2_on_msk_connect"),
):
    migrate()
