"""Operators for connectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kafka_ferry.core.config_diff import connector_config
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk_connect.rules.capacity import capacity_from, check_fits
from kafka_ferry.hooks.msk_connect.rules.connector import Revision
from kafka_ferry.operators.masked import MaskedFields
from kafka_ferry.operators.msk_connect.base import MskConnectOperator

with brought_by("aws"):
    from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

_UPDATABLE = ("connectorConfiguration", "capacity", "plugins", "workerConfiguration")


class _Updating(MaskedFields, MskConnectOperator):
    """Brings a connector up to date by one or two updates, waits for each one's operation, then compares again."""

    skip_health_validation: bool | None = None

    def request(self) -> dict[str, Any]:
        """The desired connector, as ``create_connector`` takes it."""
        raise NotImplementedError

    def update(self, arn: str, event: Mapping[str, Any]) -> str:
        """All remaining updates; called again after each wait in the triggerer, with the kinds already made."""
        wanted = {key: value for key, value in self.request().items() if key in _UPDATABLE}
        kinds: list[str] = list(event.get("updates", ()))
        skip = self.skip_health_validation
        # A kind that is COMPLETE and still differs is not sent again: confirm names the difference.
        while step := self.hook.next_update(arn, wanted, skip_health_validation=skip, made=kinds):
            kind, operation = step
            kinds.append(kind.value)
            self.await_("operation_complete", arn, {"updates": kinds}, connectorOperationArn=operation)
            if not self.wait_for_completion:  # a second update is rejected while the first is in progress
                return arn
        self.hook.confirm(arn, wanted)
        return arn


