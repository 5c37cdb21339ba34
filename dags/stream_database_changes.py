"""Stream a database's changes into Kafka with Debezium, and prove that every row and every change is there.

plan -> deploy -> wait_until_running -> wait_until_converged -> validate -> remove -> report
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.cdc import stream_changes
from kafka_ferry.jobs.migration import task_defaults
from kafka_ferry.operators.stream_params import stream_params

with DAG(
    dag_id="stream_database_changes",
    dag_display_name="Stream database changes into Kafka with Debezium",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "debezium", "cdc"],
    doc_md=__doc__,
    params=stream_params(),
    default_args=task_defaults("stream_database_changes"),
):
    stream_changes()
