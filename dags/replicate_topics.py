"""Replicate selected topics under new names with connectors on the Connect REST API, and prove the result.

plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
-> translate_groups -> validate -> remove -> report; the canary runs in parallel with the wait

Give it `topics` and two connections, `source_conn_id` and `target_conn_id`. With `dry_run` only `plan` runs, and
changes nothing. Its findings are in the run's tab "Kafka Ferry", as is the verdict of a whole run, PASS or FAIL. What
was started is removed at the end, unless `keep_replicating`. Any task can be retried or cleared at any time.
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.dag import migrate
from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec

with DAG(
    **about(
        "replicate_topics",
        "replicate selected topics under new names",
        __doc__,
        params_of(ReplicateSpec),
        "kafka",
        "migration",
        "rename",
    ),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("replicate_topics"),
):
    migrate()
