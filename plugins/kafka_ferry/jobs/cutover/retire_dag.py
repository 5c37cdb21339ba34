"""What ``retire_source`` says."""

from __future__ import annotations

from kafka_ferry.jobs.common.defaults import UNBOUNDED
from kafka_ferry.jobs.cutover.tasks.retire import (
    CertificateOperator,
    LookAtSourceOperator,
    PlanRetirementOperator,
    RetirementFingerprintOperator,
    RetirementReportOperator,
    RetirementShardsOperator,
    ValidateRetirementOperator,
)


def retire() -> None:
    """Make the tasks in the DAG whose ``with`` block it is called in::

    plan -> shards -> fingerprint -> look_at_source -> validate -> certificate -> report
    """
    plan = PlanRetirementOperator(task_id="plan")
    shards = RetirementShardsOperator(task_id="shards")
    fingerprint = RetirementFingerprintOperator.partial(task_id="fingerprint", **UNBOUNDED).expand(shard=shards.output)
    look = LookAtSourceOperator(task_id="look_at_source")
    validate = ValidateRetirementOperator(task_id="validate")
    certificate = CertificateOperator(task_id="certificate")
    report = RetirementReportOperator(task_id="report")

    plan >> shards >> fingerprint >> look >> validate >> certificate >> report
