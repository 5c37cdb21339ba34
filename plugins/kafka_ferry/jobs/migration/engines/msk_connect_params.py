"""The trigger form of ``mirror_maker2_on_msk_connect``."""

from __future__ import annotations

from airflow.sdk import Param

from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.params import connect_to_look_at, migration_form
from kafka_ferry.jobs.runtimes.msk_connect_params import FROM_ENVIRONMENT, add


def msk_connect_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_on_msk_connect``."""
    form = migration_form(MskConnectSpec, environment=FROM_ENVIRONMENT)
    add(form, "cluster_arn")
    add(form, "service_execution_role_arn")
    add(form, "plugin_bucket")
    form.section = "MSK Connect"
    add(form, "aws_conn_id")
    form("workers", "Workers", "Of the source connector; each of the others has one.", examples=[2])
    form("mcus", "MCUs", "Of each worker: 1 is one vCPU and 4 GiB.")
    add(form, "log_group")
    add(form, "kafka_connect_version")
    add(form, "custom_plugin_arn")
    add(form, "plugin_folder")
    add(form, "worker_properties")
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
