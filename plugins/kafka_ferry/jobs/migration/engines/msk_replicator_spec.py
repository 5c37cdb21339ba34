"""Params of ``msk_replicator``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator
from pydantic.config import JsonDict

from kafka_ferry.core.arns import (
    CLUSTER_ARN,
    ROLE_ARN,
    SECRET_ARN,
    SECURITY_GROUP,
    SERVERS,
    SUBNET,
    account_of,
    region_of,
)
from kafka_ferry.core.fields import ConnectToLookAt
from kafka_ferry.core.spec import Name
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk.rules.cluster import MTLS
from kafka_ferry.jobs.migration.rules.spec import PROOF, GroupOffsets, MigrationSpec, Naming

#: With names kept, MSK Replicator writes source cluster and topic into this header of each record, so that nothing goes
#: round in circles (developer guide, "Topic naming").
OWN_HEADER = "__mskmr"

#: Sections of the form.
_MSK: JsonDict = {"section": "MSK"}
_OUTSIDE: JsonDict = {"section": "Source outside MSK"}
#: Params that only a source without an ARN has.
_OUTSIDE_ONLY = ("source_subnets", "source_security_groups", "source_login_arn", "source_ca_arn")


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
        default="",
        pattern=rf"^$|{CLUSTER_ARN}",
        title="Source cluster's ARN",
        description="The MSK cluster that the source connection leads to; it needs IAM access control. Empty: a Kafka "
        "outside MSK, or MSK of another account, by source_bootstrap.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/old/0f3c…-1"],
        json_schema_extra={"type": ["null", "string"]},
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
    source_bootstrap: str | None = Field(
        default=None,
        pattern=SERVERS,
        title="Source's brokers",
        description="Without an ARN: host:port with commas between them, as the replicator reaches them: a listener "
        "with TLS, and SCRAM or mTLS.",
        examples=["b1.kafka.corp:9094,b2.kafka.corp:9094"],
        json_schema_extra=_OUTSIDE,
    )
    source_login: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "mTLS"] = Field(
        default="SCRAM-SHA-512",
        title="Source's login",
        description="Of the replicator at these brokers.",
        json_schema_extra=_OUTSIDE,
    )
    source_login_arn: str | None = Field(
        default=None,
        pattern=SECRET_ARN,
        title="Source's secret",
        description="ARN in Secrets Manager: username and password, or certificate and privateKey for mTLS.",
        examples=["arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-source-AbCdEf"],
        json_schema_extra=_OUTSIDE,
    )
    source_ca_arn: str | None = Field(
        default=None,
        pattern=SECRET_ARN,
        title="Source's CA",
        description="ARN of the secret whose key certificate has the CA's chain. Empty: a public CA.",
        examples=["arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-source-AbCdEf"],
        json_schema_extra=_OUTSIDE,
    )
    source_subnets: list[Annotated[str, StringConstraints(pattern=SUBNET)]] = Field(
        default=[],
        max_length=16,
        title="Source's subnets",
        description="At least two, in the target's region and account, with a route to the brokers.",
        examples=[["subnet-0a1b2c3d4e5f60718", "subnet-0f1e2d3c4b5a69788"]],
        json_schema_extra=_OUTSIDE,
    )
    source_security_groups: list[Annotated[str, StringConstraints(pattern=SECURITY_GROUP)]] = Field(
        default=[],
        max_length=16,
        title="Source's security groups",
        description="Of the replicator's network interfaces there. Empty: the VPC's default.",
        examples=[["sg-0a1b2c3d4e5f60718"]],
        json_schema_extra=_OUTSIDE,
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

    @field_validator("source_cluster_arn", mode="before")
    @classmethod
    def _none_is_no_text(cls, value: Any) -> Any:
        return "" if value is None else value

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
        spec._check_source()
        if (role := account_of(spec.service_execution_role_arn)) != (account := account_of(spec.cluster_arn)):
            problem = f"is of account {role}, the target of {account}"
            raise BadParam("service_execution_role_arn", problem, "a role of the target's account")
        return spec

    def _check_source(self) -> None:
        if not self.source_bootstrap:
            if not self.source_cluster_arn:
                fix = "the ARN of the MSK cluster that source_conn_id leads to; or source_bootstrap for another Kafka"
                raise BadParam("source_cluster_arn", "is missing", fix)
            for name in _OUTSIDE_ONLY:
                if getattr(self, name):
                    fix = "leave it out, or source_bootstrap in place of source_cluster_arn"
                    raise BadParam(name, "is given, but an MSK cluster is reached by its source_cluster_arn", fix)
            return
        if self.source_cluster_arn:
            fix = "only one of the two: source_cluster_arn for MSK of this account, source_bootstrap for all else"
            raise BadParam("source_bootstrap", "is given beside source_cluster_arn", fix)
        if not self.source_login_arn:
            keys = "certificate and privateKey" if self.source_login == MTLS else "username and password"
            raise BadParam("source_login_arn", "is missing", f"the ARN of a secret with {keys}")
        if len(self.source_subnets) < 2:
            raise BadParam("source_subnets", f"has {len(self.source_subnets)}", "at least two")
        region = region_of(self.cluster_arn)
        for name in ("source_login_arn", "source_ca_arn"):
            there = (getattr(self, name) or "").split(":")
            if len(there) > 3 and there[3] != region:
                fix = "a secret in the replicator's region, such as a replica of it"
                raise BadParam(name, f"is in {there[3]}, the replicator in {region}", fix)

    @property
    def headers_left_out(self) -> tuple[str, ...]:
        """Of what it adds to the records."""
        return (OWN_HEADER,)
