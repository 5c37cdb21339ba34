"""Import topics that were exported to S3, optionally under new names, and prove that every record arrived.

plan -> copy_objects -> provision_topics -> deploy -> wait_until_copied -> shards -> import -> follow -> validate ->
remove -> release -> report

Give it the export's name and `location`, and `target_conn_id`. With `dry_run` only `plan` runs, and writes nothing.
Its findings are in the run's tab "Kafka Ferry", as is the verdict of a whole run. Records that are already on the
target are not written again; `follow_for` also imports what is exported later. With `transport` `connect` our S3
connector copies; else the tasks `deploy`, `wait_until_copied` and `remove` do nothing.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.s3.dag import import_topics
from kafka_ferry.jobs.s3.s3_spec import ImportSpec

with DAG(
    **about(
        "import_topics_from_s3",
        "import exported topics, optionally renamed",
        __doc__,
        params_of(ImportSpec),
        "kafka",
        "s3",
        "import",
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("import_topics_from_s3"),
):
    import_topics()
