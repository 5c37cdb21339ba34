"""Wait in the triggerer until a migration's engine runs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.specs import spec_of
from kafka_ferry.jobs.migration.rules.watch import RESTARTS
from kafka_ferry.triggers.waiting import WaitingTrigger


class EngineRunningTrigger(WaitingTrigger):
    """Wait until the engine runs.

    :param engine: what moves the records. ``params``: the run's params.
    :param poll_interval: seconds between polls.
    """

    arguments = ("engine", "dag_id", "params", "end_time", "poll_interval")

    def __init__(
        self, *, engine: str, dag_id: str, params: dict[str, Any], end_time: float, poll_interval: float
    ) -> None:
        super().__init__(end_time)
        self._restarts = 0
        self.engine, self.dag_id, self.params = engine, dag_id, params
        self.poll_interval = poll_interval

    @property
    def delay(self) -> float:
        return self.poll_interval

    @property
    def subject(self) -> str:
        return self.engine

    def too_late(self, reason: str) -> str:
        return f"not running within running_timeout: {reason}"

    @cached_property
    def _migration(self) -> Migration:
        """One for all looks: its topics and groups are asked of the clusters once, by one client each."""
        return Migration(self.dag_id, spec_of(self.engine).from_params(self.params))

    def look(self) -> Readiness:
        """A worker or host that is unavailable only delays the verdict."""
        try:
            return self._look(engine_of(self._migration))
        except FerryError as fault:
            if not fault.retriable:
                raise
            return Readiness(Verdict.WAITING, str(fault))

    def _look(self, engine: Engine) -> Readiness:
        found = engine.readiness()
        ended = engine.restart_ended() if found.verdict is Verdict.WAITING else ""
        if not ended:
            return found
        self._restarts += 1
        if self._restarts > RESTARTS:
            return Readiness(Verdict.FAILED, f"restarted {RESTARTS} times, and it ended again: {ended}")
        return Readiness(Verdict.WAITING, f"restarted ({self._restarts} of {RESTARTS}): {ended}")
