"""Params that all jobs on MSK Connect have: their types, and what the forms say of them. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.arns import PLUGIN_ARN

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
