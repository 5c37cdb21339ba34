"""Wait until the connector has copied what the run is of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.waiting_sensor import WaitingSensor
from kafka_ferry.jobs.s3.connect.sides import Side, side_of

if TYPE_CHECKING:
    from airflow.sdk import Context

#: Seconds for which the wait may go on while there is progress: as long as a copy may take. 30 days.
_LONGEST = 30 * 86_400.0


class ConnectorStopped(FerryError):
    """The connector has failed, or copies nothing, and waiting longer will not make it."""


class CopiedSensor(WaitingSensor):
    """Make sure that the connector is deployed, and wait in the triggerer until it has copied what the run is of.

    What counts is what lies in S3, or what the connector has committed behind the target's confirmation: RUNNING alone
    says nothing.

    :param side: ``export`` or ``import``.
    """

    stopped = ConnectorStopped

    def __init__(self, *, side: Side, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.side: Side = side

    def begin(self, context: Context) -> None:
        from kafka_ferry.hooks.connect.states import Readiness, Verdict
        from kafka_ferry.jobs.s3.connect.triggers import CopiedTrigger

        side = side_of(self.side, context)
        if side.spec.transport == "engine":
            self.log.info("transport is engine: nothing to wait for")
            return
        look = side.look()
        if not look.left:
            self.log.info("%s", look.text)
            return
        side.deploy()  # it may be gone, where this task was cleared alone
        trigger = CopiedTrigger(
            side=self.side,
            dag_id=side.dag_id,
            run_id=side.run_id,
            params=dict(side.params),
            end_time=time.time() + _LONGEST,
        )
        self.go_on(Readiness(Verdict.WAITING, look.text), trigger, _LONGEST)
