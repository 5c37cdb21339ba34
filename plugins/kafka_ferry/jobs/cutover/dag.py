"""What ``cutover`` says."""

from __future__ import annotations

from datetime import timedelta

from kafka_ferry.jobs.common.defaults import UNBOUNDED, in_pool
from kafka_ferry.jobs.cutover.tasks.approval import ApprovalOperator
from kafka_ferry.jobs.cutover.tasks.work import (
    CutoverFingerprintOperator,
    CutoverReportOperator,
    CutoverShardsOperator,
    EndReplicationOperator,
    LagGateOperator,
    PlanCutoverOperator,
    PrepareOperator,
    UnfenceOperator,
    ValidateCutoverOperator,
    WatchOperator,
    WindowOperator,
)

#: Nobody can write while a killed window waits for its next try; the watch over all tasks needs no longer one either.
AT_ONCE = {"retries": 3, "retry_delay": timedelta(seconds=1), "retry_exponential_backoff": False}


def cut_over() -> None:
    """Make the tasks in the DAG whose ``with`` block it is called in::

    plan -> shards -> fingerprint -> prepare -> lag_gate -> approval -> window -> watch -> end_replication -> validate
    -> unfence -> report
    """
    plan = PlanCutoverOperator(task_id="plan")
    shards = CutoverShardsOperator(task_id="shards")
    fingerprint = CutoverFingerprintOperator.partial(task_id="fingerprint", **in_pool()).expand(shard=shards.output)
    prepare = PrepareOperator(task_id="prepare")
    lag_gate = LagGateOperator(task_id="lag_gate")
    approval = ApprovalOperator(task_id="approval", **UNBOUNDED)
    # Above all other tasks of the deployment that wait for a slot.
    window = WindowOperator(task_id="window", priority_weight=1000, **AT_ONCE)
    watch = WatchOperator(task_id="watch")
    end_replication = EndReplicationOperator(task_id="end_replication")
    validate = ValidateCutoverOperator(task_id="validate")
    unfence = UnfenceOperator(task_id="unfence", priority_weight=1000, **{**AT_ONCE, "retries": 10})
    report = CutoverReportOperator(task_id="report")

    plan >> shards >> fingerprint >> prepare >> lag_gate >> approval >> window
    window >> watch >> end_replication >> validate >> unfence >> report
