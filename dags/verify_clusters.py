"""Compare topics and groups of two Kafka clusters at any time, whatever tool copied them. Changes nothing.

freeze -> shards -> fingerprint -> validate -> report

Give it `topics` and two connections, `source_conn_id` and `target_conn_id`. It reads both sides up to their
current end offsets, record by record. The verdict, PASS or FAIL, is in the run's tab "Kafka Ferry".
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.dag import compare
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec

with DAG(
    **about(
        "verify_clusters", "compare two Kafka clusters", __doc__, params_of(ComparisonSpec), "kafka", "verification"
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("verify_clusters"),
):
    compare()
