"""Operators on Amazon MSK Connect, in the amazon provider's conventions."""

from kafka_ferry.operators.msk_connect.archives import (
    MskConnectCreateCustomPluginOperator,
    MskConnectCreateWorkerConfigurationOperator,
    MskConnectDeleteCustomPluginOperator,
    MskConnectDeleteWorkerConfigurationOperator,
)
from kafka_ferry.operators.msk_connect.connector import (
    MskConnectCreateConnectorOperator,
    MskConnectDeleteConnectorOperator,
    MskConnectPauseConnectorOperator,
    MskConnectRestartConnectorOperator,
    MskConnectResumeConnectorOperator,
    MskConnectUpdateConnectorOperator,
)

__all__ = [
    "MskConnectCreateConnectorOperator",
    "MskConnectCreateCustomPluginOperator",
    "MskConnectCreateWorkerConfigurationOperator",
    "MskConnectDeleteConnectorOperator",
    "MskConnectDeleteCustomPluginOperator",
    "MskConnectDeleteWorkerConfigurationOperator",
    "MskConnectPauseConnectorOperator",
    "MskConnectRestartConnectorOperator",
    "MskConnectResumeConnectorOperator",
    "MskConnectUpdateConnectorOperator",
]
