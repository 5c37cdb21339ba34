"""The trigger form of ``msk_replicator``."""

from __future__ import annotations

from airflow.sdk import Param

from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec
from kafka_ferry.jobs.migration.params import connect_to_look_at, migration_form

#: What the form of the other engines asks and a replicator cannot do, or has no use for.
_MEANINGLESS = (
    "naming", "topic_rename_format", "source_alias", "heartbeats", "throughput", "tasks_max", "group_offsets",
)  # fmt: skip


def msk_replicator_params() -> dict[str, Param]:
    """Params of ``msk_replicator``."""
    form = migration_form(MskReplicatorSpec)
    form.leave_out(*_MEANINGLESS)
    arn = "arn:aws:kafka:eu-west-1:123456789012:cluster"
    form(
        "source_cluster_arn",
        "Source cluster's ARN",
        "The MSK cluster that the source connection leads to; it needs IAM access control.",
        examples=[f"{arn}/old/0f3c…-1"],
    )
    form(
        "cluster_arn",
        "Target cluster's ARN",
        "The MSK cluster that the target connection leads to; the replicator lives in its region.",
        examples=[f"{arn}/new/9a1b…-2"],
    )
    form(
        "service_execution_role_arn",
        "Service execution role",
        "IAM role that the replicator reads and writes with.",
        examples=["arn:aws:iam::123456789012:role/AWSMSKReplicatorExecutionRole"],
    )
    form.section = "MSK"
    form(
        "starting_position",
        "Starting position",
        "Of a new replicator. LATEST only where the target holds all that the source has.",
    )
    form("compression", "Compression", "Of what it writes into the target; best the same as the source's.")
    form("log_group", "Log group", "CloudWatch log group for its log. Empty: none.", examples=["/msk/replicator"])
    form("aws_conn_id", "AWS", "Airflow connection of type aws.", examples=["aws_default"])
    connect_to_look_at(form)
    form.first("topics", "source_cluster_arn", "cluster_arn", "service_execution_role_arn")
    return form.params
