"""Read every object of the backups of a name, and know that each can be restored. Needs no cluster.

plan -> shards -> verify -> validate -> report
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.backup import verify
from kafka_ferry.jobs.migration import task_defaults
from kafka_ferry.operators.backup_params import verify_params

with DAG(
    dag_id="verify_backup",
    dag_display_name="Verify backups",
    schedule="0 5 * * 0",
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    tags=["kafka", "backup", "verification"],
    doc_md=__doc__,
    params=verify_params(),
    default_args=task_defaults("kafka_ferry"),
):
    verify()
