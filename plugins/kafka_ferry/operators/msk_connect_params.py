"""The trigger form of ``mirror_maker2_on_msk_connect``."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import Param

from kafka_ferry.migration.arns import CLUSTER_ARN, ROLE_ARN
from kafka_ferry.migration.msk_connect_spec import NAME, PLUGIN_ARN, MskConnectSpec
from kafka_ferry.operators.params import migration_params

_SECTION = "MSK Connect"

#: Defaults that an installation may set once, in the environment of Airflow; the embedded stack with its double does.
_FROM_ENVIRONMENT = {
    "cluster_arn": "FERRY_MSK_CLUSTER_ARN",
    "service_execution_role_arn": "FERRY_MSK_ROLE_ARN",
    "plugin_bucket": "FERRY_MSK_PLUGIN_BUCKET",
}


def msk_connect_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_on_msk_connect``; defaults and limits are those of its spec."""
    params = migration_params()
    del params["cluster_arn"]  # required here, and so not folded away in a section
    params["migration"] = _like("migration", params["migration"], pattern=NAME)
    params["running_timeout"] = _like("running_timeout", params["running_timeout"])
    first = ("topics", "migration", "source_conn_id", "target_conn_id")
    return {name: params.pop(name) for name in first} | _always_set() | params | _others()


def _always_set() -> dict[str, Param]:
    return {
        "cluster_arn": _param(
            "cluster_arn",
            "Target cluster's ARN",
            "The MSK cluster that target_conn_id leads to. The connectors' brokers, subnets, security groups and login "
            "come from it.",
            pattern=CLUSTER_ARN,
            examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
        ),
        "service_execution_role_arn": _param(
            "service_execution_role_arn",
            "Service role",
            "ARN of the role that the connectors run with.",
            pattern=ROLE_ARN,
            examples=["arn:aws:iam::123456789012:role/msk-connect"],
        ),
        "plugin_bucket": _param(
            "plugin_bucket",
            "Bucket for the plugin",
            "S3 bucket in the cluster's region; the plugin is put there and taken away again.",
            type=["null", "string"],
            examples=["my-connect-plugins"],
        ),
    }


def _others() -> dict[str, Param]:
    folded: dict[str, Any] = {"section": _SECTION}
    return {
        "aws_conn_id": _param(
            "aws_conn_id",
            "AWS",
            "Airflow connection of type aws: MSK Connect, MSK, S3 and CloudWatch Logs.",
            examples=["aws_default"],
            **folded,
        ),
        "workers": _param(
            "workers", "Workers", "Of the source connector; each of the others has one.", type="integer", minimum=1,
            maximum=10, examples=[2], **folded,
        ),
        "mcus": _param(
            "mcus", "MCUs", "Of each worker: 1 is one vCPU and 4 GiB.", type="integer", enum=[1, 2, 4, 8], **folded
        ),
        "log_group": _param(
            "log_group",
            "Log group",
            "In CloudWatch, for the workers' logs: a failure shows their last lines.",
            type=["null", "string"],
            examples=["/connect/kafka-ferry"],
            **folded,
        ),
        "kafka_connect_version": _param(
            "kafka_connect_version", "Version", "Of Kafka Connect on MSK Connect.", examples=["3.7.x"], **folded
        ),
        "custom_plugin_arn": _param(
            "custom_plugin_arn",
            "Plugin that is there",
            "ARN of a custom plugin to use in place of one of the migration's own.",
            type=["null", "string"],
            pattern=PLUGIN_ARN,
            examples=["arn:aws:kafkaconnect:eu-west-1:123456789012:custom-plugin/mm2/1a2b3c4d-0000-0000-0000-000000000000-5"],
            **folded,
        ),
        "plugin_folder": _param(
            "plugin_folder",
            "Plugin's folder",
            "Folder on the Airflow worker with JARs for the plugin: for new names by format, or a ConfigProvider. "
            "Empty: a placeholder.",
            type=["null", "string"],
            examples=["/opt/kafka-ferry/plugin"],
            **folded,
        ),
        "worker_properties": _param(
            "worker_properties",
            "Worker properties",
            "Of the worker configuration, beside ours.",
            type="object",
            examples=[{"producer.linger.ms": "20"}],
            **folded,
        ),
        "source_references": _param(
            "source_references",
            "Secrets of the source",
            "Key of the source's connection to a ConfigProvider's reference that connectors get in its place.",
            type="object",
            examples=[{"sasl.password": "${secretsmanager:AmazonMSK_source:password}"}],
            **folded,
        ),
        "connect_conn_id": _param(
            "connect_conn_id",
            "Kafka Connect to look at",
            "A Connect cluster whose connectors may copy the same topics. Empty: none.",
            type=["null", "string"],
            examples=["kafka_connect"],
            **folded,
        ),
    }  # fmt: skip


def _like(name: str, param: Param, **changes: Any) -> Param:
    default = MskConnectSpec.model_fields[name].default
    return Param(default, description=param.description, **{**param.schema, **changes})


def _param(name: str, title: str, description: str, **schema: Any) -> Param:
    schema.setdefault("type", "string")
    default = os.environ.get(_FROM_ENVIRONMENT.get(name, "")) or MskConnectSpec.model_fields[name].default
    if default == "":  # there is none that could work: the form asks for it
        return Param(title=title, description=description, **schema)
    return Param(default, title=title, description=description, **schema)
