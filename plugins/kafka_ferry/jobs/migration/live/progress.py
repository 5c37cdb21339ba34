"""How far MirrorMaker 2's connectors have come, by their own account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_ferry.core.mirror_offsets import next_offsets
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.runtimes.connectors import ConnectorRuntime


class ReplicationFailed(FerryError):
    """The engine itself says that it failed for good."""


class ConnectorProgress:
    """``Progress`` of a MirrorSourceConnector.

    :param source: its name; ``alias``: of the source cluster.
    :param connectors: all connectors of the migration, whose failures ``check`` reports.
    """

    def __init__(self, runtime: ConnectorRuntime, source: str, alias: str, connectors: Sequence[str]) -> None:
        self._runtime, self._source, self._alias, self._connectors = runtime, source, alias, connectors

    def next_offsets(self) -> Mapping[Partition, int]:
        return next_offsets(self._runtime.offsets(self._source), self._alias)

    def check(self) -> None:
        """Look at the states.

        :raises ReplicationFailed: a connector or task is FAILED, with its reason; or a connector is gone.
        """
        if problem := self._runtime.problem(self._connectors):
            raise ReplicationFailed(problem)
