"""Migrate topics from one Kafka cluster to another with MirrorMaker 2 on Kafka Connect, and prove the result.

plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
-> translate_groups -> validate -> remove -> report; the canary flies beside the wait
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from kafka_ferry.operators.canary import CanaryOperator
from kafka_ferry.operators.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.operators.groups import TranslateGroupsOperator
from kafka_ferry.operators.mirror_maker2 import DeployMirrorMaker2Operator, RemoveMirrorMaker2Operator
from kafka_ferry.operators.params import migration_params
from kafka_ferry.operators.plan import PlanOperator
from kafka_ferry.operators.report import ReportOperator
from kafka_ferry.operators.topics import ProvisionTopicsOperator
from kafka_ferry.operators.validate import ValidateOperator
from kafka_ferry.sensors.convergence import ConvergenceSensor
from kafka_ferry.sensors.migration import MigrationRunningSensor

with DAG(
    dag_id="mirror_maker2_on_connect",
    dag_display_name="Migrate topics with MirrorMaker 2 on Kafka Connect",
    schedule=None,
    max_active_runs=8,
    tags=["kafka", "migration", "mirror-maker-2"],
    doc_md=__doc__,
    params=migration_params(),
    default_args={"retries": 2, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True},
):
    plan = PlanOperator(task_id="plan")
    # A setup, so that the teardown also runs when deploy fails half-way.
    provision_topics = ProvisionTopicsOperator(task_id="provision_topics").as_setup()
    deploy = DeployMirrorMaker2Operator(task_id="deploy").as_setup()
    # A setup too: clearing any later task then deploys AND waits again before that task runs.
    wait_until_running = MigrationRunningSensor(task_id="wait_until_running").as_setup()
    # Fewer tries: on a dead source it must not hold up the teardown.
    canary = CanaryOperator(task_id="canary", retries=1, retry_delay=timedelta(seconds=2))
    wait_until_converged = ConvergenceSensor(task_id="wait_until_converged")
    shards = ShardsOperator(task_id="shards")
    fingerprint = FingerprintOperator.partial(task_id="fingerprint").expand(shard=shards.output)
    translate_groups = TranslateGroupsOperator(task_id="translate_groups")
    validate = ValidateOperator(task_id="validate")
    remove = RemoveMirrorMaker2Operator(task_id="remove").as_teardown(
        setups=[provision_topics, deploy, wait_until_running], on_failure_fail_dagrun=True
    )
    # After the teardown, outside the setups' scope: it runs, and tells why, also when a setup failed.
    report = ReportOperator(task_id="report", engine="mirror_maker2_on_connect")

    plan >> provision_topics >> deploy >> wait_until_running >> [wait_until_converged, canary]
    wait_until_converged >> shards >> fingerprint >> translate_groups
    [translate_groups, canary] >> validate >> remove >> report
