"""Wait for a stream of database changes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.waiting_sensor import WaitingSensor

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.hooks.connect.states import Readiness
    from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream
    from kafka_ferry.jobs.cdc.rules.position import Position


class StreamStopped(FerryError):
    """The connector does not run or does not go on, and waiting longer will not make it."""


class _StreamSensor(WaitingSensor):
    stopped = StreamStopped

    def wait(
        self, context: Context, stream: CdcStream, state: Readiness, until: Position | None, seconds: float
    ) -> None:
        from kafka_ferry.jobs.cdc.triggers import StreamTrigger

        trigger = StreamTrigger(
            dag_id=context["dag_run"].dag_id,
            params=dict(context["params"]),
            until=None if until is None else [until.number, until.pos],
            end_time=time.time() + seconds,
            poll_interval=stream.spec.poll_interval,
        )
        self.go_on(state, trigger, seconds)


class StreamRunningSensor(_StreamSensor):
    """Make sure that the connector is deployed, and wait in the triggerer until it runs.

    Known limitation: RUNNING says nothing about changes arriving; wait for convergence after it.
    """

    def begin(self, context: Context) -> None:
        from kafka_ferry.jobs.cdc.live.cdc_stream import stream_of
        from kafka_ferry.jobs.cdc.live.shared_names import stream_names
        from kafka_ferry.jobs.common.run_lock import acquire_lock

        stream = stream_of(context)
        acquire_lock(context, *stream_names(stream))
        stream.deploy()
        self.wait(context, stream, stream.connector.readiness(), None, stream.spec.running_timeout)


class StreamConvergedSensor(_StreamSensor):
    """Wait until the snapshot is over and all that the database had done when this began is in the topics."""

    def begin(self, context: Context) -> None:
        from kafka_ferry.jobs.cdc.live.cdc_stream import stream_of

        stream = stream_of(context)
        until = stream.database.position()
        self.log.info("the binary log now ends at %s", until)
        self.wait(context, stream, stream.look(until), until, stream.spec.convergence_timeout)
