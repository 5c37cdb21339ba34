"""Wait until everything below the frozen ends is on the target, outside a worker slot."""

from __future__ import annotations

import logging
import time
from functools import cached_property
from typing import Any

import humanize
import pendulum

from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.jobs.common.metrics import JobMetrics, Measure
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.artifacts import read_frozen
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.convergence import ConvergenceStalled, Frozen, PollResult
from kafka_ferry.jobs.migration.rules.specs import spec_of
from kafka_ferry.jobs.migration.rules.watch import ConvergenceWatch
from kafka_ferry.report.artifacts import PROGRESS, ArtifactsUnwritable, RunArtifacts
from kafka_ferry.triggers.waiting import WaitingTrigger

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
        self._last = "no progress seen yet"

    def look(self) -> Readiness:
        """Whether it has converged, in one readable line; it is a line of progress.jsonl, too.

        :raises FerryError: it never will.
        """
        try:
            result = self._watch.poll()
        except TransientError as fault:
            return self._tolerated(fault)
        self._silent_since = None
        self._last = progress_line(result)
        lag = 0 if result.converged else result.total_offsets - result.offsets
        metrics = JobMetrics(self._artifacts.dag_id, self._spec.migration)
        metrics.tell({Measure.LAG: lag, Measure.RATE: result.offsets_per_second})
        try:
            self._artifacts.append_line(PROGRESS, {"at": pendulum.now("UTC").isoformat(), **result.to_json()})
        except ArtifactsUnwritable as error:  # it is for people alone: a full disk must not end the wait
            log.warning("This poll is missing in %s: %s", PROGRESS, error)
        return Readiness(Verdict.RUNNING if result.converged else Verdict.WAITING, self._last)

    def time_out_text(self) -> str:
        """Why the wait ends without convergence."""
        limit = humanize.precisedelta(round(self._spec.convergence_timeout))
        return (
            f"not converged within convergence_timeout ({limit}). Last seen: {self._last}. Fix: raise "
            "convergence_timeout or tasks_max; the copy resumes where it is when the task is cleared"
        )

    def _tolerated(self, fault: TransientError) -> Readiness:
        self._silent_since = self._silent_since or time.monotonic()
        silent = time.monotonic() - self._silent_since
        if silent > self._spec.no_progress_timeout:
            raise ConvergenceStalled(f"no answer for {silent:.0f} s: {fault}") from fault
        return Readiness(Verdict.WAITING, f"no answer, will try again: {fault}")


class ConvergenceTrigger(WaitingTrigger):
    """Wait until it has converged.

    What to wait for is read from the run's ``frozen.json``, so a trigger that moves to another triggerer goes on with
    the same ends.

    :param engine: what moves the records. ``params``: the run's params.
    """

    arguments = ("engine", "dag_id", "run_id", "params", "end_time")

    def __init__(self, *, engine: str, dag_id: str, run_id: str, params: dict[str, Any], end_time: float) -> None:
        super().__init__(end_time)
        self.engine = engine
        self.dag_id, self.run_id, self.params = dag_id, run_id, params

    @property
    def delay(self) -> float:
        return self._poller.interval

    @property
    def subject(self) -> str:
        return "convergence"

    def too_late(self, reason: str) -> str:
        return self._poller.time_out_text()

    def look(self) -> Readiness:
        return self._poller.look()

    @cached_property
    def _poller(self) -> ConvergencePoller:
        artifacts = RunArtifacts(self.dag_id, self.run_id)
        migration = Migration(self.dag_id, spec_of(self.engine).from_params(self.params))
        return ConvergencePoller(migration, artifacts, read_frozen(artifacts))


def progress_line(result: PollResult) -> str:
    """One readable line: what is done, how fast, how long still, who is slowest."""
    share = 100 * result.offsets / result.total_offsets if result.total_offsets else 100
    parts = [
        f"{share:.1f} % · {result.offsets:,} of {result.total_offsets:,} offsets",
        f"{humanize.naturalsize(result.done_bytes)} of {humanize.naturalsize(result.total_bytes)}",
        f"{result.partitions_done:,} of {result.partitions:,} partitions",
    ]
    if result.offsets_per_second is not None:
        parts.append(f"{result.offsets_per_second:,.0f} offsets/s")
    if result.converged:
        parts.append("converged")
    else:
        parts.append(f"ETA {humanize.precisedelta(round(result.eta))}" if result.eta is not None else "ETA unknown yet")
        parts.append("slowest: " + ", ".join(f"{topic} ({left:,} left)" for topic, left in result.slowest))
    return " · ".join(parts)
