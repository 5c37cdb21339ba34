"""Params of ``msk_replicator``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.arns import CLUSTER_ARN, ROLE_ARN
from kafka_ferry.core.spec import Name
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.spec import PROOF, ConnectToLookAt, GroupOffsets, MigrationSpec, Naming

#: With names kept, MSK Replicator writes source cluster and topic into this header of each record, so that nothing goes
#: round in circles (developer guide, "Topic naming").
OWN_HEADER = "__mskmr"

#: Section of the form.
_MSK: JsonDict = {"section": "MSK"}


class MskReplicatorSpec(MigrationSpec):
    """``msk_replicator``."""

    engine: ClassVar[str] = "msk_replicator"
    writes_as_us: ClassVar[bool] = False  # but as its role
    only: ClassVar = {
        "naming": (
            Naming.IDENTITY,
            "the replicator keeps names here: its own prefix is known only once it exists",
        ),
        "heartbeats": (False, "MSK Replicator has no heartbeats"),
        "exactly_once": (False, "MSK Replicator writes without transactions"),
        "group_offsets": (
            GroupOffsets.EXACT,
            "MSK Replicator's own offsets are approximate: Kafka Ferry writes exact ones",
        ),
    }

    form_first = ("topics", "source_cluster_arn", "cluster_arn", "service_execution_role_arn")
    #: What it cannot do, or has no use for.
    form_without = (
        "naming", "topic_rename_format", "source_alias", "heartbeats", "throughput", "tasks_max", "group_offsets",
        "exactly_once",
    )  # fmt: skip

    migration: Name = Field(
        default="msk",
        title="Migration name",
        description="Names the replicator. The same name resumes where it stopped; use one name per migration.",
        examples=["event-center", "wave-1"],
    )
    keep_replicating: bool = Field(
        default=False,
        title="Keep replicating",
        description="Leave the replicator running at the end; the last task says how to stop it.",
    )
    duplicates: Literal["fail", "explain"] = Field(
        default="fail",
        title="Duplicates",
        description=("MSK Replicator may send records again. fail: verdict FAIL; explain: listed and counted only."),
        json_schema_extra=PROOF,
    )
    source_cluster_arn: str = Field(
        pattern=CLUSTER_ARN,
        title="Source cluster's ARN",
        description="The MSK cluster that the source connection leads to; it needs IAM access control.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/old/0f3c…-1"],
    )
    cluster_arn: str = Field(
        pattern=CLUSTER_ARN,
        title="Target cluster's ARN",
        description="The MSK cluster that the target connection leads to; the replicator lives in its region.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/new/9a1b…-2"],
    )
    service_execution_role_arn: str = Field(
        pattern=ROLE_ARN,
        title="Service execution role",
        description="IAM role that the replicator reads and writes with.",
        examples=["arn:aws:iam::123456789012:role/AWSMSKReplicatorExecutionRole"],
    )
    starting_position: Literal["EARLIEST", "LATEST"] = Field(
        default="EARLIEST",
        title="Starting position",
        description="Of a new replicator. LATEST only if the target holds all that the source has.",
        json_schema_extra=_MSK,
    )
    compression: Literal["NONE", "GZIP", "SNAPPY", "LZ4", "ZSTD"] = Field(
        default="NONE",
        title="Compression",
        description="Compression of what it writes to the target; best the same as the source's.",
        json_schema_extra=_MSK,
    )
    log_group: str | None = Field(
        default=None,
        title="Log group",
        description="CloudWatch log group for its log. Empty: none.",
        examples=["/msk/replicator"],
        json_schema_extra=_MSK,
    )
    aws_conn_id: str = Field(
        default="aws_default",
        title="AWS",
        description="Airflow connection of type aws.",
        examples=["aws_default"],
        json_schema_extra=_MSK,
    )
    connect_conn_id: ConnectToLookAt = Field(default=None, json_schema_extra=_MSK)
    poll_interval: float = Field(default=30, ge=0.5, le=3600)
    # A replicator takes its time to start; so does anything that cannot reach its cluster to say so.
    running_timeout: float = Field(default=2700, ge=5)
    no_progress_timeout: float = Field(default=1800, ge=5)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Also that params fit together.

        :raises BadParam: as ``MigrationSpec``; or params that contradict each other.
        """
        spec = super().from_params(params)
        if spec.canary and spec.starting_position == "LATEST":
            # "Any messages produced … before the topic has been created on the target" are left out then (guide).
            problem = "is on with starting_position LATEST, which leaves out the first records of every new topic"
            raise BadParam("canary", problem, "canary: false")
        return spec

    @property
    def headers_left_out(self) -> tuple[str, ...]:
        """Of what it adds to the records."""
        return (OWN_HEADER,)
