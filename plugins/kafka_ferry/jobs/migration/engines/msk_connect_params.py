"""The trigger form of ``mirror_maker2_on_msk_connect``."""

from __future__ import annotations

from airflow.sdk import Param

from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.params import connect_to_look_at, migration_form

#: Defaults that an installation may set once, in the environment of Airflow; the embedded stack with its double does.
FROM_ENVIRONMENT = {
    "cluster_arn": "FERRY_MSK_CLUSTER_ARN",
    "service_execution_role_arn": "FERRY_MSK_ROLE_ARN",
    "plugin_bucket": "FERRY_MSK_PLUGIN_BUCKET",
}


def msk_connect_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_on_msk_connect``."""
    form = migration_form(MskConnectSpec, environment=FROM_ENVIRONMENT)
    form(
        "cluster_arn",
        "Target cluster's ARN",
        "The MSK cluster that target_conn_id leads to. The connectors' brokers, subnets, security groups and login "
        "come from it.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
    )
    form(
        "service_execution_role_arn",
        "Service role",
        "ARN of the role that the connectors run with.",
        examples=["arn:aws:iam::123456789012:role/msk-connect"],
    )
    form(
        "plugin_bucket",
        "Bucket for the plugin",
        "S3 bucket in the cluster's region; the plugin is put there and taken away again.",
        examples=["my-connect-plugins"],
    )
    form.section = "MSK Connect"
    form(
        "aws_conn_id",
        "AWS",
        "Airflow connection of type aws: MSK Connect, MSK, S3 and CloudWatch Logs.",
        examples=["aws_default"],
    )
    form("workers", "Workers", "Of the source connector; each of the others has one.", examples=[2])
    form("mcus", "MCUs", "Of each worker: 1 is one vCPU and 4 GiB.")
    form(
        "log_group",
        "Log group",
        "In CloudWatch, for the workers' logs: a failure shows their last lines.",
        examples=["/connect/kafka-ferry"],
    )
    form("kafka_connect_version", "Version", "Of Kafka Connect on MSK Connect.", examples=["3.7.x"])
    form(
        "custom_plugin_arn",
        "Plugin that is there",
        "ARN of a custom plugin to use in place of one of the migration's own.",
        examples=[
            "arn:aws:kafkaconnect:eu-west-1:123456789012:custom-plugin/mm2/1a2b3c4d-0000-0000-0000-000000000000-5"
        ],
    )
    form(
        "plugin_folder",
        "Plugin's folder",
        "Folder on the Airflow worker with JARs for the plugin: for new names by format, or a ConfigProvider. "
        "Empty: a placeholder.",
        examples=["/opt/kafka-ferry/plugin"],
    )
    form(
        "worker_properties",
        "Worker properties",
        "Of the worker configuration, beside ours.",
        examples=[{"producer.linger.ms": "20"}],
    )
    form(
        "source_references",
        "Secrets of the source",
        "Key of the source's connection to a ConfigProvider's reference that connectors get in its place.",
        examples=[{"sasl.password": "${secretsmanager:AmazonMSK_source:password}"}],
    )
    connect_to_look_at(form)
    form.first("topics", "migration", "source_conn_id", "target_conn_id", "cluster_arn", "service_execution_role_arn",
               "plugin_bucket")  # fmt: skip
    return form.params
