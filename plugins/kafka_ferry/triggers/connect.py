"""Wait for connectors in the triggerer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.hook import ConnectHook, Readiness, Verdict
from kafka_ferry.hooks.connect.states import worst
from kafka_ferry.triggers.waiting import WaitingTrigger


def poll(hook: ConnectHook, connectors: Mapping[str, int]) -> Readiness:
    """The worst of connectors, by one status request each. An unreachable worker only delays the verdict.

    :raises FerryError: waiting cannot fix it (wrong credentials, no such connection).
    """
    found = []
    for name, expected_tasks in connectors.items():
        try:
            found.append(hook.readiness(name, expected_tasks))
        except FerryError as fault:
            if not fault.retriable:
                raise
            found.append(Readiness(Verdict.WAITING, str(fault)))
    return worst(found)


class ConnectorRunningTrigger(WaitingTrigger):
    """Wait until all connectors run; the event names them under ``connectors``.

    :param connectors: connector → minimum number of tasks that must be RUNNING.
    :param poll_interval: seconds between polls.
    """

    arguments = ("connectors", "connect_conn_id", "end_time", "poll_interval")

    def __init__(
        self, connectors: dict[str, int], connect_conn_id: str, end_time: float, poll_interval: float = 10.0
    ) -> None:
        super().__init__(end_time)
        self.connectors = connectors
        self.connect_conn_id = connect_conn_id
        self.poll_interval = poll_interval

    @property
    def delay(self) -> float:
        return self.poll_interval

    @property
    def subject(self) -> str:
        return ", ".join(self.connectors)

    @property
    def event(self) -> dict[str, Any]:
        return {"connectors": sorted(self.connectors)}

    @cached_property
    def _hook(self) -> ConnectHook:
        # The poll is the retry: a call that waits long for a busy cluster would only hide its state.
        return ConnectHook(self.connect_conn_id, patience=min(self.poll_interval, 5.0))

    def look(self) -> Readiness:
        return poll(self._hook, self.connectors)
