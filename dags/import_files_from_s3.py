"""Import files that an S3 sink connector wrote into topics, and prove that every record of them arrived, in order.

plan -> shards -> read -> provision_topics -> import -> validate -> release -> report

Give it the `location` of the files, their `layout`, and `target_conn_id`. `plan` lists the files and says, topic by
topic, what of the records they do not have; the run ends there unless `accept_losses` names all of it. With `dry_run`
it ends there in any case, and nothing is written. The findings are in the run's tab "Kafka Ferry", as is the verdict of
a whole run. Records that are already on the target are not written again.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.s3.files.dag import import_files
from kafka_ferry.jobs.s3.files.files_spec import FilesSpec

with DAG(
    **about(
        "import_files_from_s3",
        "import files that a sink connector wrote",
        __doc__,
        params_of(FilesSpec),
        "kafka",
        "s3",
        "import",
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("import_files_from_s3"),
):
    import_files()
