"""The sentence of an import of files that others wrote; its page in docs/ tells more."""

from __future__ import annotations

from kafka_ferry.jobs.common.defaults import in_pool
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.s3.files.reported import FILES
from kafka_ferry.jobs.s3.files.tasks import (
    FilesPlanOperator,
    FilesReleaseOperator,
    FilesShardsOperator,
    FilesTopicsOperator,
    FilesValidateOperator,
    ImportFilesOperator,
    ReadFilesOperator,
)


def import_files() -> None:
    """Make the tasks of an import in the DAG whose ``with`` block it is called in::

    plan -> shards -> read -> provision_topics -> import -> validate -> release -> report
    """
    plan = FilesPlanOperator(task_id="plan")
    shards = FilesShardsOperator(task_id="shards")
    read = ReadFilesOperator.partial(task_id="read", **in_pool()).expand(shard=shards.output)
    provision_topics = FilesTopicsOperator(task_id="provision_topics").as_setup()  # type: ignore[no-untyped-call]
    records = ImportFilesOperator.partial(task_id="import", **in_pool()).expand(shard=shards.output)
    validate = FilesValidateOperator(task_id="validate")
    release = FilesReleaseOperator(task_id="release").as_teardown(
        setups=[provision_topics], on_failure_fail_dagrun=True
    )
    # After the teardown, outside the setup's scope: it runs, and tells why, also when the setup failed.
    report = ReportOperator(task_id="report", job=FILES)

    plan >> shards >> read >> provision_topics >> records >> validate >> release >> report
