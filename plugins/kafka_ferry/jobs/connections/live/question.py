"""What one connection is asked."""

from __future__ import annotations

from dataclasses import dataclass

from kafka_ferry.core.plan import PlannedConnection
from kafka_ferry.jobs.connections.rules.spec import ConnectionsSpec


@dataclass(frozen=True)
class Question:
    """What one connection is asked.

    :param probe: name of the object that is written to S3 and deleted.
    """

    planned: PlannedConnection
    spec: ConnectionsSpec
    probe: str

    @property
    def conn_id(self) -> str:
        return self.planned.conn_id
