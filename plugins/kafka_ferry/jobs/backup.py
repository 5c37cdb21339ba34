"""What the backup DAGs say: back up, restore, verify."""

from __future__ import annotations

from kafka_ferry.operators.backup import (
    BackupShardsOperator,
    ExportOperator,
    FinishBackupOperator,
    FreezeBackupOperator,
    PlanBackupOperator,
    PruneOperator,
    ValidateBackupOperator,
)
from kafka_ferry.operators.report import ArchiveReportOperator


def back_up() -> None:
    """Make the tasks of a backup in the DAG whose ``with`` block it is called in::

    plan -> freeze -> shards -> export -> finish -> prune -> validate -> report
    """
    plan = PlanBackupOperator(task_id="plan")
    freeze = FreezeBackupOperator(task_id="freeze")
    shards = BackupShardsOperator(task_id="shards")
    export = ExportOperator.partial(task_id="export").expand(shard=shards.output)
    finish = FinishBackupOperator(task_id="finish")
    prune = PruneOperator(task_id="prune")
    validate = ValidateBackupOperator(task_id="validate")
    report = ArchiveReportOperator(task_id="report")

    plan >> freeze >> shards >> export >> finish >> prune >> validate >> report
