"""Back up topics to an object store on a schedule, incrementally, and prove that the backup is complete.

plan -> freeze -> shards -> export -> finish -> copy -> prune -> validate -> report

Scheduled runs use the params' defaults, and the DAG ships paused: runs start once it is unpaused, which the trigger
form does, too. Trigger it with `dry_run` first: only `plan` runs, and its findings are in the run's tab "Kafka Ferry".
Then pause it again and make your own DAG with your defaults (docs/backup_topics.md), or keep this one's schedule.
A data interval that is covered is not backed up again. Restore with `restore_topics`, check with `verify_backup`.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.backup.dag import back_up
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of

with DAG(
    **about("backup_topics", "back up topics on a schedule", __doc__, params_of(BackupSpec), "kafka", "backup"),
    schedule="0 2 * * *",
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    default_args=task_defaults("kafka_ferry"),
):
    back_up()
