"""Compare topics and groups of two Kafka clusters at any time, whatever tool copied them. Changes nothing.

freeze -> shards -> fingerprint -> validate -> report

Give it `topics` and two connections, `source_conn_id` and `target_conn_id`. It reads both sides up to their
current end offsets, record by record. The verdict, PASS or FAIL, is in the run's tab "Kafka Ferry".
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import UNBOUNDED, task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.migration.reported import COMPARISON
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.tasks.comparison import FreezeOperator
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator

with DAG(
    **about(
        "verify_clusters", "compare two Kafka clusters", __doc__, params_of(ComparisonSpec), "kafka", "verification"
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("verify_clusters"),
):
    freeze = FreezeOperator(task_id="freeze")
    shards = ShardsOperator(task_id="shards")
    fingerprint = FingerprintOperator.partial(task_id="fingerprint", **UNBOUNDED).expand(shard=shards.output)
    validate = ValidateOperator(task_id="validate", only_compare=True)
    report = ReportOperator(task_id="report", job=COMPARISON)

    freeze >> shards >> fingerprint >> validate >> report
