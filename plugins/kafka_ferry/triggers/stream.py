"""Wait in the triggerer for a stream of database changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from kafka_ferry.database.position import Position
from kafka_ferry.database.spec import StreamSpec
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect_states import Readiness, Verdict
from kafka_ferry.hooks.database.streaming import Streaming


class StreamTrigger(BaseTrigger):
    """Fire once: the goal is reached, the connector failed or stands still, or the time is over.

    The event is ``{"status": …, "message": str}``; status is "success", "failed" (waiting cannot cure it), "timeout" or
    "error" (the wait itself broke: another try may succeed).

    :param params: the run's params.
    :param until: number of the binary log's file and position in it; None: it is enough that the connector runs.
    :param end_time: seconds since the epoch; kept over a restart of the triggerer.
    :param poll_interval: seconds between polls.
    """

    def __init__(
        self, *, dag_id: str, params: dict[str, Any], until: list[int] | None, end_time: float, poll_interval: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dag_id, self.params, self.until = dag_id, params, until
        self.end_time, self.poll_interval = end_time, poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "dag_id": self.dag_id,
                "params": self.params,
                "until": self.until,
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
            self.log.exception("The wait for the stream broke")
            status, message = "error", f"{type(fault).__name__}: {fault}"
        yield TriggerEvent({"status": status, "message": message})

    async def _wait(self) -> tuple[str, str]:
        streaming = Streaming(self.dag_id, StreamSpec.from_params(self.params))
        patience, last = streaming.spec.no_progress_timeout, ""
        still_since = time.monotonic()
        while True:
            state = await sync_to_async(self._look)(streaming)
            if state.verdict is Verdict.RUNNING:
                return "success", state.reason
            if state.verdict is Verdict.FAILED:
                return "failed", state.reason
            if state.reason != last:
                self.log.info("Waiting: %s", state.reason)
                last, still_since = state.reason, time.monotonic()
            if time.time() + self.poll_interval > self.end_time:
                return "timeout", f"the time is over: {state.reason}"
            if self.until and time.monotonic() - still_since > patience and not await self._moves(streaming):
                return "failed", f"nothing moved for no_progress_timeout, {patience:g} s: {state.reason}"
            await asyncio.sleep(self.poll_interval)

    async def _moves(self, streaming: Streaming) -> bool:
        """A snapshot commits no position: that its topics grow shows that it goes on."""
        before = await sync_to_async(streaming.events)()
        await asyncio.sleep(max(self.poll_interval, 5.0))
        return bool(await sync_to_async(streaming.events)() > before)

    def _look(self, streaming: Streaming) -> Readiness:
        """A worker, a broker or a database that is away only delays the verdict."""
        try:
            if self.until is None:
                return streaming.runtime.readiness()
            return streaming.look(Position(*self.until))
        except FerryError as fault:
            if not fault.retriable:
                raise
            return Readiness(Verdict.WAITING, str(fault))
