"""Wait in the triggerer for a stream of database changes."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.triggers.waiting import WaitingTrigger


class StreamTrigger(WaitingTrigger):
    """Wait until the goal is reached; a connector that stands still has failed, too.

    :param params: the run's params.
    :param until: number of the binary log's file and position in it; None: it is enough that the connector runs.
    :param poll_interval: seconds between polls.
    """

    arguments = ("dag_id", "params", "until", "end_time", "poll_interval")

    def __init__(
        self, *, dag_id: str, params: dict[str, Any], until: list[int] | None, end_time: float, poll_interval: float
    ) -> None:
        super().__init__(end_time)
        self.dag_id, self.params, self.until = dag_id, params, until
        self.poll_interval = poll_interval
        self._last, self._still_since = "", time.monotonic()

    @property
    def delay(self) -> float:
        return self.poll_interval

    @property
    def subject(self) -> str:
        return "the stream"

    def too_late(self, reason: str) -> str:
        return f"timed out: {reason}"

    @cached_property
    def _stream(self) -> CdcStream:
        return CdcStream(self.dag_id, StreamSpec.from_params(self.params))

    def look(self) -> Readiness:
        state = self._look()
        if state.reason != self._last:
            self._last, self._still_since = state.reason, time.monotonic()
        patience = self._stream.spec.no_progress_timeout
        still = state.verdict is Verdict.WAITING and time.monotonic() - self._still_since > patience
        if self.until and still and not self._moves():
            reason = f"no progress for no_progress_timeout, {patience:g} s: {state.reason}"
            return Readiness(Verdict.FAILED, reason)
        return state

    def _moves(self) -> bool:
        """A snapshot commits no position: that its topics grow shows that it goes on."""
        before = self._stream.events()
        time.sleep(max(self.poll_interval, 5.0))
        return bool(self._stream.events() > before)

    def _look(self) -> Readiness:
        """A worker, a broker or a database that is unavailable only delays the verdict."""
        try:
            if self.until is None:
                return self._stream.connector.readiness()
            return self._stream.look(Position(*self.until))
        except FerryError as fault:
            if not fault.retriable:
                raise
            return Readiness(Verdict.WAITING, str(fault))
