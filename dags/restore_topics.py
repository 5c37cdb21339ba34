"""Restore topics from a backup, optionally renamed, as of a backup or a point in time, and prove the result.

plan -> provision -> shards -> restore -> compare -> groups -> validate -> acls -> release -> report

Give it the same name and `location` as the backup's; without `backup_id` it uses the latest. The ids are in the report
of each run of `backup_topics` and `verify_backup`, and are the file names in `<location>/<backup>/manifests/`. With
`dry_run` only `plan` runs, and writes nothing. Its findings are in the run's tab "Kafka Ferry", as is the verdict of a
whole run. Records that are already on the target are not written again.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.backup.dag import restore
from kafka_ferry.jobs.backup.rules.spec import RestoreSpec
from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of

with DAG(
    **about("restore_topics", "restore topics from a backup", __doc__, params_of(RestoreSpec), "kafka", "backup"),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("kafka_ferry"),
):
    restore()
