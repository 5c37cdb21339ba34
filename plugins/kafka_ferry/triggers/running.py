"""Wait in the triggerer until a migration's engine runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect_states import Readiness, Verdict
from kafka_ferry.hooks.engines import engine_of
from kafka_ferry.hooks.migration import Migration
from kafka_ferry.migration.specs import spec_of


class EngineRunningTrigger(BaseTrigger):
    """Fire once: the engine runs, it failed, or the time is over.

    The event is ``{"status": …, "message": str}``; status is "success", "failed" (waiting cannot cure it), "timeout" or
    "error" (the wait itself broke: another try may succeed).

    :param engine: what moves the records. ``params``: the run's params.
    :param end_time: seconds since the epoch; kept over a restart of the triggerer.
    :param poll_interval: seconds between polls.
    """

    def __init__(
        self, *, engine: str, dag_id: str, params: dict[str, Any], end_time: float, poll_interval: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.engine, self.dag_id, self.params = engine, dag_id, params
        self.end_time, self.poll_interval = end_time, poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "engine": self.engine,
                "dag_id": self.dag_id,
                "params": self.params,
                "end_time": self.end_time,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        try:
            status, message = await self._wait()
        except FerryError as fault:
            status, message = "failed", str(fault)
        except Exception as fault:  # a trigger that raises fails its task without a word of why
            self.log.exception("The wait for %s broke", self.engine)
            status, message = "error", f"{type(fault).__name__}: {fault}"
        yield TriggerEvent({"status": status, "message": message})

    async def _wait(self) -> tuple[str, str]:
        last = ""
        while True:
            state = await sync_to_async(self._look)()
            if state.verdict is Verdict.RUNNING:
                return "success", state.reason
            if state.verdict is Verdict.FAILED:
                return "failed", state.reason
            if state.reason != last:
                self.log.info("Waiting: %s", state.reason)
                last = state.reason
            if time.time() + self.poll_interval > self.end_time:
                return "timeout", f"not running within running_timeout: {state.reason}"
            await asyncio.sleep(self.poll_interval)

    def _look(self) -> Readiness:
        """A worker or host that is away only delays the verdict."""
        try:
            return engine_of(Migration(self.dag_id, spec_of(self.engine).from_params(self.params))).readiness()
        except FerryError as fault:
            if not fault.retriable:
                raise
            return Readiness(Verdict.WAITING, str(fault))
