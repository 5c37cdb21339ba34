"""A connector as desired and as described, and the calls that make the one into the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kafka_ferry.core.config_diff import config_diff, connector_config
from kafka_ferry.hooks.msk_connect.rules.capacity import Capacity, capacity_from, check_fits
from kafka_ferry.hooks.msk_connect.rules.cluster import ConnectorCluster
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState, state_text

#: Members of CreateConnector that UpdateConnector cannot change (botocore's model).
IMMUTABLE = (
    "connectorDescription", "kafkaCluster", "kafkaClusterClientAuthentication", "kafkaClusterEncryptionInTransit",
    "kafkaConnectVersion", "logDelivery", "networkType", "serviceExecutionRoleArn",
)  # fmt: skip


class Update(StrEnum):
    """The two kinds of ``UpdateConnector``, one call each, ``currentVersion`` read again between them."""

    WORKER_SETTING = "worker setting"  # capacity, plugin, worker configuration
    CONFIGURATION = "connector configuration"


@dataclass(frozen=True)
class Revision:
    """A plugin or worker configuration, by ARN and revision."""

    arn: str
    revision: int = 1


@dataclass(frozen=True)
class ConnectorIntent:
    """What a connector shall be: one value for ``CreateConnector``, the comparison and the updates.

    :param config: its connector configuration; may hold secrets and is not in the repr.
    :param log_group: CloudWatch log group for the workers' logs.
    :param other: further members of ``CreateConnector`` (``networkType``, ``tags``, other ``logDelivery``).
    """

    name: str
    config: Mapping[str, Any] = field(repr=False)
    capacity: Capacity
    cluster: ConnectorCluster
    plugin: Revision
    role_arn: str
    worker_configuration: Revision | None = None
    kafka_connect_version: str = "3.7.x"
    log_group: str | None = None
    description: str = ""
    other: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fits(str(self.config.get("connector.class", "")), self.capacity)

    def to_request(self) -> dict[str, Any]:
        """Arguments of ``create_connector``."""
        request: dict[str, Any] = {
            "connectorName": self.name,
            "connectorConfiguration": connector_config(self.config),
            "capacity": self.capacity.to_request(),
            "plugins": [_plugin(self.plugin)],
            "serviceExecutionRoleArn": self.role_arn,
            "kafkaConnectVersion": self.kafka_connect_version,
            **self.cluster.to_request(),
        }
        if self.description:
            request["connectorDescription"] = self.description
        if self.worker_configuration:
            request["workerConfiguration"] = _worker_configuration(self.worker_configuration)
        if self.log_group:
            logs = {"cloudWatchLogs": {"enabled": True, "logGroup": self.log_group}}
            request["logDelivery"] = {"workerLogDelivery": logs}
        return {**request, **self.other}


@dataclass(frozen=True)
class Connector:
    """A connector as ``DescribeConnector`` tells it; secrets of its config are not in the repr."""

    arn: str
    name: str
    state: ConnectorState
    version: str
    reason: str = ""  # stateDescription, which ListConnectors does not have
    log_group: str | None = None
    description: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_description(cls, found: Mapping[str, Any]) -> Connector:
        """From the answer of ``DescribeConnector``."""
        logs = found.get("logDelivery", {}).get("workerLogDelivery", {}).get("cloudWatchLogs", {})
        return cls(
            arn=found["connectorArn"],
            name=found["connectorName"],
            state=ConnectorState(found["connectorState"]),
            version=found.get("currentVersion", ""),
            reason=state_text(found.get("stateDescription")),
            log_group=logs.get("logGroup") if logs.get("enabled") else None,
            description=found,
        )

    @property
    def config(self) -> dict[str, str]:
        """Its connector configuration, with secrets."""
        return dict(self.description.get("connectorConfiguration", {}))


def immutable_differences(request: Mapping[str, Any], found: Connector) -> list[str]:
    """Members that differ and that only a new connector could have; those that the request leaves open do not count."""
    return [
        f"{member} is {_shown(found.description.get(member))}, not {_shown(request[member])}"
        for member in IMMUTABLE
        if member in request and not _same(request[member], found.description.get(member))
    ]


def config_changes(config: Mapping[str, Any], found: Connector) -> list[str]:
    """The lines of a diff of the connector configuration, without secrets."""
    return [str(change) for change in config_diff(config, found.config)]


def worker_setting_changes(request: Mapping[str, Any], found: Connector) -> dict[str, Any]:
    """The members of an ``UpdateConnector`` for workers; empty when all is up to date.

    An equal capacity is refused by MSK Connect ("identical to the current value", aws-cdk 28128), so only what differs
    is in it.
    """
    now, changes = found.description, {}
    if "capacity" in request and capacity_from(request["capacity"]) != capacity_from(now["capacity"]):
        changes["capacity"] = capacity_from(request["capacity"]).to_request()
    if "plugins" in request and request["plugins"] != now.get("plugins"):
        changes["plugins"] = request["plugins"]
    if "workerConfiguration" in request and request["workerConfiguration"] != now.get("workerConfiguration"):
        changes["workerConfiguration"] = request["workerConfiguration"]
    return changes


def _same(desired: Any, found: Any) -> bool:
    """Equal, where the description may tell more than was asked for."""
    if isinstance(desired, Mapping):
        return isinstance(found, Mapping) and all(_same(value, found.get(key)) for key, value in desired.items())
    if isinstance(desired, list | tuple):
        return isinstance(found, list | tuple) and sorted(map(str, desired)) == sorted(map(str, found))
    return bool(desired == found)


def _shown(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _plugin(plugin: Revision) -> dict[str, Any]:
    return {"customPlugin": {"customPluginArn": plugin.arn, "revision": plugin.revision}}


def _worker_configuration(configuration: Revision) -> dict[str, Any]:
    return {"workerConfigurationArn": configuration.arn, "revision": configuration.revision}
