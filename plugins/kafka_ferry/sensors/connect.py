"""Wait until connectors run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.triggers.ended import Ended, told_by

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.hooks.connect.hook import ConnectHook

# The trigger ends by itself, with a reason. Airflow's own timeout of the deferral has none, so it comes later.
_MARGIN = timedelta(minutes=2)


class ConnectorRunningSensor(BaseSensorOperator):
    """Wait until connectors are RUNNING with at least the expected number of tasks, all RUNNING.

    A FAILED connector or task ends the wait at once, without retries, with the worker's stack trace. RUNNING with no
    tasks is not running: MirrorMaker 2 reports that with a wrong password (measured).

    Known limitation: RUNNING says nothing about records moving; wait for convergence after it.

    :param connectors: a name, or connector → minimum number of tasks. (templated)
    :param connect_conn_id: Airflow connection of the Connect cluster. (templated)
    :param deferrable: wait in the triggerer. It needs ``retries`` of 2 or more (a race in Airflow 3.3 can fail the
        resumed task).
    :param poke_interval: seconds between two polls; 10 or more when deferrable.
    :param timeout: seconds until the wait fails, naming each connector that does not run, its state and tasks.
    """

    template_fields: Sequence[str] = ("connectors", "connect_conn_id")

    def __init__(
        self,
        *,
        connectors: str | Mapping[str, int],
        connect_conn_id: str = "kafka_connect",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float = 10.0,
        timeout: float = 300.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.connectors = connectors
        self.connect_conn_id = connect_conn_id
        self.deferrable = deferrable
        self._reason = ""

    @cached_property
    def hook(self) -> ConnectHook:
        """The client of the Connect cluster."""
        from kafka_ferry.hooks.connect.hook import ConnectHook

        return ConnectHook(self.connect_conn_id, patience=5.0)

    @property
    def expected_tasks(self) -> dict[str, int]:
        """Connector → least number of tasks; numbers come back from templates as text."""
        if isinstance(self.connectors, str):
            return {self.connectors: 1}
        return {name: int(tasks) for name, tasks in self.connectors.items()}

    def poke(self, context: Context) -> bool:
        """Poll once."""
        from kafka_ferry.hooks.connect.hook import Verdict
        from kafka_ferry.triggers.connect import poll

        try:
            found = poll(self.hook, self.expected_tasks)
        except FerryError as fault:
            raise AirflowFailException(str(fault)) from fault
        if found.verdict is Verdict.FAILED:
            raise AirflowFailException(found.reason)
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
            return
        if self.poke(context):
            return
        from kafka_ferry.triggers.connect import ConnectorRunningTrigger

        self.defer(
            trigger=ConnectorRunningTrigger(
                connectors=self.expected_tasks,
                connect_conn_id=self.connect_conn_id,
                end_time=time.time() + self.timeout,
                poll_interval=self._coerce_poke_interval(self.poke_interval).total_seconds(),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + _MARGIN,
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Handle the trigger's event. It uses only the event and attributes: ``dag.test()`` drops other arguments."""
        ended, message = told_by(event)
        if ended is Ended.TIMEOUT:
            raise AirflowSensorTimeout(self._timed_out(message))
        if ended is Ended.FAILED:
            raise AirflowFailException(message)
        if ended is Ended.BROKEN:
            raise TransientError(message)
        self.log.info("%s", message)

    def _timed_out(self, reason: str) -> str:
        return f"not running after {self.timeout:g} s: {reason}"
