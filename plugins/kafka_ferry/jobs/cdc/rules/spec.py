"""The params of ``stream_database_changes``, checked once, typed from then on. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator
from pydantic.config import JsonDict

from kafka_ferry.core.arns import CLUSTER_ARN, ROLE_ARN
from kafka_ferry.core.fields import DryRun, PollInterval, TargetCluster
from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Name, Regex, Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.capacity import capacity_from, check_fits
from kafka_ferry.jobs.cdc.debezium_config import HISTORY, MAX_SERVER_ID, Database, translated
from kafka_ferry.jobs.cdc.rules.pasted_config import CLAIMS, moved
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

_PLUGIN = "io.debezium:debezium-connector-{database}:3.5.0.Final:tar.gz:plugin"

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$")]

#: Sections of the form.
_CONNECTOR: JsonDict = {"section": "Connector"}
_TOPICS: JsonDict = {"section": "Topics"}
_TIMES: JsonDict = {"section": "Times"}


class StreamSpec(Spec):
    """What the user asked for, in the names of the trigger form. Times are in seconds."""

    run_kind = Kind.STREAM
    named_by = ("stream",)

    databases: list[Entry] = Field(
        min_length=1,
        title="Databases",
        description="Names, one per line, such as ecommerce.",
    )
    tables: list[Regex] = Field(
        default=[],
        title="Tables",
        description=(
            "database.table or regular expressions, one per line, such as ecommerce.orders. Empty: all tables of the "
            "databases."
        ),
    )
    database_conn_id: str = Field(
        default="database_source",
        title="Database connection",
        description=(
            "Airflow connection of type mysql: the writer's host, and a user with the rights that Debezium needs."
        ),
        examples=["database_source"],
    )
    database: Database = Field(
        default=Database.MARIADB,
        title="Kind of database",
        description="Chooses Debezium's connector.",
        json_schema_extra={
            "values_display": {
                "mariadb": "MariaDB",
                "mysql": "MySQL, Aurora MySQL",
                "postgresql": "PostgreSQL: refused by this version",
            },
            "enum": ["mariadb", "mysql", "postgresql"],
        },
    )
    topic_prefix: Prefix | None = Field(
        default=None,
        title="Topic prefix",
        description=(
            "Topics are <prefix>.<database>.<table>; schema changes go to <prefix>. Default: the stream's name."
        ),
        examples=["ecommerce-server"],
    )
    target_conn_id: TargetCluster = "kafka_target"
    stream: Name = Field(
        default="ferry",
        title="Stream name",
        description="Names the connector. One run at a time works on a name; the next one resumes where it stopped.",
        examples=["orders"],
    )
    keep_streaming: bool = Field(
        default=True,
        title="Keep streaming",
        description="Leave the connector running at the end; the last task says how to stop it.",
    )
    dry_run: DryRun = False
    runtime: Literal["connect_rest", "msk_connect"] = Field(
        default="connect_rest",
        title="Runtime",
        description="What runs the connector.",
        json_schema_extra={
            **_CONNECTOR,
            "values_display": {"connect_rest": "Kafka Connect, by its REST API", "msk_connect": "Amazon MSK Connect"},
        },
    )
    connect_conn_id: str = Field(
        default="kafka_connect",
        title="Kafka Connect",
        description=(
            "Airflow connection of type kafka_connect or http: a worker of Kafka Connect 3.7 or newer that has "
            "Debezium's plugin."
        ),
        examples=["kafka_connect"],
        json_schema_extra=_CONNECTOR,
    )
    snapshot_mode: Literal["initial", "no_data", "when_needed"] = Field(
        default="initial",
        title="Snapshot",
        description=(
            "initial: existing rows, then changes; no_data: changes only; when_needed: again where "
            "the binary log does not reach back to the position."
        ),
        json_schema_extra=_CONNECTOR,
    )
    server_id: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SERVER_ID,
        title="Server id",
        description="As a replica: different from every server and replica. Default: derived from the name.",
        examples=[5501],
        json_schema_extra=_CONNECTOR,
    )
    tls: bool | None = Field(
        default=None,
        title="TLS",
        description="Whether the connector must reach the database by TLS. Default: where the server has it.",
        json_schema_extra=_CONNECTOR,
    )
    connector_config: dict[str, str] = Field(
        default={},
        title="More settings",
        description=("Debezium's own keys; names from Debezium 1 are translated and listed. No secrets."),
        examples=[{"database.server.name": "ecommerce-server"}],
        json_schema_extra=_CONNECTOR,
    )
    forget: bool = Field(
        default=False,
        title="Forget",
        description=(
            "When the connector is deleted: delete its position and schema history too. The next run starts over."
        ),
        json_schema_extra=_CONNECTOR,
    )
    duplicates: Literal["explain", "fail"] = Field(
        default="explain",
        title="Duplicates",
        description=(
            "Debezium may send events again after a crash. explain: listed and counted only; fail: verdict FAIL."
        ),
        json_schema_extra=_CONNECTOR,
    )
    partitions: int = Field(
        default=1,
        ge=1,
        le=1000,
        title="Partitions",
        description="Of topics created. Events of one key stay in one partition.",
        json_schema_extra=_TOPICS,
    )
    replication_factor: int | None = Field(
        default=None,
        ge=1,
        le=32767,
        title="Replication factor",
        description="Of topics created. Empty: the cluster's default.replication.factor.",
        json_schema_extra=_TOPICS,
    )
    history_topic: Prefix | None = Field(
        default=None,
        title="Schema history",
        description="Topic in which Debezium keeps all DDL for itself. Default: <prefix>.schema-history.",
        examples=["ecommerce-server.schema-history"],
        json_schema_extra=_TOPICS,
    )
    cluster_arn: ClusterArn = Field(
        default="", pattern=rf"^$|{CLUSTER_ARN}", json_schema_extra={**MSK_CONNECT, "type": ["null", "string"]}
    )
    bootstrap: Bootstrap = Field(default=None, json_schema_extra=MSK_CONNECT)
    subnets: Subnets = Field(default=[], json_schema_extra=MSK_CONNECT)
    security_groups: SecurityGroups = Field(default=[], json_schema_extra=MSK_CONNECT)
    encryption: Encryption = Field(default="TLS", json_schema_extra=MSK_CONNECT)
    service_execution_role_arn: ServiceRole = Field(
        default="", pattern=rf"^$|{ROLE_ARN}", json_schema_extra={**MSK_CONNECT, "type": ["null", "string"]}
    )
    plugin_bucket: PluginBucket = Field(default=None, json_schema_extra=MSK_CONNECT)
    aws_conn_id: AwsConnection = Field(default="aws_default", json_schema_extra=MSK_CONNECT)
    log_group: LogGroup = Field(default=None, json_schema_extra=MSK_CONNECT)
    kafka_connect_version: ConnectVersion = Field(default="3.7.x", json_schema_extra=MSK_CONNECT)
    custom_plugin_arn: PluginArn = Field(default=None, json_schema_extra=MSK_CONNECT)
    plugin_folder: PluginFolder = Field(default=None, json_schema_extra=MSK_CONNECT)
    worker_properties: WorkerProperties = Field(default={}, json_schema_extra=MSK_CONNECT)
    plugin: str = Field(
        default="",
        title="Plugin from Maven",
        description="Coordinates of Debezium's archive, fetched by mvn on the Airflow worker. Empty: 3.5.0.Final's.",
        examples=["io.debezium:debezium-connector-mysql:3.5.0.Final:tar.gz:plugin"],
        json_schema_extra={**MSK_CONNECT, "type": ["null", "string"]},
    )
    capacity: dict[str, Any] = Field(
        default={"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}},
        title="Capacity",
        description="As in CreateConnector. Debezium always has one task: autoscaled capacity is refused.",
        examples=[{"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}}],
        json_schema_extra=MSK_CONNECT,
    )
    password_reference: str | None = Field(
        default=None,
        pattern=r"^\$\{.+\}$",
        title="Password by reference",
        description="A ConfigProvider reference that the connector gets instead of the database's password.",
        examples=["${secretsmanager:debezium:password}"],
        json_schema_extra=MSK_CONNECT,
    )
    poll_interval: PollInterval = Field(default=10, json_schema_extra=_TIMES)
    running_timeout: float = Field(
        default=300,
        ge=5,
        title="Time to start",
        description="Until the connector must run. In seconds.",
        json_schema_extra=_TIMES,
    )
    convergence_timeout: float = Field(
        default=86400,
        ge=10,
        title="Time to copy",
        description="Until all records must have arrived. In seconds.",
        json_schema_extra=_TIMES,
    )
    no_progress_timeout: float = Field(
        default=600,
        ge=5,
        title="Patience",
        description="Without progress the run fails. In seconds.",
        json_schema_extra=_TIMES,
    )

    @field_validator("cluster_arn", "service_execution_role_arn", "plugin", mode="before")
    @classmethod
    def _none_is_no_text(cls, value: Any) -> Any:
        return "" if value is None else value

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Check params and return the spec; keys of a Debezium config that a param says are moved into it.

        :raises BadParam: the first param that is unknown, missing or has a bad value; nothing has been changed.
        """
        spec = super().from_params(moved(params, {name: field.default for name, field in cls.model_fields.items()}))
        if spec.forget and spec.keep_streaming:
            raise BadParam("forget", "is given, but keep_streaming is too", "set keep_streaming to false")
        if spec.database is Database.POSTGRESQL:
            fix = "kafka_ferry.jobs.cdc.debezium_config.Capture with the operators of your own DAG"
            raise BadParam("database", "postgresql cannot be validated by this version, only configured", fix)
        if spec.runtime == "msk_connect":
            spec._check_msk()
        return spec if spec.plugin else spec.model_copy(update={"plugin": _PLUGIN.format(database=spec.database.value)})

    def _check_msk(self) -> None:
        check_cluster(self)
        if not self.service_execution_role_arn:
            fix = "the ARN of the role that MSK Connect assumes, see docs/msk_connect.md"
            raise BadParam("service_execution_role_arn", "is missing", fix)
        if not self.plugin_bucket and not self.custom_plugin_arn:
            raise BadParam("plugin_bucket", "is missing", "an S3 bucket, or custom_plugin_arn of an existing plugin")
        check_fits(self.database.connector_class, capacity_from(self.capacity))

    @property
    def prefix(self) -> str:
        """First part of every topic's name, and name of the topic of schema changes."""
        return self.topic_prefix or self.stream

    @property
    def history(self) -> str:
        """The topic in which Debezium keeps all DDL for itself."""
        return self.history_topic or f"{self.prefix}.schema-history"

    def replica_id(self, name: str) -> int:
        """The server id; of a stream without one the same on every run."""
        return self.server_id or 100_000 + zlib.crc32(name.encode()) % 2_000_000_000

    def notes(self) -> tuple[str, ...]:
        """What of ``connector_config`` is called otherwise today."""
        return translated(self.connector_config).notes

    def claims(self) -> dict[str, str]:
        """What ``connector_config`` says of the connection: it must be the same."""
        return {key: value for key, value in self.connector_config.items() if key in CLAIMS}

    def own_config(self) -> dict[str, str]:
        """``connector_config`` in today's words, without what connections say."""
        own = translated(self.connector_config).config
        said = (*CLAIMS, f"{HISTORY}kafka.bootstrap.servers", "tasks.max")
        return {key: value for key, value in own.items() if key not in said}
