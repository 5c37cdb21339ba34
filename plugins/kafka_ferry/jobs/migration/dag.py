"""The one sentence that every migration DAG says, whatever moves the records (docs/design.md, section 4); and that of
a comparison."""

from __future__ import annotations

from datetime import timedelta

from kafka_ferry.jobs.common.defaults import UNBOUNDED, in_pool
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.migration.reported import COMPARISON
from kafka_ferry.jobs.migration.tasks.canary import CanaryOperator
from kafka_ferry.jobs.migration.tasks.comparison import FreezeOperator
from kafka_ferry.jobs.migration.tasks.converge import ConvergenceSensor
from kafka_ferry.jobs.migration.tasks.engine import DeployOperator, RemoveOperator
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.groups import TranslateGroupsOperator
from kafka_ferry.jobs.migration.tasks.plan import PlanOperator
from kafka_ferry.jobs.migration.tasks.report import MigrationReportOperator
from kafka_ferry.jobs.migration.tasks.topics import ProvisionTopicsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator
from kafka_ferry.jobs.migration.tasks.wait_until_running import MigrationRunningSensor


def migrate() -> None:
    """Make the tasks of a migration in the DAG whose ``with`` block it is called in::

    plan -> provision_topics -> deploy -> wait_until_running -> wait_until_converged -> shards -> fingerprint
    -> translate_groups -> validate -> remove -> report; the canary flies beside the wait
    """
    plan = PlanOperator(task_id="plan")
    # A setup, so that the teardown also runs when deploy fails half-way.
    provision_topics = ProvisionTopicsOperator(task_id="provision_topics").as_setup()  # type: ignore[no-untyped-call]
    deploy = DeployOperator(task_id="deploy", **UNBOUNDED).as_setup()  # type: ignore[no-untyped-call]
    # A setup too: clearing any later task then deploys AND waits again before that task runs.
    wait_until_running = MigrationRunningSensor(task_id="wait_until_running", **UNBOUNDED).as_setup()  # type: ignore[no-untyped-call]
    # Fewer tries: on a dead source it must not hold up the teardown.
    canary = CanaryOperator(task_id="canary", retries=1, retry_delay=timedelta(seconds=2))
    wait_until_converged = ConvergenceSensor(task_id="wait_until_converged")
    shards = ShardsOperator(task_id="shards")
    fingerprint = FingerprintOperator.partial(task_id="fingerprint", **in_pool()).expand(shard=shards.output)
    translate_groups = TranslateGroupsOperator(task_id="translate_groups", **UNBOUNDED)
    validate = ValidateOperator(task_id="validate")
    remove = RemoveOperator(task_id="remove").as_teardown(
        setups=[provision_topics, deploy, wait_until_running], on_failure_fail_dagrun=True
    )
    # After the teardown, outside the setups' scope: it runs, and tells why, also when a setup failed.
    report = MigrationReportOperator(task_id="report")

    plan >> provision_topics >> deploy >> wait_until_running >> [wait_until_converged, canary]
    wait_until_converged >> shards >> fingerprint >> translate_groups
    [translate_groups, canary] >> validate >> remove >> report


def compare() -> None:
    """Make the tasks of a comparison of two clusters as they are::

    freeze -> shards -> fingerprint -> validate -> report
    """
    freeze = FreezeOperator(task_id="freeze")
    shards = ShardsOperator(task_id="shards")
    fingerprint = FingerprintOperator.partial(task_id="fingerprint", **in_pool()).expand(shard=shards.output)
    validate = ValidateOperator(task_id="validate", only_compare=True)
    report = ReportOperator(task_id="report", job=COMPARISON)

    freeze >> shards >> fingerprint >> validate >> report
