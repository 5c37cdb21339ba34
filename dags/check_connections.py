"""Ask Airflow's connections what they can do, and say what is missing. Changes nothing but one probe object in S3.

plan -> ask -> validate -> report

Without params it asks the connections that the other DAGs use by default. Name `topics` to see what each Kafka user may
do with them, and a `location` to try S3. What is missing, with the fix, is in the run's tab "Kafka Ferry".
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.connections.dag import check
from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec

with DAG(
    **about("check_connections", "ask what is missing", __doc__, params_of(ConnectionsSpec), "kafka", "verification"),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("kafka_ferry"),
):
    check()
