"""Wait for connectors in the triggerer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect import ConnectHook, Readiness, Verdict


def poll(hook: ConnectHook, connectors: Mapping[str, int]) -> dict[str, Readiness]:
    """Connector → readiness, by one status request each. A worker that is away only delays the verdict.

    :raises FerryError: one that waiting cannot cure (wrong login, no such connection).
    """
    found: dict[str, Readiness] = {}
    for name, expected_tasks in connectors.items():
        try:
            found[name] = hook.readiness(name, expected_tasks)
        except FerryError as fault:
            if not fault.retriable:
                raise
            found[name] = Readiness(Verdict.WAITING, str(fault))
    return found


def summary(found: Mapping[str, Readiness]) -> tuple[Verdict, str]:
    """The worst verdict, and the reasons of the connectors that have it."""
    for verdict in (Verdict.FAILED, Verdict.WAITING):
        if reasons := [one.reason for one in found.values() if one.verdict is verdict]:
            return verdict, "\n".join(reasons)
    return Verdict.RUNNING, "\n".join(one.reason for one in found.values())


class ConnectorRunningTrigger(BaseTrigger):
    """Fire once: all connectors run, one failed, or the time is over.

    The event is ``{"status": …, "message": str, "connectors": [names]}``; status is "success", "failed" (waiting cannot
    cure it), "timeout" or "error" (the wait itself broke: another try may succeed).

    :param connectors: connector → least number of tasks that must be RUNNING.
    :param end_time: seconds since the epoch; kept over a restart of the triggerer.
    :param poll_interval: seconds between polls.
    """

    def __init__(
        self, connectors: dict[str, int], connect_conn_id: str, end_time: float, poll_interval: float = 10.0
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.connectors = connectors
        self.connect_conn_id = connect_conn_id
        self.end_time = end_time
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments."""
        return "kafka_ferry.triggers.connect.ConnectorRunningTrigger", {
            "connectors": self.connectors,
            "connect_conn_id": self.connect_conn_id,
            "end_time": self.end_time,
            "poll_interval": self.poll_interval,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is a verdict."""
        try:
            status, message = await self._wait()
        except FerryError as fault:
            status, message = "failed", str(fault)
        # A trigger that raises fails its task without a word of why.
        except Exception as fault:
            self.log.exception("The wait for %s broke", ", ".join(self.connectors))
            status, message = "error", f"{type(fault).__name__}: {fault}"
        event = {"status": status, "message": message, "connectors": sorted(self.connectors)}
        yield TriggerEvent(event)

    async def _wait(self) -> tuple[str, str]:
        # The poll is the retry: a call that waits long for a busy cluster would only hide what is going on.
        hook = ConnectHook(self.connect_conn_id, patience=min(self.poll_interval, 5.0))
        last = ""
        while True:
            verdict, reason = summary(await sync_to_async(poll)(hook, self.connectors))
            if verdict is Verdict.RUNNING:
                return "success", reason
            if verdict is Verdict.FAILED:
                return "failed", reason
            if reason != last:
                self.log.info("Waiting: %s", reason)
                last = reason
            if time.time() + self.poll_interval > self.end_time:
                return "timeout", reason
            await asyncio.sleep(self.poll_interval)
