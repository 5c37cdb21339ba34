"""Restore topics from a backup, renamed if wanted, as of a backup or a point in time, and prove the result.

plan -> provision -> shards -> restore -> compare -> groups -> acls -> validate -> release -> report
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.backup import restore
from kafka_ferry.jobs.migration import task_defaults
from kafka_ferry.operators.backup_params import restore_params

with DAG(
    dag_id="restore_topics",
    dag_display_name="Restore topics from a backup",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "backup"],
    doc_md=__doc__,
    params=restore_params(),
    default_args=task_defaults("kafka_ferry"),
):
    restore()
