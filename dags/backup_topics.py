"""Back up topics to an object store every night, incrementally, and know that the backup is whole.

plan -> freeze -> shards -> export -> finish -> copy -> prune -> validate -> report

The schedule takes the defaults, and the DAG ships paused: a run begins once it is unpaused, and the trigger form does
that, too. Trigger it with `dry_run` first: only `plan` runs, and what it found stands in the run's tab "Kafka Ferry".
Then pause it again and make a DAG of your own with your defaults (docs/backup_topics.md), or let this one run at night.
A night that is covered is not backed up again. Restore with `restore_topics`, prove with `verify_backup`.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.backup.dag import back_up
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of

with DAG(
    **about("backup_topics", "back up topics every night", __doc__, params_of(BackupSpec), "kafka", "backup"),
    schedule="0 2 * * *",
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    default_args=task_defaults("kafka_ferry"),
):
    back_up()
