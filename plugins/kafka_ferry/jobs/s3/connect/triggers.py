"""Wait in the triggerer until a connector has copied what a run is of."""

from __future__ import annotations

import time
from typing import Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.jobs.s3.connect.sides import SIDES, Carried, Side
from kafka_ferry.triggers.waiting import WaitingTrigger

_FRESH = 600.0  # seconds


class CopiedTrigger(WaitingTrigger):
    """A connector that has failed, or one that copies nothing for ``no_progress_timeout``, ends the wait.

    :param side: ``export`` or ``import``. ``params``: the run's.
    """

    arguments = ("side", "dag_id", "run_id", "params", "end_time")

    def __init__(self, *, side: Side, dag_id: str, run_id: str, params: dict[str, Any], end_time: float) -> None:
        super().__init__(end_time)
        self.side: Side = side
        self.dag_id, self.run_id, self.params = dag_id, run_id, params
        self._moved: int | None = None
        self._since = self._begun = time.monotonic()
        self._held: tuple[float, Carried] | None = None

    @property
    def delay(self) -> float:
        return self._carried.spec.poll_interval

    @property
    def subject(self) -> str:
        return "the connector"

    @property
    def _carried(self) -> Carried:
        """Made again now and then: keys of an assumed role are those of the moment at which a store is opened."""
        if self._held is None or time.monotonic() - self._held[0] > _FRESH:
            self._held = time.monotonic(), SIDES[self.side](self.dag_id, self.run_id, self.params)
        return self._held[1]

    def look(self) -> Readiness:
        """A worker, a broker or a store that is unavailable only delays the verdict."""
        try:
            return self._look()
        except FerryError as fault:
            if not fault.retriable:
                raise
            return self._patient(None, str(fault))

    def _look(self) -> Readiness:
        carried = self._carried
        look = carried.look()
        if not look.left:
            return Readiness(Verdict.RUNNING, look.text)
        if problem := carried.carrier.problem():
            return Readiness(Verdict.FAILED, f"{problem}\n{look.text}")
        if carried.carrier.starts() and time.monotonic() - self._begun <= carried.spec.running_timeout:
            self._since = time.monotonic()
        return self._patient(look.moved, look.text)

    def _patient(self, moved: int | None, text: str) -> Readiness:
        """WAITING, unless nothing has moved for too long.

        :param moved: None: nobody knows.
        """
        if moved is not None and moved != self._moved:
            self._moved, self._since = moved, time.monotonic()
        patience = self._carried.spec.no_progress_timeout
        if time.monotonic() - self._since <= patience:
            return Readiness(Verdict.WAITING, text)
        return Readiness(
            Verdict.FAILED,
            f"nothing was copied for no_progress_timeout, {patience:g} s: {text}. {self._state()}. Fix: the workers' "
            "log says what it waits for (the cluster, the bucket, their rights); then clear wait_until_copied with "
            "its downstream tasks",
        )

    def _state(self) -> str:
        try:
            return self._carried.carrier.state()
        except FerryError as fault:
            return f"nobody says how the connector is: {fault}"
