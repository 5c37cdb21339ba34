"""How far MirrorMaker 2 on Kafka Connect has come, read from ``GET /connectors/{name}/offsets`` (KIP-875)."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.core.mirror_offsets import next_offsets
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.hook import ConnectHook, Verdict


class ReplicationFailed(FerryError):
    """The engine itself says that it failed for good."""


class ConnectProgress:
    """``Progress`` of a MirrorSourceConnector.

    Topics no longer selected may be among the offsets; the reader of the result looks up only its own partitions.

    :param connectors: all connectors of the migration, whose failures ``check`` reports.
    """

    def __init__(self, hook: ConnectHook, source_connector: str, cluster_alias: str, connectors: list[str]) -> None:
        self._hook, self._connector, self._alias = hook, source_connector, cluster_alias
        self._connectors = connectors

    def next_offsets(self) -> Mapping[Partition, int]:
        return next_offsets(self._hook.offsets(self._connector), self._alias)

    def check(self) -> None:
        """Look at the states.

        :raises ReplicationFailed: a connector or task is FAILED; with the worker's stack trace.
        """
        for name in self._connectors:
            state = self._hook.readiness(name, expected_tasks=0)
            if state.verdict is Verdict.FAILED:
                raise ReplicationFailed(state.reason)
