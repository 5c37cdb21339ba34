"""Export topics to S3 as objects that other tools read, and prove that every record is in them.

plan -> freeze -> deploy -> wait_until_copied -> export -> finish -> verify -> follow -> validate -> remove ->
report

Give it `topics`, `source_conn_id` and a `location`. With `dry_run` only `plan` runs, and writes nothing. Its findings
are in the run's tab "Kafka Ferry", as is the verdict of a whole run. Exports of one name continue from one another;
`follow_for` also exports records that arrive later. With `transport` `connect` our S3 connector copies; else the
tasks `deploy`, `wait_until_copied` and `remove` do nothing. Import with `import_topics_from_s3`.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.s3.dag import export_topics
from kafka_ferry.jobs.s3.s3_spec import ExportSpec

with DAG(
    **about(
        "export_topics_to_s3",
        "export topics as Parquet, JSON lines or Avro",
        __doc__,
        params_of(ExportSpec),
        "kafka",
        "s3",
        "export",
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("export_topics_to_s3"),
):
    export_topics()
