"""Export topics to S3 as objects that other tools read, and prove that every record is in them.

plan -> freeze -> export -> finish -> verify -> follow -> validate -> report
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.exchange import export_topics
from kafka_ferry.jobs.migration import task_defaults
from kafka_ferry.operators.exchange_params import export_params

with DAG(
    dag_id="export_topics_to_s3",
    dag_display_name="Export topics to S3",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "s3", "export"],
    doc_md=__doc__,
    params=export_params(),
    default_args=task_defaults("export_topics_to_s3"),
):
    export_topics()
