"""May the source be switched off? Days after its waves were handed over by `cutover`, with a certificate.

plan -> shards -> fingerprint -> look_at_source -> validate -> certificate -> report

Give it the two connections. It reads the journals of the waves, compares all records up to their hand-over on both
sides, and looks at who still writes, commits or works on the source and what it holds beside the waves. Each reason
against it is named. The certificate is `certificate.html` and `certificate.json`, signed if you give it a key. Changes
nothing. The verdict, PASS for yes, is in the run's tab "Kafka Ferry".
"""

from __future__ import annotations

from airflow.sdk import DAG

from kafka_ferry.jobs.common.about import about
from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.cutover.retire_dag import retire
from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec

with DAG(
    **about("retire_source", "may the source be switched off", __doc__, params_of(RetireSpec), "kafka", "migration"),
    schedule=None,
    max_active_runs=8,
    default_args=task_defaults("retire_source"),
):
    retire()
