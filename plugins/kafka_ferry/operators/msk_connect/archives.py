"""Operators for custom plugins and worker configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk_connect.plugin_upload import from_folder, from_maven, upload
from kafka_ferry.hooks.msk_connect.rules.naming import content_name
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import content
from kafka_ferry.operators.masked import MaskedFields
from kafka_ferry.operators.msk_connect.base import MskConnectOperator

with brought_by("aws"):
    from airflow.providers.amazon.aws.utils.mixins import aws_template_fields


class MskConnectCreateCustomPluginOperator(MskConnectOperator):
    """Create a custom plugin, or adopt the one of this name, and wait until it is ACTIVE.

    From an existing object in S3::

        MskConnectCreateCustomPluginOperator(task_id="plugin", name="orders-1", bucket="plugins", key="orders-1.zip")

    or built here, uploaded, and named by its content (``debezium-mysql-<digest>``)::

        MskConnectCreateCustomPluginOperator(
            task_id="plugin", name="debezium-mysql", bucket="plugins",
            maven=["io.debezium:debezium-connector-mysql:3.5.0.Final:tar.gz:plugin"],
        )

    :param name: name of the plugin; with ``maven`` or ``folder`` the beginning of its name. (templated)
    :param bucket: S3 bucket in the region of the connector. (templated)
    :param key: object in it; with ``maven`` or ``folder`` the prefix. (templated)
    :param maven: coordinates ``group:artifact:version[:type[:classifier]]``. (templated)
    :param folder: a folder on the Airflow worker. (templated)
    :param content_type: ZIP or JAR, of an existing object in S3.
    :param create_kwargs: further arguments of ``create_custom_plugin`` (``description``, ``tags``). (templated)
    :return: ARN of the plugin.
    """

    template_fields: Sequence[str] = aws_template_fields("name", "bucket", "key", "maven", "folder", "create_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"create_kwargs": "json"}

    def __init__(
        self,
        *,
        name: str,
        bucket: str,
        key: str = "",
        maven: Sequence[str] | None = None,
        folder: str | None = None,
        content_type: str = "ZIP",
        create_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name, self.bucket, self.key = name, bucket, key
        self.maven, self.folder = maven, folder
        self.content_type = content_type
        self.create_kwargs = create_kwargs or {}

    def act(self) -> str:
        """Build and upload if requested, create or adopt, wait."""
        name, key, kind = self.name, self.key, self.content_type
        if self.maven or self.folder:
            archive = from_maven(self.maven) if self.maven else from_folder(str(self.folder))
            where = {"region_name": self.region_name, "verify": self.verify, "config": self.botocore_config}
            key = upload(archive, name, self.bucket, key, aws_conn_id=self.aws_conn_id, **where)
            name, kind = archive.name(name), "ZIP"
        arn = self.hook.create_custom_plugin(name, self.bucket, key, content_type=kind, **self.create_kwargs)
        self.await_("custom_plugin_active", arn, customPluginArn=arn)
        return arn


class MskConnectDeleteCustomPluginOperator(MskConnectOperator):
    """Delete a custom plugin; one that does not exist counts as deleted.

    :param custom_plugin_arn: its ARN. (templated)
    """

    template_fields: Sequence[str] = aws_template_fields("custom_plugin_arn")

    def __init__(self, *, custom_plugin_arn: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.custom_plugin_arn = custom_plugin_arn

    def act(self) -> str:
        """Delete and wait."""
        arn = self.custom_plugin_arn
        if self.hook.delete_custom_plugin(arn):
            self.await_("custom_plugin_deleted", arn, customPluginArn=arn)
        return arn


class MskConnectCreateWorkerConfigurationOperator(MaskedFields, MskConnectOperator):
    """Create a worker configuration, or adopt an identical one.

    Its properties are linted against MSK Connect's lists before the call. It is ACTIVE at once, so there is no wait.

    :param name: its name. (templated)
    :param properties: its properties; ``key.converter`` and ``value.converter`` are required. (templated)
    :param named_by_content: append a digest of the properties to the name, as they can never be changed.
    :param create_kwargs: further arguments of ``create_worker_configuration``. (templated)
    :return: ``{"workerConfigurationArn": …, "revision": …}``, as ``create_connector`` takes it.
    """

    masked = ("properties",)
    template_fields: Sequence[str] = aws_template_fields("name", "properties", "create_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"properties": "json", "create_kwargs": "json"}

    def __init__(
        self,
        *,
        name: str,
        properties: Mapping[str, str],
        named_by_content: bool = True,
        create_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name, self.properties = name, properties
        self.named_by_content = named_by_content
        self.create_kwargs = create_kwargs or {}

    def act(self) -> dict[str, Any]:
        """Create or adopt."""
        properties = {key: str(value) for key, value in self.secret_field("properties").items()}
        name = content_name(self.name, content(properties).encode()) if self.named_by_content else self.name
        made = self.hook.create_worker_configuration(name, properties, **self.create_kwargs)
        return {"workerConfigurationArn": made.arn, "revision": made.revision}


class MskConnectDeleteWorkerConfigurationOperator(MskConnectOperator):
    """Delete a worker configuration; one that does not exist counts as deleted.

    :param worker_configuration_arn: its ARN. (templated)
    """

    template_fields: Sequence[str] = aws_template_fields("worker_configuration_arn")

    def __init__(self, *, worker_configuration_arn: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.worker_configuration_arn = worker_configuration_arn

    def act(self) -> str:
        """Delete and wait."""
        arn = self.worker_configuration_arn
        if self.hook.delete_worker_configuration(arn):
            self.await_("worker_configuration_deleted", arn, workerConfigurationArn=arn)
        return arn
