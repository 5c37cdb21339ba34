"""Wait until the migration's engine runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.waiting_sensor import WaitingSensor

if TYPE_CHECKING:
    from airflow.sdk import Context


class NotRunning(FerryError):
    """The engine does not run, and waiting longer will not make it."""


class MigrationRunningSensor(WaitingSensor):
    """Make sure that the engine is deployed, look once, and wait in the triggerer until it runs.

    Deploying changes nothing when all is up to date: cleared on its own after the removal, this task would otherwise
    wait for something that nobody makes.

    Known limitation: RUNNING says nothing about records moving; wait for convergence after it.
    """

    stopped = NotRunning

    def begin(self, context: Context) -> None:
        from kafka_ferry.jobs.common.run_lock import acquire_lock, is_active
        from kafka_ferry.jobs.migration.engines.registry import engine_of
        from kafka_ferry.jobs.migration.live.flows import Flows
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.live.shared_names import migration_names
        from kafka_ferry.jobs.migration.tasks.running_trigger import EngineRunningTrigger

        migration = migration_of(context, self.engine)
        spec = migration.spec
        acquire_lock(context, *migration_names(migration))
        run = context["dag_run"]
        Flows(migration, run.dag_id, run.run_id, is_active(context)).note()
        engine = engine_of(migration)
        engine.deploy()
        trigger = EngineRunningTrigger(
            engine=self.engine,
            dag_id=context["dag_run"].dag_id,
            params=dict(context["params"]),
            end_time=time.time() + spec.running_timeout,
            poll_interval=spec.poll_interval,
        )
        self.go_on(engine.readiness(), trigger, spec.running_timeout)
