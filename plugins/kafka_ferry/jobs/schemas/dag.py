"""What ``migrate_schemas`` says."""

from __future__ import annotations

from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.schemas.reported import SCHEMAS
from kafka_ferry.jobs.schemas.tasks import (
    ApplySchemasOperator,
    PlanSchemasOperator,
    RestoreSettingsOperator,
    VerifySchemasOperator,
)


def migrate_schemas() -> None:
    """Make the tasks in the DAG whose ``with`` block it is called in::

    plan -> apply -> validate -> restore -> report
    """
    plan = PlanSchemasOperator(task_id="plan")
    apply = ApplySchemasOperator(task_id="apply")
    validate = VerifySchemasOperator(task_id="validate")
    restore = RestoreSettingsOperator(task_id="restore", retries=10)
    report = ReportOperator(task_id="report", job=SCHEMAS)

    plan >> apply >> validate >> restore >> report
