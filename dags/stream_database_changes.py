"""Stream a database's changes into Kafka with Debezium, and prove that every row and every change arrived.

plan -> deploy -> wait_until_running -> wait_until_converged -> validate -> remove -> report

Give it `databases`, `database_conn_id` and `target_conn_id`. With `dry_run` only `plan` runs: it names what the server
lacks and changes nothing. Its findings are in the run's tab "Kafka Ferry", as is the verdict of a whole run on every
row and every change. The connector keeps running after the run; without `keep_streaming` it is removed.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.cdc.dag import stream_changes
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of

with DAG(
    **about(
        "stream_database_changes",
        "MariaDB or MySQL into Kafka, Debezium",
        __doc__,
        params_of(StreamSpec),
        "kafka",
        "debezium",
        "cdc",
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("stream_database_changes"),
):
    stream_changes()
