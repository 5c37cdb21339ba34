"""Wait until everything below the frozen ends of the source is on the target."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.jobs.common.tasks import stage
from kafka_ferry.report.artifacts import FROZEN, PLAN, PROGRESS, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class NotConverged(FerryError):
    """The copy is not complete and will not be by waiting longer."""


class ConvergenceSensor(BaseSensorOperator):
    """Freezes the source's ends, looks once, and then waits in the triggerer.

    Everything else it needs is in the run's params: connections, poll interval, time-outs. Fails with the topic and
    partition when the source's log start passes what was replicated, a topic was deleted or created anew, the
    engine fails, or nothing moves for ``no_progress_timeout`` seconds.
    """

    def __init__(self, *, engine: str = "mirror_maker2_on_connect", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.engine = engine

    def execute(self, context: Context) -> None:
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.rules.convergence import Frozen
        from kafka_ferry.jobs.migration.rules.watch import freeze
        from kafka_ferry.jobs.migration.tasks.convergence_trigger import ConvergencePoller, ConvergenceTrigger

        with stage(context):
            migration, artifacts = migration_of(context, self.engine), RunArtifacts.of(context)
            spec, targets = migration.spec, migration.topics.targets(migration.spec)
            # What an earlier try of the same plan saw must not be forgiven; a new plan starts anew.
            planned = (artifacts.read_json(PLAN) or {}).get("planned")
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
            if ConvergencePoller(migration, artifacts, frozen).poll():
                return
            run = context["dag_run"]
            trigger = ConvergenceTrigger(
                engine=self.engine,
                dag_id=run.dag_id,
                run_id=run.run_id,
                params=dict(context["params"]),
                deadline=time.time() + spec.convergence_timeout,
            )
            # The trigger keeps the time-out and says what was still missing; Airflow's own is for a trigger that hangs.
            backstop = timedelta(seconds=spec.convergence_timeout + 300)
            self.defer(trigger=trigger, method_name="execute_complete", timeout=backstop)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """:raises NotConverged: with the reason, as the trigger found it.
        :raises TransientError: only the wait broke.
        """
        with stage(context):
            if event and event.get("status") == "broken":
                raise TransientError(str(event.get("message")))
            if not event or event.get("status") != "success":
                raise NotConverged(str((event or {}).get("message") or "the trigger ended without a verdict"))