class MskConnectCreateConnectorOperator(_Updating):
    """Create a connector, or adopt the one of this name, and wait until it is RUNNING.

    An existing one is compared: what can be changed is updated, what cannot is refused by name. So clearing or retrying
    the task is safe.

    Example::

        MskConnectCreateConnectorOperator(
            task_id="connector",
            connector_name="orders",
            connector_configuration={"connector.class": …, "tasks.max": "1"},
            capacity={"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}},
            custom_plugin_arn=plugin.output,
            worker_configuration=workers.output,
            service_execution_role_arn="arn:aws:iam::…:role/connect",
            cluster_arn="arn:aws:kafka:…",
            log_group="/kafka-ferry/connect",
        )

    Known limitation: RUNNING says nothing about records moving (databricks/iceberg-kafka-connect 275).

    :param connector_name: its name. (templated)
    :param connector_configuration: its whole config; secrets in it are masked in the UI. (templated)
    :param capacity: ``provisionedCapacity`` or ``autoScaling``, checked against MSK Connect's limits. (templated)
    :param custom_plugin_arn: ARN of an ACTIVE plugin. (templated)
    :param service_execution_role_arn: role of the workers. (templated)
    :param cluster_arn: MSK cluster that gives brokers, subnets, security groups and authentication. (templated)
    :param cluster: the same, explicit: ``kafkaCluster`` and two security members of ``create_connector``. (templated)
    :param worker_configuration: ``{"workerConfigurationArn": …, "revision": …}``; None uses the default. (templated)
    :param log_group: CloudWatch log group for the workers' logs, whose end a failure shows. (templated)
    :param kafka_connect_version: 3.7.x, or 2.7.1 for plugins built for Java 11.
    :param update_existing: update an existing connector that differs; if false, fail.
    :param replace_failed: delete a FAILED connector and create it again. Unless its worker configuration sets its own
        ``offset.storage.topic``, the new one starts from the beginning.
    :param create_kwargs: further arguments of ``create_connector``. (templated)
    :return: ARN of the connector.
    """

    masked = ("connector_configuration",)
    template_fields: Sequence[str] = aws_template_fields(
        "connector_name", "connector_configuration", "capacity", "custom_plugin_arn", "service_execution_role_arn",
        "cluster_arn", "cluster", "worker_configuration", "log_group", "create_kwargs",
    )  # fmt: skip
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "connector_configuration": "json",
        "capacity": "json",
        "cluster": "json",
        "create_kwargs": "json",
    }

    def __init__(
        self,
        *,
        connector_name: str,
        connector_configuration: Mapping[str, Any],
        capacity: Mapping[str, Any],
        custom_plugin_arn: str,
        service_execution_role_arn: str,
        cluster_arn: str | None = None,
        cluster: Mapping[str, Any] | None = None,
        worker_configuration: Mapping[str, Any] | None = None,
        log_group: str | None = None,
        kafka_connect_version: str = "3.7.x",
        update_existing: bool = True,
        replace_failed: bool = False,
        create_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connector_name = connector_name
        self.connector_configuration = connector_configuration
        self.capacity = capacity
        self.custom_plugin_arn = custom_plugin_arn
        self.service_execution_role_arn = service_execution_role_arn
        self.cluster_arn, self.cluster = cluster_arn, cluster
        self.worker_configuration = worker_configuration
        self.log_group = log_group
        self.kafka_connect_version = kafka_connect_version
        self.update_existing = update_existing
        self.replace_failed = replace_failed
        self.create_kwargs = create_kwargs or {}

    def request(self) -> dict[str, Any]:
        config = connector_config(self.secret_field("connector_configuration"))
        capacity = capacity_from(self.capacity)
        check_fits(config.get("connector.class", ""), capacity)
        plugin: Revision = self.hook.custom_plugin_revision(self.custom_plugin_arn)
        request: dict[str, Any] = {
            "connectorName": self.connector_name,
            "connectorConfiguration": config,
            "capacity": capacity.to_request(),
            "plugins": [{"customPlugin": {"customPluginArn": plugin.arn, "revision": plugin.revision}}],
            "serviceExecutionRoleArn": self.service_execution_role_arn,
            "kafkaConnectVersion": self.kafka_connect_version,
            **self._cluster(),
        }
        if self.worker_configuration:
            request["workerConfiguration"] = dict(self.worker_configuration)
        if self.log_group:
            logs = {"cloudWatchLogs": {"enabled": True, "logGroup": self.log_group}}
            request["logDelivery"] = {"workerLogDelivery": logs}
        return {**request, **self.create_kwargs}

    def _cluster(self) -> Mapping[str, Any]:
        if self.cluster_arn:
            found: dict[str, Any] = self.hook.connector_cluster(self.cluster_arn).to_request()
            return found
        return self.cluster or {}

    def act(self) -> str:
        """Create or adopt, wait until it runs, then update what differs."""
        arn = self.hook.create_connector(self.request(), replace_failed=self.replace_failed)
        if not self.wait_for_completion:
            return arn
        if operation := self.hook.running_operation(arn):  # started by a try of this task that was killed
            self.await_("operation_complete", arn, connectorOperationArn=operation)
        self.await_("connector_running", arn, connectorArn=arn)
        return self.done(arn, {})

    def done(self, arn: str, event: Mapping[str, Any]) -> str:
        """Update what differs; nothing is sent when everything is up to date."""
        if self.update_existing:
            return self.update(arn, event)
        self.hook.confirm(arn, {key: value for key, value in self.request().items() if key in _UPDATABLE})
        return arn


class MskConnectUpdateConnectorOperator(_Updating):
    """Bring a connector up to date; done only when its operations are UPDATE_COMPLETE.

    Compares first and sends no no-op updates. Config and workers are one update each. A rolled-back update fails
    the task, although the connector is RUNNING.

    :param connector_arn: its ARN. (templated)
    :param connector_configuration: the whole config; None keeps it. (templated)
    :param capacity: ``provisionedCapacity`` or ``autoScaling``; None keeps it. (templated)
    :param custom_plugin_arn: another plugin; None keeps it. (templated)
    :param worker_configuration: another worker configuration; None keeps it. (templated)
    :param skip_health_validation: None skips it only where that is required: on a PAUSED connector.
    :return: ARN of the connector.
    """

    masked = ("connector_configuration",)
    template_fields: Sequence[str] = aws_template_fields(
        "connector_arn", "connector_configuration", "capacity", "custom_plugin_arn", "worker_configuration"
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"connector_configuration": "json", "capacity": "json"}

    def __init__(
        self,
        *,
        connector_arn: str,
        connector_configuration: Mapping[str, Any] | None = None,
        capacity: Mapping[str, Any] | None = None,
        custom_plugin_arn: str | None = None,
        worker_configuration: Mapping[str, Any] | None = None,
        skip_health_validation: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connector_arn = connector_arn
        self.connector_configuration = connector_configuration
        self.capacity = capacity
        self.custom_plugin_arn = custom_plugin_arn
        self.worker_configuration = worker_configuration
        self.skip_health_validation = skip_health_validation

    def request(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        if (config := self.secret_field("connector_configuration")) is not None:
            wanted["connectorConfiguration"] = connector_config(config)
        if self.capacity:
            wanted["capacity"] = capacity_from(self.capacity).to_request()
        if self.custom_plugin_arn:
            plugin: Revision = self.hook.custom_plugin_revision(self.custom_plugin_arn)
            wanted["plugins"] = [{"customPlugin": {"customPluginArn": plugin.arn, "revision": plugin.revision}}]
        if self.worker_configuration:
            wanted["workerConfiguration"] = dict(self.worker_configuration)
        return wanted

    def act(self) -> str:
        """Update what differs."""
        return self.done(self.connector_arn, {})

    def done(self, arn: str, event: Mapping[str, Any]) -> str:
        """The next update, if there is one."""
        return self.update(arn, event)


class _OnConnector(MskConnectOperator):
    """One call on a connector.

    :param connector_arn: its ARN. (templated)
    """

    template_fields: Sequence[str] = aws_template_fields("connector_arn")

    def __init__(self, *, connector_arn: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connector_arn = connector_arn

    def _until_complete(self, operation: str | None) -> str:
        if operation is not None:
            self.await_("operation_complete", self.connector_arn, connectorOperationArn=operation)
        return self.connector_arn


class MskConnectDeleteConnectorOperator(_OnConnector):
    """Delete a connector and wait until it is deleted; one that does not exist counts as deleted.

    Its internal topics ``__amazon_msk_connect_*`` remain on the cluster: MSK Connect never deletes them.

    :param connector_arn: its ARN. (templated)
    """

    def act(self) -> str:
        """Delete and wait."""
        if self.hook.delete_connector(self.connector_arn):
            self.await_("connector_deleted", self.connector_arn, connectorArn=self.connector_arn)
        return self.connector_arn


class MskConnectPauseConnectorOperator(_OnConnector):
    """Pause a connector; no-op if it is PAUSED. Needs boto3 1.43.118 or newer.

    :param connector_arn: its ARN. (templated)
    """

    def act(self) -> str:
        """Pause and wait."""
        return self._until_complete(self.hook.pause(self.connector_arn))


class MskConnectResumeConnectorOperator(_OnConnector):
    """Resume a connector; no-op if it is RUNNING. Needs boto3 1.43.118 or newer.

    :param connector_arn: its ARN. (templated)
    """

    def act(self) -> str:
        """Resume and wait."""
        return self._until_complete(self.hook.resume(self.connector_arn))


class MskConnectRestartConnectorOperator(_OnConnector):
    """Restart a connector. Needs boto3 1.43.84 or newer.

    :param connector_arn: its ARN. (templated)
    :param only_failed_tasks: restart only tasks that are FAILED.
    """

    def __init__(self, *, only_failed_tasks: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.only_failed_tasks = only_failed_tasks

    def act(self) -> str:
        """Restart and wait."""
        operation = self.hook.restart(self.connector_arn, only_failed_tasks=self.only_failed_tasks)
        return self._until_complete(operation)
