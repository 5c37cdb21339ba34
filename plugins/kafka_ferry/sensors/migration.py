"""Wait until the migration's engine runs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from kafka_ferry.exceptions import FerryError, OutsideFault
from kafka_ferry.operators.base import stage

if TYPE_CHECKING:
    from airflow.sdk import Context

# The trigger ends by itself, with a reason. Airflow's own timeout of the deferral knows none, so it comes later.
_MARGIN = timedelta(minutes=2)


class NotRunning(FerryError):
    """The engine does not run, and waiting longer will not make it."""


class MigrationRunningSensor(BaseSensorOperator):
    """Make sure that the engine is deployed, look once, and wait in the triggerer until it runs.

    Deploying changes nothing when all is as wished: cleared on its own after the removal, this task would otherwise
    wait for something that nobody makes.

    Known limitation: RUNNING says nothing about records moving; wait for convergence after it.

    :param engine: what moves the records.
    """

    def __init__(self, *, engine: str = "mirror_maker2_on_connect", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.engine = engine

    def execute(self, context: Context) -> None:
        from kafka_ferry.hooks.connect_states import Verdict
        from kafka_ferry.hooks.engines import engine_of
        from kafka_ferry.hooks.migration import migration_of
        from kafka_ferry.hooks.run_lock import claim
        from kafka_ferry.triggers.running import EngineRunningTrigger

        with stage(context):
            migration = migration_of(context, self.engine)
            spec = migration.spec
            claim(context, spec.migration)
            engine = engine_of(migration)
            engine.deploy()
            state = engine.readiness()
            if state.verdict is Verdict.FAILED:
                raise NotRunning(state.reason)
            self.log.info("%s", state.reason)
            if state.verdict is Verdict.RUNNING:
                return
            trigger = EngineRunningTrigger(
                engine=self.engine,
                dag_id=context["dag_run"].dag_id,
                params=dict(context["params"]),
                end_time=time.time() + spec.running_timeout,
                poll_interval=spec.poll_interval,
            )
            limit = timedelta(seconds=spec.running_timeout) + _MARGIN
            self.defer(trigger=trigger, method_name="execute_complete", timeout=limit)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """:raises NotRunning: with the reason, as the trigger found it; ``OutsideFault`` when only the wait broke."""
        with stage(context):
            status, message = (event or {}).get("status"), (event or {}).get("message", "no event from the trigger")
            if status == "success":
                self.log.info("%s", message)
                return
            if status in ("failed", "timeout"):
                raise NotRunning(str(message))
            raise OutsideFault(str(message))
