"""Words of the params that all jobs on MSK Connect have."""

from __future__ import annotations

from typing import Any, Final

from kafka_ferry.jobs.common.form import Form

#: Defaults that an installation may set once, in the environment of Airflow; the embedded stack with its double does.
FROM_ENVIRONMENT = {
    "cluster_arn": "FERRY_MSK_CLUSTER_ARN",
    "service_execution_role_arn": "FERRY_MSK_ROLE_ARN",
    "plugin_bucket": "FERRY_MSK_PLUGIN_BUCKET",
}

#: Param to title, text and examples.
WORDS: Final[dict[str, tuple[str, str, list[Any]]]] = {
    "cluster_arn": (
        "Target cluster's ARN",
        (
            "The MSK cluster that target_conn_id leads to. The connectors' brokers, subnets, security "
            "groups and login come from it."
        ),
        ["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
    ),
    "service_execution_role_arn": (
        "Service role",
        "ARN of the role that the connectors run with.",
        ["arn:aws:iam::123456789012:role/msk-connect"],
    ),
    "plugin_bucket": (
        "Bucket for the plugin",
        "S3 bucket in the cluster's region; the plugin is put there and taken away again.",
        ["my-connect-plugins"],
    ),
    "aws_conn_id": (
        "AWS",
        "Airflow connection of type aws: MSK Connect, MSK, S3 and CloudWatch Logs.",
        ["aws_default"],
    ),
    "log_group": (
        "Log group",
        "In CloudWatch, for the workers' logs: a failure shows their last lines.",
        ["/connect/kafka-ferry"],
    ),
    "kafka_connect_version": ("Version", "Of Kafka Connect on MSK Connect.", ["3.7.x"]),
    "custom_plugin_arn": (
        "Plugin that is there",
        "ARN of a custom plugin to use in place of one of the migration's own.",
        ["arn:aws:kafkaconnect:eu-west-1:123456789012:custom-plugin/mm2/1a2b3c4d-0000-0000-0000-000000000000-5"],
    ),
    "plugin_folder": (
        "Plugin's folder",
        (
            "Folder on the Airflow worker with JARs for the plugin: for new names by format, or a "
            "ConfigProvider. Empty: a placeholder."
        ),
        ["/opt/kafka-ferry/plugin"],
    ),
    "worker_properties": (
        "Worker properties",
        "Of the worker configuration, beside ours.",
        [{"producer.linger.ms": "20"}],
    ),
}


def add(form: Form, *names: str, **more: Any) -> None:
    """Add them to a form.

    :param more: words of JSON schema, beside what the spec says.
    """
    for name in names:
        title, text, examples = WORDS[name]
        form(name, title, text, examples=examples or None, **more)
