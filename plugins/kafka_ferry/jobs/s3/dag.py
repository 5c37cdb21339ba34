"""The sentences of an export to S3 and of an import from it; their pages in docs/ tell more."""

from __future__ import annotations

from kafka_ferry.jobs.common.defaults import UNBOUNDED, in_pool
from kafka_ferry.jobs.s3.connect.sensors import CopiedSensor
from kafka_ferry.jobs.s3.connect.tasks import ConnectorDeployOperator, ConnectorRemoveOperator, S3ReportOperator
from kafka_ferry.jobs.s3.export_tasks import (
    ExportFinishOperator,
    ExportFollowOperator,
    ExportFreezeOperator,
    ExportOperator,
    ExportPlanOperator,
    ExportValidateOperator,
    ExportVerifyOperator,
)
from kafka_ferry.jobs.s3.import_tasks import (
    CopyObjectsOperator,
    ImportFollowOperator,
    ImportOperator,
    ImportPlanOperator,
    ImportReleaseOperator,
    ImportShardsOperator,
    ImportTopicsOperator,
    ImportValidateOperator,
)
from kafka_ferry.jobs.s3.reported import EXPORT, IMPORT

#: A follower is restarted often: it resumes where the last increment ended.
_FOLLOW_RETRIES = 10


def export_topics() -> None:
    """Make the tasks of an export in the DAG whose ``with`` block it is called in::

    plan -> freeze -> deploy -> wait_until_copied -> export -> finish -> verify -> follow -> validate -> remove
    -> report
    """
    plan = ExportPlanOperator(task_id="plan")
    freeze = ExportFreezeOperator(task_id="freeze")
    deploy = ConnectorDeployOperator(task_id="deploy", side="export")
    wait_until_copied = CopiedSensor(task_id="wait_until_copied", side="export")
    export = ExportOperator.partial(task_id="export", **in_pool()).expand(shard=freeze.output)
    finish = ExportFinishOperator(task_id="finish")
    verify = ExportVerifyOperator.partial(task_id="verify", **in_pool()).expand(shard=freeze.output)
    follow = ExportFollowOperator(task_id="follow", retries=_FOLLOW_RETRIES, **UNBOUNDED)
    validate = ExportValidateOperator(task_id="validate")
    remove = ConnectorRemoveOperator(task_id="remove", side="export")
    report = S3ReportOperator(task_id="report", job=EXPORT)

    plan >> freeze >> deploy >> wait_until_copied >> export
    export >> finish >> verify >> follow >> validate >> remove >> report


def import_topics() -> None:
    """Make the tasks of an import in the DAG whose ``with`` block it is called in::

    plan -> copy_objects -> provision_topics -> deploy -> wait_until_copied -> shards -> import -> follow -> validate
    -> remove -> release -> report
    """
    plan = ImportPlanOperator(task_id="plan")
    copy_objects = CopyObjectsOperator(task_id="copy_objects", **UNBOUNDED)
    provision_topics = ImportTopicsOperator(task_id="provision_topics").as_setup()  # type: ignore[no-untyped-call]
    deploy = ConnectorDeployOperator(task_id="deploy", side="import")
    wait_until_copied = CopiedSensor(task_id="wait_until_copied", side="import")
    shards = ImportShardsOperator(task_id="shards")
    records = ImportOperator.partial(task_id="import", **in_pool()).expand(shard=shards.output)
    follow = ImportFollowOperator(task_id="follow", retries=_FOLLOW_RETRIES, **UNBOUNDED)
    validate = ImportValidateOperator(task_id="validate")
    remove = ConnectorRemoveOperator(task_id="remove", side="import")
    release = ImportReleaseOperator(task_id="release").as_teardown(
        setups=[provision_topics], on_failure_fail_dagrun=True
    )
    # After the teardown, outside the setup's scope: it runs, and tells why, also when the setup failed.
    report = S3ReportOperator(task_id="report", job=IMPORT)

    plan >> copy_objects >> provision_topics >> deploy >> wait_until_copied >> shards
    shards >> records >> follow >> validate >> remove >> release >> report
