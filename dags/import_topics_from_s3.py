"""Import topics that were exported to S3, under other names if wanted, and prove that every record is there.

plan -> copy_objects -> provision_topics -> shards -> import -> follow -> validate -> release -> report
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.exchange import import_topics
from kafka_ferry.jobs.migration import task_defaults
from kafka_ferry.operators.exchange_params import import_params

with DAG(
    dag_id="import_topics_from_s3",
    dag_display_name="Import topics from S3",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "s3", "import"],
    doc_md=__doc__,
    params=import_params(),
    default_args=task_defaults("import_topics_from_s3"),
):
    import_topics()
