"""Take a cutover back: move the applications of a wave from the target to the source again, losing nothing.

plan -> end_forward -> deploy_back -> shards -> fingerprint -> prepare -> lag_gate -> approval -> window -> watch
-> validate -> unfence -> end_back -> report

Give it the wave (`migration`), the connections of its cutover, and a Kafka Connect. Once nothing replicates to the
target any more, a MirrorMaker 2 brings to the source what was written on the target since the hand-over. Then comes
the same window as in `cutover`, the other way round. The verdict is in the run's tab "Kafka Ferry".
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.cutover.fail_back_dag import fail_back
from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec

with DAG(
    **about("fail_back", "take a cutover back", __doc__, params_of(FailBackSpec), "kafka", "migration"),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("fail_back"),
):
    fail_back()
