"""Params that all jobs on MSK Connect have: their types, and what the forms say of them. Pure."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field, StringConstraints
from pydantic.config import JsonDict

from kafka_ferry.core.arns import PLUGIN_ARN, SECURITY_GROUP, SERVERS, SUBNET
from kafka_ferry.exceptions import BadParam

#: Section of the form.
MSK_CONNECT: JsonDict = {"section": "MSK Connect"}

#: As MSK knows the cluster; ``target_conn_id`` is how Airflow reaches it.
ClusterArn = Annotated[
    str,
    Field(
        title="Target cluster's ARN",
        description="The MSK cluster that target_conn_id leads to. The connectors' brokers, subnets, security "
        "groups and login come from it.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
        json_schema_extra={"environment": "FERRY_MSK_CLUSTER_ARN"},
    ),
]
Bootstrap = Annotated[
    str | None,
    Field(
        pattern=SERVERS,
        title="Brokers",
        description="In place of an ARN: of a target that is not MSK's, host:port with commas between them, as the "
        "connectors reach it from their subnets. They log in by nothing.",
        examples=["b1.kafka.corp:9092,b2.kafka.corp:9092"],
    ),
]
Subnets = Annotated[
    list[Annotated[str, StringConstraints(pattern=SUBNET)]],
    Field(
        max_length=16,
        title="Subnets",
        description="Of the connectors, for brokers that are not MSK's; with a route to them.",
        examples=[["subnet-0a1b2c3d4e5f60718", "subnet-0f1e2d3c4b5a69788"]],
    ),
]
SecurityGroups = Annotated[
    list[Annotated[str, StringConstraints(pattern=SECURITY_GROUP)]],
    Field(
        max_length=16,
        title="Security groups",
        description="Of the connectors, for brokers that are not MSK's. Empty: the VPC's default.",
        examples=[["sg-0a1b2c3d4e5f60718"]],
    ),
]
Encryption = Annotated[
    Literal["TLS", "PLAINTEXT"],
    Field(
        title="Encryption",
        description="Between connectors and brokers that are not MSK's. TLS needs a certificate of a public CA.",
    ),
]
ServiceRole = Annotated[
    str,
    Field(
        title="Service role",
        description="ARN of the role that the connectors run with.",
        examples=["arn:aws:iam::123456789012:role/msk-connect"],
        json_schema_extra={"environment": "FERRY_MSK_ROLE_ARN"},
    ),
]
PluginBucket = Annotated[
    str | None,
    Field(
        title="Bucket for the plugin",
        description="S3 bucket in the cluster's region; the plugin is uploaded there, and deleted at the end.",
        examples=["my-connect-plugins"],
        json_schema_extra={"environment": "FERRY_MSK_PLUGIN_BUCKET"},
    ),
]
AwsConnection = Annotated[
    str,
    Field(
        title="AWS",
        description="Airflow connection of type aws: MSK Connect, MSK, S3 and CloudWatch Logs.",
        examples=["aws_default"],
    ),
]
LogGroup = Annotated[
    str | None,
    Field(
        title="Log group",
        description="In CloudWatch, for the workers' logs: a failure shows their last lines.",
        examples=["/connect/kafka-ferry"],
    ),
]
ConnectVersion = Annotated[
    str, Field(title="Version", description="Of Kafka Connect on MSK Connect.", examples=["3.7.x"])
]
PluginArn = Annotated[
    str | None,
    Field(
        pattern=PLUGIN_ARN,
        title="Existing plugin",
        description="ARN of a custom plugin to use instead of one made for the migration.",
        examples=[
            "arn:aws:kafkaconnect:eu-west-1:123456789012:custom-plugin/mm2/1a2b3c4d-0000-0000-0000-000000000000-5"
        ],
    ),
]
#: A placeholder, as MirrorMaker 2 is on the workers' class path and MSK Connect asks for a plugin all the same.
PluginFolder = Annotated[
    str | None,
    Field(
        title="Plugin's folder",
        description="Folder on the Airflow worker with JARs for the plugin: for new names by format, or a "
        "ConfigProvider. Empty: a placeholder.",
        examples=["/opt/kafka-ferry/plugin"],
    ),
]
WorkerProperties = Annotated[
    dict[str, str],
    Field(
        title="Worker properties",
        description="Of the worker configuration, beside ours.",
        examples=[{"producer.linger.ms": "20"}],
    ),
]


class ClusterParams(Protocol):
    """How a job's connectors reach their own cluster: by an ARN of MSK's, or by brokers and a VPC."""

    @property
    def cluster_arn(self) -> str: ...

    @property
    def bootstrap(self) -> str | None: ...

    @property
    def subnets(self) -> list[str]: ...

    @property
    def security_groups(self) -> list[str]: ...

    @property
    def encryption(self) -> str: ...


def check_cluster(spec: ClusterParams, conn: str = "target_conn_id") -> None:
    """:param conn: the param by which Airflow reaches that cluster.

    :raises BadParam: neither an ARN nor brokers, both of them, or what belongs to the other.
    """
    if not spec.bootstrap:
        if not spec.cluster_arn:
            fix = f"the ARN of the MSK cluster that {conn} leads to; or bootstrap and subnets for another Kafka"
            raise BadParam("cluster_arn", "is missing", fix)
        for name in ("subnets", "security_groups"):
            if getattr(spec, name):
                fix = "leave it out, or bootstrap in place of cluster_arn"
                raise BadParam(name, "is given, but an MSK cluster's come from its cluster_arn", fix)
        return
    if spec.cluster_arn:
        fix = "only one of the two: cluster_arn for an MSK cluster, bootstrap for another Kafka"
        raise BadParam("bootstrap", "is given beside cluster_arn", fix)
    if not spec.subnets:
        raise BadParam("subnets", "is missing", "subnets with a route to the brokers of bootstrap")
