"""What our public sensors have in common: poll here, or in the triggerer, and end with the reason."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator

from kafka_ferry.compat import AirflowFailException, AirflowSensorTimeout, conf
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.connect.states import Verdict
from kafka_ferry.triggers.ended import Ended, told_by

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.hooks.connect.states import Readiness
    from kafka_ferry.triggers.waiting import WaitingTrigger

# The trigger ends by itself, with a reason. Airflow's own timeout of the deferral has none, so it comes later.
_MARGIN = timedelta(minutes=2)


class PollingSensor(BaseSensorOperator):
    """Base: ``look`` polls once, ``trigger`` goes on in the triggerer.

    :cvar not_yet: how the error begins when the timeout was reached.
    :param deferrable: wait in the triggerer. It needs ``retries`` of 2 or more (a race in Airflow 3.3 can fail the
        resumed task).
    """

    not_yet: ClassVar[str] = "not"

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self._reason = ""

    def look(self) -> Readiness:
        """Poll once.

        :raises FerryError: waiting cannot fix it.
        """
        raise NotImplementedError

    def trigger(self, end_time: float, delay: float) -> WaitingTrigger:
        """The same in the triggerer.

        :param end_time: seconds since the epoch. ``delay``: seconds between two polls.
        """
        raise NotImplementedError

    def explained(self, reason: str) -> str:
        """A failure's reason with all available detail."""
        return reason

    def poke(self, context: Context) -> bool:
        """Poll once."""
        try:
            found = self.look()
        except FerryError as fault:
            raise AirflowFailException(str(fault)) from None
        if found.verdict is Verdict.FAILED:
            raise AirflowFailException(self.explained(found.reason))
        if found.reason != self._reason:
            self.log.info("%s%s", "" if found.verdict is Verdict.RUNNING else "Waiting: ", found.reason)
            self._reason = found.reason
        return found.verdict is Verdict.RUNNING

    def execute(self, context: Context) -> None:
        """Poll once, then wait in the triggerer or here."""
        if not self.deferrable:
            try:
                super().execute(context)
            except AirflowSensorTimeout:
                raise AirflowSensorTimeout(self._timed_out(self._reason)) from None
        elif not self.poke(context):
            delay = self._coerce_poke_interval(self.poke_interval).total_seconds()
            trigger, limit = self.trigger(time.time() + self.timeout, delay), timedelta(seconds=self.timeout) + _MARGIN
            self.defer(trigger=trigger, method_name="execute_complete", timeout=limit)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Handle the trigger's event. It uses only the event and attributes: ``dag.test()`` drops other arguments."""
        ended, message = told_by(event)
        if ended is Ended.TIMEOUT:
            raise AirflowSensorTimeout(self._timed_out(message))
        if ended is Ended.FAILED:
            raise AirflowFailException(self.explained(message))
        if ended is Ended.BROKEN:
            raise TransientError(message)
        self.log.info("%s", message)

    def _timed_out(self, reason: str) -> str:
        return f"{self.not_yet} after {self.timeout:g} s: {reason}"
