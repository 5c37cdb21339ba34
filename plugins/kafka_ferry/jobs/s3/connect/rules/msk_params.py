"""Params of exports and imports whose connector runs on MSK Connect, and what of them cannot work. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, field_validator
from pydantic.config import JsonDict

from kafka_ferry.core.arns import ROLE_ARN
from kafka_ferry.core.kafka_version import kafka_version
from kafka_ferry.core.spec import Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.runtimes.msk_connect_spec import (
    MSK_CONNECT,
    Bootstrap,
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
from kafka_ferry.jobs.s3.connect.rules.own_connectors import PLUGIN

if TYPE_CHECKING:
    from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

ARN_OR_NONE: Final[JsonDict] = {**MSK_CONNECT, "type": ["null", "string"]}
#: As MSK Connect reckons where it scales by itself (developer guide, "Understand connector capacity").
TASKS_OF_AN_MCU = 2
#: From here on workers let a connector say how its consumer reads, unless told otherwise (KIP-722).
_OVERRIDES = (3, 0)
_IDEMPOTENCE = "producer.enable.idempotence"


class OnMskConnect(Spec):
    """Those that both have; which cluster the ARN is of differs. Times are in seconds."""

    service_execution_role_arn: ServiceRole = Field(
        default="",
        pattern=rf"^$|{ROLE_ARN}",
        description="ARN of the role that the connector runs with. It also reads or writes the bucket.",
        json_schema_extra=ARN_OR_NONE,
    )
    plugin_folder: PluginFolder = Field(
        default=None,
        description=f"Folder on the Airflow worker with {PLUGIN} (make plugins), or with its JARs: uploaded as a "
        "custom plugin.",
        json_schema_extra=MSK_CONNECT,
    )
    plugin_bucket: PluginBucket = Field(default=None, json_schema_extra=MSK_CONNECT)
    custom_plugin_arn: PluginArn = Field(
        default=None,
        description="ARN of a custom plugin with our S3 connectors, to use instead of one made for the run.",
        json_schema_extra=MSK_CONNECT,
    )
    bootstrap: Bootstrap = Field(
        default=None,
        description="In place of an ARN: of a cluster that is not MSK's, host:port with commas between them, as the "
        "connector reaches it from its subnets. It logs in by nothing.",
        json_schema_extra=MSK_CONNECT,
    )
    subnets: Subnets = Field(default=[], json_schema_extra=MSK_CONNECT)
    security_groups: SecurityGroups = Field(default=[], json_schema_extra=MSK_CONNECT)
    encryption: Encryption = Field(default="TLS", json_schema_extra=MSK_CONNECT)
    workers: int = Field(
        default=1,
        ge=1,
        le=10,
        title="Workers",
        description="Of the connector.",
        examples=[2],
        json_schema_extra=MSK_CONNECT,
    )
    mcus: Literal[1, 2, 4, 8] = Field(
        default=2,
        title="MCUs",
        description=f"Of each worker: 1 is one vCPU and 4 GiB, and carries {TASKS_OF_AN_MCU} tasks.",
        json_schema_extra=MSK_CONNECT,
    )
    log_group: LogGroup = Field(default=None, json_schema_extra=MSK_CONNECT)
    kafka_connect_version: ConnectVersion = Field(default="3.7.x", json_schema_extra=MSK_CONNECT)
    worker_properties: WorkerProperties = Field(default={}, json_schema_extra=MSK_CONNECT)
    running_timeout: float = Field(
        default=2400,
        ge=5,
        title="Time to start",
        description="Until the connector must run; one that cannot reach its cluster takes 20 minutes to say so. In "
        "seconds.",
        json_schema_extra=MSK_CONNECT,
    )

    @field_validator("cluster_arn", "service_execution_role_arn", mode="before", check_fields=False)
    @classmethod
    def _none_is_no_text(cls, value: Any) -> Any:
        return "" if value is None else value


#: For the end of the form.
MSK_PARAMS: Final = ("cluster_arn", *OnMskConnect.model_fields)


def check_msk_connect(spec: ExportSpec | ImportSpec, conn: str) -> None:
    """:param conn: the param by which Airflow reaches the connector's own cluster.

    :raises BadParam: MSK Connect cannot do what is asked for, or lacks what it needs.
    """
    check_cluster(spec, conn)
    if not spec.service_execution_role_arn:
        fix = "the ARN of the role that MSK Connect assumes, see docs/s3_connectors.md, On MSK Connect"
        raise BadParam("service_execution_role_arn", "is missing", fix)
    if spec.custom_plugin_arn:
        if spec.plugin_folder:
            raise BadParam("plugin_folder", "is given beside custom_plugin_arn", "only one of the two")
    elif not spec.plugin_folder:
        fix = f"a folder on the Airflow worker with {PLUGIN} (make plugins), or custom_plugin_arn of an existing plugin"
        raise BadParam("plugin_folder", "is missing", fix)
    elif not spec.plugin_bucket:
        raise BadParam("plugin_bucket", "is missing", "an S3 bucket, or custom_plugin_arn of an existing plugin")
    most = spec.workers * spec.mcus * TASKS_OF_AN_MCU
    if spec.tasks_max > most:
        problem = f"is {spec.tasks_max}, and {spec.workers} worker(s) of {spec.mcus} MCU(s) carry {most}"
        raise BadParam("tasks_max", problem, f"tasks_max: {most}, or more workers or mcus")


def check_committed(spec: ExportSpec) -> None:
    """:raises BadParam: nobody could make the sink's consumer leave out what was aborted."""
    version = kafka_version(spec.kafka_connect_version) or _OVERRIDES
    if spec.isolation_level == "read_committed" and version < _OVERRIDES:
        problem = (
            f"is read_committed, and Kafka Connect {spec.kafka_connect_version} lets no connector choose how its "
            "consumer reads (KIP-722); a worker configuration takes no consumer.isolation.level either"
        )
        fix = (
            "kafka_connect_version: 3.7.x; or isolation_level: read_uncommitted, which exports aborted records; or "
            "transport: engine"
        )
        raise BadParam("isolation_level", problem, fix)


def check_idempotent(spec: ImportSpec) -> None:
    """:raises BadParam: a producer that tries again could write twice."""
    if spec.worker_properties.get(_IDEMPOTENCE, "true").lower() != "true":
        problem = f"has {_IDEMPOTENCE}, and without it a batch that is sent again may be in the topic twice"
        raise BadParam("worker_properties", problem, "leave it out")
