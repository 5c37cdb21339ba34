"""Wait until everything below the frozen ends is on the target, outside a worker slot."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import humanize
import pendulum
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.artifacts import read_frozen
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.convergence import ConvergenceStalled, Frozen, PollResult
from kafka_ferry.jobs.migration.rules.specs import spec_of
from kafka_ferry.jobs.migration.rules.watch import ConvergenceWatch
from kafka_ferry.report.artifacts import PROGRESS, RunArtifacts

log = logging.getLogger(__name__)


class ConvergencePoller:
    """Polls one migration and writes down what it sees; shared by the sensor's first look and the trigger.

    A side that does not answer is no verdict: the poll is repeated, until ``no_progress_timeout`` has passed.
    """

    def __init__(self, migration: Migration, artifacts: RunArtifacts, frozen: Frozen) -> None:
        self._spec, self._artifacts = migration.spec, artifacts
        self._watch = ConvergenceWatch(
            frozen,
            migration.source.admin,
            migration.target.admin,
            engine_of(migration).progress(),
            migration.prober(),
            migration.spec.no_progress_timeout,
            time.monotonic,
        )
        self.interval = migration.spec.poll_interval
        self._silent_since: float | None = None
        self._last = "nothing was seen yet"

    def poll(self) -> bool:
        """Whether it has converged; one log line and one line of progress.jsonl a poll.

        :raises FerryError: it never will.
        """
        try:
            result = self._watch.poll()
        except TransientError as fault:
            self._tolerate(fault)
            return False
        self._silent_since = None
        self._last = progress_line(result)
        log.info("%s", self._last)
        try:
            self._artifacts.append_line(PROGRESS, {"at": pendulum.now("UTC").isoformat(), **result.to_json()})
        except OSError as error:  # it is for people alone: a disk that is full for a moment must not end the wait
            log.warning("This look is not in %s: %s", PROGRESS, error)
        return result.converged

    def time_out_text(self) -> str:
        """Why the wait ends without convergence."""
        limit = humanize.precisedelta(round(self._spec.convergence_timeout))
        return (
            f"not converged within convergence_timeout ({limit}). Last seen: {self._last}. Fix: raise "
            "convergence_timeout or tasks_max; the copy goes on where it is when the task is cleared"
        )

    def _tolerate(self, fault: TransientError) -> None:
        self._silent_since = self._silent_since or time.monotonic()
        silent = time.monotonic() - self._silent_since
        if silent > self._spec.no_progress_timeout:
            raise ConvergenceStalled(f"no answer for {silent:.0f} s: {fault}") from fault
        log.warning("Poll failed, will look again: %s", fault)


class ConvergenceTrigger(BaseTrigger):
    """Fires once: ``{"status": "success"}``, or ``{"status": "error", "message": …}`` when it never will converge, or
    ``"broken"`` when the wait itself broke and another try may succeed.

    What to wait for is read from the run's ``frozen.json``, so a trigger that moves to another triggerer goes on with
    the same ends.

    :param engine: what moves the records. ``params``: the run's params.
    :param deadline: seconds since the epoch after which it gives up.
    """

    def __init__(self, *, engine: str, dag_id: str, run_id: str, params: dict[str, Any], deadline: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.engine = engine
        self.dag_id, self.run_id, self.params, self.deadline = dag_id, run_id, params, deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "engine": self.engine,
                "dag_id": self.dag_id,
                "run_id": self.run_id,
                "params": self.params,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        yield TriggerEvent(await self._wait())

    async def _wait(self) -> dict[str, Any]:
        try:
            poller = await sync_to_async(self._poller)()
            poll = sync_to_async(poller.poll)
            while not await poll():
                if time.time() > self.deadline:
                    return {"status": "error", "message": poller.time_out_text()}
                await asyncio.sleep(poller.interval)
        except FerryError as error:
            return {"status": "error", "message": str(error)}
        except Exception as error:  # a trigger that raises says nothing in the task's log
            log.exception("Waiting for convergence broke")
            return {"status": "broken", "message": f"{type(error).__name__}: {error}"}
        return {"status": "success"}

    def _poller(self) -> ConvergencePoller:
        artifacts = RunArtifacts(self.dag_id, self.run_id)
        migration = Migration(self.dag_id, spec_of(self.engine).from_params(self.params))
        return ConvergencePoller(migration, artifacts, read_frozen(artifacts))


def progress_line(result: PollResult) -> str:
    """One readable line: what is done, how fast, how long still, who is slowest."""
    share = 100 * result.done / result.total if result.total else 100
    parts = [
        f"{share:.1f} % · {result.done:,} of {result.total:,} offsets",
        f"{humanize.naturalsize(result.done_bytes)} of {humanize.naturalsize(result.total_bytes)}",
        f"{result.partitions_done:,} of {result.partitions:,} partitions",
    ]
    if result.rate is not None:
        parts.append(f"{result.rate:,.0f} records/s")
    if result.converged:
        parts.append("converged")
    else:
        parts.append(f"ETA {humanize.precisedelta(round(result.eta))}" if result.eta is not None else "ETA unknown yet")
        parts.append("slowest: " + ", ".join(f"{topic} ({left:,} left)" for topic, left in result.slowest))
    return " · ".join(parts)
