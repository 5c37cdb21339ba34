"""One connector's whole life by the operators, on whatever ``aws_default`` leads to: the double, or AWS itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

import msk_lab
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import BYTES_AS_THEY_ARE
from kafka_ferry.operators.msk_connect import (
    MskConnectCreateConnectorOperator,
    MskConnectCreateCustomPluginOperator,
    MskConnectCreateWorkerConfigurationOperator,
    MskConnectDeleteConnectorOperator,
    MskConnectDeleteCustomPluginOperator,
    MskConnectDeleteWorkerConfigurationOperator,
    MskConnectPauseConnectorOperator,
    MskConnectRestartConnectorOperator,
    MskConnectResumeConnectorOperator,
    MskConnectUpdateConnectorOperator,
)

#: Needs no other cluster than the connector's own, and is on every worker's class path.
HEARTBEAT = "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector"


def whole_life(
    *,
    name: str,
    bucket: str,
    cluster_arn: str,
    role: str,
    config: Mapping[str, str],
    folder: Path,
    log_group: str | None,
    proof: Callable[[], None],
    delay: float,
    attempts: int,
) -> None:
    """Plugin, worker configuration, connector; updates that last and that do not; pause, resume, restart; nothing left.

    :param config: of a MirrorHeartbeatConnector, without its class and interval.
    :param folder: gets a placeholder plugin. ``proof``: raises unless the connector really works.
    """
    how: dict[str, Any] = {"waiter_delay": delay, "waiter_max_attempts": attempts}
    (folder / "placeholder.jar").write_bytes(msk_lab.jar("placeholder.Nothing"))
    plugin = _run(MskConnectCreateCustomPluginOperator, name=name, bucket=bucket, folder=str(folder), **how)
    workers = _run(MskConnectCreateWorkerConfigurationOperator, name=name, properties=BYTES_AS_THEY_ARE)
    base = {"connector.class": HEARTBEAT, "tasks.max": "1", **config}
    good = {**base, "emit.heartbeats.interval.seconds": "1"}
    create = {
        "connector_name": name,
        "connector_configuration": good,
        "capacity": {"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}},
        "custom_plugin_arn": plugin,
        "worker_configuration": workers,
        "service_execution_role_arn": role,
        "cluster_arn": cluster_arn,
        "log_group": log_group,
        **how,
    }
    arn = _run(MskConnectCreateConnectorOperator, **create)
    try:
        assert _run(MskConnectCreateConnectorOperator, **create) == arn
        proof()
        hook = MskConnectHook()
        better = {**base, "emit.heartbeats.interval.seconds": "2"}
        _run(MskConnectUpdateConnectorOperator, connector_arn=arn, connector_configuration=better, **how)
        assert hook.connector(arn).config == better
        bad = {**base, "emit.heartbeats.interval.seconds": "often"}
        with pytest.raises(AirflowFailException):
            _run(MskConnectUpdateConnectorOperator, connector_arn=arn, connector_configuration=bad, **how)
        found = hook.connector(arn)
        assert (found.state, found.config) == ("RUNNING", better)
        for operator in (
            MskConnectPauseConnectorOperator,
            MskConnectResumeConnectorOperator,
            MskConnectRestartConnectorOperator,
        ):
            _run(operator, connector_arn=arn, **how)
        assert hook.connector(arn).state == "RUNNING"
    finally:
        _run(MskConnectDeleteConnectorOperator, connector_arn=arn, **how)
        configuration = workers["workerConfigurationArn"]
        _run(MskConnectDeleteWorkerConfigurationOperator, worker_configuration_arn=configuration, **how)
        _run(MskConnectDeleteCustomPluginOperator, custom_plugin_arn=plugin, **how)
    assert hook.find_connector(name) is None


def _run(operator: type[Any], **arguments: Any) -> Any:
    return operator(task_id="task", **arguments).execute({})
