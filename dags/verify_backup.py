"""Read every object of the backups under a name, and prove that each can be restored. Needs no cluster.

plan -> shards -> verify -> validate -> report

Scheduled runs use the params' defaults, and the DAG ships paused: runs start once it is unpaused, which the trigger
form does, too. With `dry_run` only `plan` runs. The run's tab "Kafka Ferry" lists every backup of the name with its id.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.backup.dag import verify
from kafka_ferry.jobs.backup.rules.spec import VerifySpec
from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of

with DAG(
    **about(
        "verify_backup",
        "verify that backups can be restored",
        __doc__,
        params_of(VerifySpec),
        "kafka",
        "backup",
        "verification",
    ),
    schedule="0 5 * * 0",
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    default_args=task_defaults("kafka_ferry"),
):
    verify()
