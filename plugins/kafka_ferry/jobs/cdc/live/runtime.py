"""What a stream asks of the thing that runs its connector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import Readiness
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole


@dataclass(frozen=True)
class Progress:
    """How far a connector has come.

    :param position: the last that it committed; None: nothing yet.
    :param in_snapshot: it still reads the rows that were there.
    """

    position: Position | None = None
    in_snapshot: bool = False

    @classmethod
    def of(cls, offset: Mapping[str, Any]) -> Self:
        """From an offset of Debezium's, such as ``{"file": "binlog.000001", "pos": 4, "snapshot": "INITIAL"}``."""
        if "file" not in offset:
            return cls()
        busy = str(offset.get("snapshot", "")).lower() not in ("", "false", "none")
        return cls(Position.of(offset["file"], offset["pos"]), busy and not offset.get("snapshot_completed"))


class Runtime(Protocol):
    """One connector, wherever it runs."""

    @property
    def names(self) -> list[str]:
        """What runs, for people."""

    def client_settings(self, kafka_conn_id: str) -> dict[str, str]:
        """Java client settings of a cluster, as the workers are to have them."""

    def password(self, database_conn_id: str) -> str | None:
        """The reference by which workers find the database's password; None: they are sent it."""

    def check(self, connector_class: str, cluster_id: str) -> None:
        """:raises BadParam: it cannot run this, or writes into another cluster."""

    def service_role(self, topics: Sequence[str]) -> ServiceRole | None:
        """The role it runs with, where there is one.

        :param topics: of the tables.
        """

    def deploy(self, config: Mapping[str, str], has_history: bool) -> bool:
        """Make the connector, or change what differs; whether it goes on from a position that was kept.

        :param has_history: whether its schema history topic holds statements.
        :raises BadParam: a position without a history, or a history without a position: of an earlier life. Nothing
            is left of what was made.
        """

    def readiness(self) -> Readiness:
        """Whether it runs."""

    def progress(self) -> Progress:
        """How far it has come, by what it committed."""

    def remove(self, *, forget: bool) -> list[str]:
        """Take it away; its position too when asked. What it was called, empty when there was none."""

    def left(self) -> list[str]:
        """What :meth:`remove` should have taken away and is there still."""

    def how_to_stop(self) -> str:
        """For the last task's log."""


def history_error(topic: str, has_history: bool) -> BadParam:
    """A history and a position that do not go together."""
    if has_history:
        what = f"{topic} is stale: it holds statements, but the connector has no position that goes with them"
        return BadParam("history_topic", what, "delete that topic, or name another one")
    what = (
        f"{topic} holds nothing, but the connector has a position, which it could not read on from without its history"
    )
    return BadParam("history_topic", what, "another stream name, for a new snapshot")
