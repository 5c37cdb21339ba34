"""Move the applications of a replication that is alive to its target, in seconds, with proof, and with a way back.

plan -> shards -> fingerprint -> prepare -> lag_gate -> approval -> window -> watch -> end_replication -> validate
-> unfence -> report

Give it `topics`, a name for the wave (`migration`) and two connections. Producers are stopped at the source by ACLs
(`fence`), everything is proven to be on the target, groups are set to the exact record, and a webhook
(`handover_webhook_conn_id`) and an asset event tell the applications. What goes wrong before that is undone. The
verdict is in the run's tab "Kafka Ferry".
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.cutover.dag import cut_over
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

with DAG(
    **about("cutover", "move applications to the target", __doc__, params_of(CutoverSpec), "kafka", "migration"),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("cutover"),
):
    cut_over()
