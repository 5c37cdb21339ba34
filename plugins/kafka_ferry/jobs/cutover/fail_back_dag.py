"""What ``fail_back`` says."""

from __future__ import annotations

from kafka_ferry.jobs.common.defaults import UNBOUNDED
from kafka_ferry.jobs.cutover.dag import AT_ONCE
from kafka_ferry.jobs.cutover.tasks.approval import BackApprovalOperator
from kafka_ferry.jobs.cutover.tasks.fail_back import (
    BackLagGateOperator,
    BackShardsOperator,
    BackWindowOperator,
    DeployBackOperator,
    EndBackOperator,
    EndForwardOperator,
    FailBackReportOperator,
    PlanFailBackOperator,
)
from kafka_ferry.jobs.cutover.tasks.work import (
    CutoverFingerprintOperator,
    PrepareOperator,
    UnfenceOperator,
    ValidateCutoverOperator,
    WatchOperator,
)


def fail_back() -> None:
    """Make the tasks in the DAG whose ``with`` block it is called in::

    plan -> end_forward -> deploy_back -> shards -> fingerprint -> prepare -> lag_gate -> approval -> window -> watch
    -> validate -> unfence -> end_back -> report
    """
    plan = PlanFailBackOperator(task_id="plan")
    end_forward = EndForwardOperator(task_id="end_forward")
    deploy_back = DeployBackOperator(task_id="deploy_back")
    shards = BackShardsOperator(task_id="shards")
    fingerprint = CutoverFingerprintOperator.partial(task_id="fingerprint", **UNBOUNDED).expand(shard=shards.output)
    prepare = PrepareOperator(task_id="prepare")
    lag_gate = BackLagGateOperator(task_id="lag_gate")
    approval = BackApprovalOperator(task_id="approval", **UNBOUNDED)
    window = BackWindowOperator(task_id="window", priority_weight=1000, **AT_ONCE)
    watch = WatchOperator(task_id="watch")
    validate = ValidateCutoverOperator(task_id="validate")
    unfence = UnfenceOperator(task_id="unfence", priority_weight=1000, **{**AT_ONCE, "retries": 10})
    end_back = EndBackOperator(task_id="end_back")
    report = FailBackReportOperator(task_id="report")

    plan >> end_forward >> deploy_back >> shards >> fingerprint >> prepare >> lag_gate >> approval >> window
    window >> watch >> validate >> unfence >> end_back >> report
