"""Wait until everything below the frozen ends of the source is on the target."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from kafka_ferry.core.plan import Plan
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.plan import read_plan
from kafka_ferry.jobs.common.waiting_sensor import WaitingSensor
from kafka_ferry.report.artifacts import FROZEN, PROGRESS, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class NotConverged(FerryError):
    """The copy is not complete and will not be by waiting longer."""


class ConvergenceSensor(WaitingSensor):
    """Freezes the source's ends, looks once, and then waits in the triggerer.

    Everything else it needs is in the run's params: connections, poll interval, time-outs. Fails with the topic and
    partition when the source's log start passes what was replicated, a topic was deleted or recreated, the
    engine fails, or nothing moves for ``no_progress_timeout`` seconds.
    """

    stopped = NotConverged
    margin = timedelta(minutes=5)  # a look may read the rest of many partitions

    def begin(self, context: Context) -> None:
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.rules.convergence import Frozen
        from kafka_ferry.jobs.migration.rules.watch import freeze
        from kafka_ferry.jobs.migration.tasks.convergence_trigger import ConvergencePoller, ConvergenceTrigger

        migration, artifacts = migration_of(context, self.engine), RunArtifacts.of(context)
        spec, targets = migration.spec, migration.topics.targets(migration.spec)
        # What an earlier try of the same plan saw stays a failure; a new plan starts over.
        plan = read_plan(artifacts, Plan)
        planned = plan.planned if plan else None
        earlier = artifacts.read_json(FROZEN)
        frozen = freeze(
            migration.source.admin,
            migration.target.admin,
            migration.topics.partitions,
            targets,
            spec.isolation_level,
            record_bytes={},
        )
        frozen = replace(frozen, record_bytes=migration.record_bytes(frozen.begins, frozen.ends))
        frozen = frozen.keeping_begins_of(
            Frozen.from_json(earlier) if earlier and earlier.get("planned") == planned else None
        )
        artifacts.write_json(FROZEN, {"planned": planned} | frozen.to_json())
        artifacts.delete(PROGRESS)
        run = context["dag_run"]
        trigger = ConvergenceTrigger(
            engine=self.engine,
            dag_id=run.dag_id,
            run_id=run.run_id,
            params=dict(context["params"]),
            end_time=time.time() + spec.convergence_timeout,
        )
        self.go_on(ConvergencePoller(migration, artifacts, frozen).look(), trigger, spec.convergence_timeout)
