"""Wait for a stream of database changes."""

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


class StreamStopped(FerryError):
    """The connector does not run or does not go on, and waiting longer will not make it."""


class StreamRunningSensor(BaseSensorOperator):
    """Make sure that the connector is deployed, and wait in the triggerer until it runs.

    Known limitation: RUNNING says nothing about changes arriving; wait for convergence after it.

    :param engine: kept for ``default_args``, which all tasks of a DAG share.
    """

    converged = False

    def __init__(self, *, engine: str = "stream_database_changes", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.engine = engine

    def execute(self, context: Context) -> None:
        from kafka_ferry.hooks.connect_states import Verdict
        from kafka_ferry.hooks.database.streaming import streaming_of
        from kafka_ferry.hooks.run_lock import claim
        from kafka_ferry.triggers.stream import StreamTrigger

        with stage(context):
            streaming = streaming_of(context)
            spec = streaming.spec
            until = None
            if self.converged:
                until = streaming.database.position()
                self.log.info("the binary log ends with %s now", until)
            else:
                claim(context, spec.stream, param="stream")
                streaming.deploy()
            state = streaming.runtime.readiness() if until is None else streaming.look(until)
            if state.verdict is Verdict.FAILED:
                raise StreamStopped(state.reason)
            self.log.info("%s", state.reason)
            if state.verdict is Verdict.RUNNING:
                return
            seconds = spec.running_timeout if until is None else spec.convergence_timeout
            trigger = StreamTrigger(
                dag_id=context["dag_run"].dag_id,
                params=dict(context["params"]),
                until=None if until is None else [until.number, until.pos],
                end_time=time.time() + seconds,
                poll_interval=spec.poll_interval,
            )
            self.defer(trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=seconds) + _MARGIN)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """:raises StreamStopped: with the reason, as the trigger found it; ``OutsideFault``: only the wait broke."""
        with stage(context):
            status, message = (event or {}).get("status"), (event or {}).get("message", "no event from the trigger")
            if status == "success":
                self.log.info("%s", message)
                return
            if status in ("failed", "timeout"):
                raise StreamStopped(str(message))
            raise OutsideFault(str(message))


class StreamConvergedSensor(StreamRunningSensor):
    """Wait until the snapshot is over and all that the database had done when this began is in the topics."""

    converged = True
