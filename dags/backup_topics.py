"""Back up topics to an object store every night, incrementally, and know that the backup is whole.

plan -> freeze -> shards -> export -> finish -> copy -> prune -> validate -> report
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.backup import back_up
from kafka_ferry.jobs.migration import task_defaults
from kafka_ferry.operators.backup_params import backup_params

with DAG(
    dag_id="backup_topics",
    dag_display_name="Back up topics",
    schedule="0 2 * * *",
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    tags=["kafka", "backup"],
    doc_md=__doc__,
    params=backup_params(),
    default_args=task_defaults("kafka_ferry"),
):
    back_up()
