"""The sentence of a stream of database changes; docs/stream_database_changes.md tells more."""

from __future__ import annotations

from kafka_ferry.jobs.cdc.sensors import StreamConvergedSensor, StreamRunningSensor
from kafka_ferry.jobs.cdc.tasks import (
    StreamDeployOperator,
    StreamPlanOperator,
    StreamRemoveOperator,
    StreamReportOperator,
    StreamValidateOperator,
)
from kafka_ferry.jobs.common.defaults import UNBOUNDED


def stream_changes() -> None:
    """Make the tasks of a stream in the DAG whose ``with`` block it is called in::

    plan -> deploy -> wait_until_running -> wait_until_converged -> validate -> remove -> report
    """
    plan = StreamPlanOperator(task_id="plan")
    deploy = StreamDeployOperator(task_id="deploy").as_setup()  # type: ignore[no-untyped-call]
    # A setup too: clearing any later task then deploys AND waits again before that task runs.
    wait_until_running = StreamRunningSensor(task_id="wait_until_running").as_setup()  # type: ignore[no-untyped-call]
    wait_until_converged = StreamConvergedSensor(task_id="wait_until_converged")
    validate = StreamValidateOperator(task_id="validate", **UNBOUNDED)
    remove = StreamRemoveOperator(task_id="remove").as_teardown(
        setups=[deploy, wait_until_running], on_failure_fail_dagrun=True
    )
    # After the teardown, outside the setups' scope: it runs, and tells why, also when a setup failed.
    report = StreamReportOperator(task_id="report")

    plan >> deploy >> wait_until_running >> wait_until_converged >> validate >> remove >> report
