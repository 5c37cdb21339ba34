"""What the sensors that wait in the triggerer have in common: their books, the deferral, and the end of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.jobs.common.tasks import stage
from kafka_ferry.triggers.ended import Ended, told_by

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.hooks.connect.states import Readiness
    from kafka_ferry.triggers.waiting import WaitingTrigger


class WaitingSensor(BaseSensorOperator):
    """Base: ``begin`` looks once; what it finds waiting is waited for in the triggerer.

    :cvar stopped: the error when waiting longer will not help.
    :cvar margin: the trigger ends by itself, with a reason; Airflow's own timeout of the deferral, which knows none,
        comes so much later.
    :param engine: what moves the records; all tasks of a DAG get the same from its ``default_args``.
    """

    stopped: ClassVar[type[FerryError]]
    margin: ClassVar[timedelta] = timedelta(minutes=2)

    def __init__(self, *, engine: str = "mirror_maker2_on_connect", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.engine = engine

    def begin(self, context: Context) -> None:
        """Look, and hand over with :meth:`go_on`."""
        raise NotImplementedError

    def execute(self, context: Context) -> None:
        with stage(context):
            self.begin(context)

    def go_on(self, state: Readiness, trigger: WaitingTrigger, seconds: float) -> None:
        """As it was found: done, failed, or defer.

        :param seconds: how long the trigger waits at most.
        """
        from kafka_ferry.hooks.connect.states import Verdict

        if state.verdict is Verdict.FAILED:
            raise self.stopped(state.reason)
        self.log.info("%s", state.reason)
        if state.verdict is Verdict.WAITING:
            limit = timedelta(seconds=seconds) + self.margin
            self.defer(trigger=trigger, method_name="execute_complete", timeout=limit)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Take the trigger's event.

        :raises FerryError: ``stopped``, with the reason as the trigger found it.
        :raises TransientError: only the wait broke.
        """
        with stage(context):
            ended, message = told_by(event)
            if ended is Ended.BROKEN:
                raise TransientError(message)
            if ended is not Ended.SUCCESS:
                raise self.stopped(message)
            self.log.info("%s", message)
