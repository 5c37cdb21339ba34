"""Stream a database's changes into Kafka with Debezium, and prove that every row and every change is there.

plan -> deploy -> wait_until_running -> wait_until_converged -> validate -> remove -> report

Give it `databases`, `database_conn_id` and `target_conn_id`; `dry_run` says what would be done and names what the
server lacks. The run ends with a verdict on every row and every change; the connector is taken away at the end,
unless `keep_streaming`.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.cdc.dag import stream_changes
from kafka_ferry.jobs.cdc.params import stream_params
from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults

with DAG(
    **about(
        "stream_database_changes",
        "stream MariaDB or MySQL into Kafka with Debezium",
        __doc__,
        stream_params(),
        "kafka",
        "debezium",
        "cdc",
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("stream_database_changes"),
):
    stream_changes()
