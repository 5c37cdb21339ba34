"""The trigger form of ``msk_replicator``."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kafka_ferry.migration.msk_replicator_spec import MskReplicatorSpec
from kafka_ferry.operators.params import migration_params

_SECTION, _TIMES = "MSK", "Waiting"

#: What the form of the other engines asks and a replicator cannot do, or has no use for.
_MEANINGLESS = (
    "naming", "topic_rename_format", "source_alias", "heartbeats", "throughput", "tasks_max", "group_offsets",
)  # fmt: skip


def msk_replicator_params() -> dict[str, Param]:
    """Params of ``msk_replicator``; defaults and limits are those of ``MskReplicatorSpec``."""
    # Required here, and so not folded away in a section.
    ours = (*_MEANINGLESS, "cluster_arn")
    params = {name: param for name, param in migration_params().items() if name not in ours}
    for name in ("migration", "poll_interval", "running_timeout", "no_progress_timeout"):
        default = MskReplicatorSpec.model_fields[name].default
        params[name] = Param(default, description=params[name].description, **params[name].schema)
    arn = "arn:aws:kafka:eu-west-1:123456789012:cluster"
    mine = {
        "source_cluster_arn": Param(
            type="string",
            title="Source cluster's ARN",
            description="The MSK cluster that the source connection leads to; it needs IAM access control.",
            examples=[f"{arn}/old/0f3c…-1"],
        ),
        "cluster_arn": Param(
            type="string",
            title="Target cluster's ARN",
            description="The MSK cluster that the target connection leads to; the replicator lives in its region.",
            examples=[f"{arn}/new/9a1b…-2"],
        ),
        "service_execution_role_arn": Param(
            type="string",
            title="Service execution role",
            description="IAM role that the replicator reads and writes with.",
            examples=["arn:aws:iam::123456789012:role/AWSMSKReplicatorExecutionRole"],
        ),
    }
    more = {
        "starting_position": _param(
            "starting_position",
            "Starting position",
            "Of a new replicator. LATEST only where the target holds all that the source has.",
            type="string",
            enum=["EARLIEST", "LATEST"],
        ),
        "compression": _param(
            "compression",
            "Compression",
            "Of what it writes into the target; best the same as the source's.",
            type="string",
            enum=["NONE", "GZIP", "SNAPPY", "LZ4", "ZSTD"],
        ),
        "log_group": _param(
            "log_group",
            "Log group",
            "CloudWatch log group for its log. Empty: none.",
            type=["null", "string"],
            examples=["/msk/replicator"],
        ),
        "aws_conn_id": _param(
            "aws_conn_id", "AWS", "Airflow connection of type aws.", type="string", examples=["aws_default"]
        ),
    }
    connect = params.pop("connect_conn_id")
    schema = {**connect.schema, "type": ["null", "string"]}
    looked_at = Param(None, description="A Connect cluster whose connectors may copy the same topics.", **schema)
    topics = {"topics": params.pop("topics")}
    return topics | mine | params | more | {"connect_conn_id": looked_at}


def _param(name: str, title: str, description: str, **schema: Any) -> Param:
    default = MskReplicatorSpec.model_fields[name].default
    return Param(default, title=title, description=description, section=_SECTION, **schema)
