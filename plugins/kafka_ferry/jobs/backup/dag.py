"""What the backup DAGs say: back up, restore, verify."""

from __future__ import annotations

from kafka_ferry.jobs.backup.reported import BACKUP, RESTORE, VERIFICATION
from kafka_ferry.jobs.backup.tasks.backup import (
    BackupShardsOperator,
    CopyBackupOperator,
    ExportOperator,
    FinishBackupOperator,
    FreezeBackupOperator,
    PlanBackupOperator,
    PruneOperator,
    ValidateBackupOperator,
)
from kafka_ferry.jobs.backup.tasks.report import ArchiveReportOperator
from kafka_ferry.jobs.backup.tasks.restore import (
    CompareRestoredOperator,
    PlanRestoreOperator,
    ProvisionRestoreOperator,
    ReleaseOperator,
    RestoreAclsOperator,
    RestoreGroupsOperator,
    RestoreOperator,
    RestoreShardsOperator,
    ValidateRestoreOperator,
)
from kafka_ferry.jobs.backup.tasks.verify_backup import (
    PlanVerifyOperator,
    ValidateVerifyOperator,
    VerifyObjectsOperator,
    VerifyShardsOperator,
)
from kafka_ferry.jobs.common.defaults import UNBOUNDED, in_pool


def back_up() -> None:
    """Make the tasks of a backup in the DAG whose ``with`` block it is called in::

    plan -> freeze -> shards -> export -> finish -> copy -> prune -> validate -> report
    """
    plan = PlanBackupOperator(task_id="plan")
    freeze = FreezeBackupOperator(task_id="freeze")
    shards = BackupShardsOperator(task_id="shards")
    export = ExportOperator.partial(task_id="export", **in_pool()).expand(shard=shards.output)
    finish = FinishBackupOperator(task_id="finish")
    copy = CopyBackupOperator(task_id="copy", **UNBOUNDED)
    prune = PruneOperator(task_id="prune")
    validate = ValidateBackupOperator(task_id="validate")
    report = ArchiveReportOperator(task_id="report", job=BACKUP)

    plan >> freeze >> shards >> export >> finish >> copy >> prune >> validate >> report


def restore() -> None:
    """Make the tasks of a restore::

    plan -> provision -> shards -> restore -> compare -> groups -> validate -> acls -> release -> report
    """
    # Two setups of the teardown, so that what was held is also put back when provision fails half-way.
    plan = PlanRestoreOperator(task_id="plan").as_setup()  # type: ignore[no-untyped-call]
    provision = ProvisionRestoreOperator(task_id="provision").as_setup()  # type: ignore[no-untyped-call]
    shards = RestoreShardsOperator(task_id="shards")
    restored = RestoreOperator.partial(task_id="restore", **in_pool()).expand(shard=shards.output)
    compared = CompareRestoredOperator.partial(task_id="compare", **in_pool()).expand(shard=shards.output)
    groups = RestoreGroupsOperator(task_id="groups", **UNBOUNDED)
    validate = ValidateRestoreOperator(task_id="validate")
    # Behind all that reads or changes topics and groups: an ACL may take that right away.
    acls = RestoreAclsOperator(task_id="acls")
    release = ReleaseOperator(task_id="release").as_teardown(setups=[plan, provision], on_failure_fail_dagrun=True)
    # After the teardown, outside the setups' scope: it runs, and tells why, also when a setup failed.
    report = ArchiveReportOperator(task_id="report", job=RESTORE)

    plan >> provision >> shards >> restored >> compared >> groups >> validate >> acls >> release >> report


def verify() -> None:
    """Make the tasks of a verification::

    plan -> shards -> verify -> validate -> report
    """
    plan = PlanVerifyOperator(task_id="plan")
    shards = VerifyShardsOperator(task_id="shards")
    verified = VerifyObjectsOperator.partial(task_id="verify", **in_pool()).expand(shard=shards.output)
    validate = ValidateVerifyOperator(task_id="validate")
    report = ArchiveReportOperator(task_id="report", job=VERIFICATION)

    plan >> shards >> verified >> validate >> report
