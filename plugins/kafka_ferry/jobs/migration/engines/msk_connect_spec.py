"""Params of ``mirror_maker2_on_msk_connect``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator

from kafka_ferry.core.arns import CLUSTER_ARN, ROLE_ARN
from kafka_ferry.core.fields import ConnectToLookAt
from kafka_ferry.core.kafka_version import kafka_version
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, Naming
from kafka_ferry.jobs.runtimes.msk_connect_spec import (
    MSK_CONNECT,
    AwsConnection,
    Bootstrap,
    ClusterArn,
    ConnectVersion,
    Encryption,
    LogGroup,
    PluginArn,
    PluginBucket,
    PluginFolder,
    SecurityGroups,
    ServiceRole,
    Subnets,
    WorkerProperties,
    check_cluster,
)

#: MSK Connect's names have letters, digits and hyphens.
NAME = r"^[A-Za-z0-9][A-Za-z0-9-]{0,59}$"
#: The first Kafka Connect whose MirrorMaker 2 can do what is set here.
_OLDEST = (3, 0)


class MskConnectSpec(MigrationSpec):
    """What it takes beside the params of a migration."""

    engine: ClassVar[str] = "mirror_maker2_on_msk_connect"
    only: ClassVar = {"exactly_once": (False, "MSK Connect's workers do not take exactly.once.source.support")}
    form_without = ("exactly_once",)
    form_first = (
        "topics", "migration", "source_conn_id", "target_conn_id", "cluster_arn", "service_execution_role_arn",
        "plugin_bucket",
    )  # fmt: skip

    migration: str = Field(default="ferry-msk", pattern=NAME)  # not the main DAG's: it is the alias too
    connect_conn_id: ConnectToLookAt = Field(default=None, json_schema_extra=MSK_CONNECT)
    cluster_arn: ClusterArn = Field(
        default="", pattern=rf"^$|{CLUSTER_ARN}", json_schema_extra={"type": ["null", "string"]}
    )
    bootstrap: Bootstrap = Field(default=None, json_schema_extra=MSK_CONNECT)
    subnets: Subnets = Field(default=[], json_schema_extra=MSK_CONNECT)
    security_groups: SecurityGroups = Field(default=[], json_schema_extra=MSK_CONNECT)
    encryption: Encryption = Field(default="TLS", json_schema_extra=MSK_CONNECT)
    service_execution_role_arn: ServiceRole = Field(pattern=ROLE_ARN)
    plugin_bucket: PluginBucket = None
    aws_conn_id: AwsConnection = Field(default="aws_default", json_schema_extra=MSK_CONNECT)
    workers: int = Field(
        default=1,
        ge=1,
        le=10,
        title="Workers",
        description="Of the source connector; each of the others has one.",
        examples=[2],
        json_schema_extra=MSK_CONNECT,
    )
    mcus: Literal[1, 2, 4, 8] = Field(
        default=1,
        title="MCUs",
        description="Of each worker: 1 is one vCPU and 4 GiB.",
        json_schema_extra=MSK_CONNECT,
    )
    log_group: LogGroup = Field(default=None, json_schema_extra=MSK_CONNECT)
    kafka_connect_version: ConnectVersion = Field(default="3.7.x", json_schema_extra=MSK_CONNECT)
    custom_plugin_arn: PluginArn = Field(default=None, json_schema_extra=MSK_CONNECT)
    plugin_folder: PluginFolder = Field(default=None, json_schema_extra=MSK_CONNECT)
    worker_properties: WorkerProperties = Field(default={}, json_schema_extra=MSK_CONNECT)
    # The key is librdkafka's.
    source_references: dict[str, str] = Field(
        default={},
        title="Secrets of the source",
        description="Key of the source's connection to the ConfigProvider reference that connectors get instead.",
        examples=[{"sasl.password": "${secretsmanager:AmazonMSK_source:password}"}],
        json_schema_extra=MSK_CONNECT,
    )
    running_timeout: float = Field(default=2400, ge=5)  # one that cannot reach its cluster needs 20 minutes to say so

    @field_validator("cluster_arn", mode="before")
    @classmethod
    def _none_is_no_text(cls, value: Any) -> Any:
        return "" if value is None else value

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Also that params fit together.

        :raises BadParam: as ``MigrationSpec``; or params that contradict each other.
        """
        spec = super().from_params(params)
        check_cluster(spec)
        if not spec.plugin_bucket and not spec.custom_plugin_arn:
            raise BadParam("plugin_bucket", "is missing", "an S3 bucket, or custom_plugin_arn of an existing plugin")
        if spec.custom_plugin_arn and spec.plugin_folder:
            raise BadParam("plugin_folder", "is given beside custom_plugin_arn", "only one of the two")
        if (kafka_version(spec.kafka_connect_version) or _OLDEST) < _OLDEST:
            problem = (
                f"is {spec.kafka_connect_version}, whose MirrorMaker 2 cannot keep the names of topics (KAFKA-9726) "
                "and writes its offset-syncs to the source (KIP-716)"
            )
            raise BadParam("kafka_connect_version", problem, "3.7.x")
        if spec.naming is Naming.RENAME:
            spec._check_rename()
        return spec

    def _check_rename(self) -> None:
        if not self.plugin_folder and not self.custom_plugin_arn:
            problem = "is missing: new names by format need a class that only a plugin can add to MSK Connect"
            fix = "the folder of kafka-ferry-connect-plugins.jar (make plugins), see docs/connect_plugins.md"
            raise BadParam("plugin_folder", problem, fix)
        if self.heartbeats:
            problem = "is on with naming: rename, but MirrorHeartbeatConnector cannot load a policy from a plugin"
            raise BadParam("heartbeats", problem, "heartbeats: false, or naming: identity or prefix")
