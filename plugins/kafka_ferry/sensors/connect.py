"""Wait until connectors run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kafka_ferry.sensors.polling import PollingSensor

if TYPE_CHECKING:
    from kafka_ferry.hooks.connect.hook import ConnectHook
    from kafka_ferry.hooks.connect.states import Readiness
    from kafka_ferry.triggers.waiting import WaitingTrigger


class ConnectorRunningSensor(PollingSensor):
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

    not_yet = "not running"
    template_fields: Sequence[str] = ("connectors", "connect_conn_id")

    def __init__(
        self,
        *,
        connectors: str | Mapping[str, int],
        connect_conn_id: str = "kafka_connect",
        poke_interval: float = 10.0,
        timeout: float = 300.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.connectors = connectors
        self.connect_conn_id = connect_conn_id

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

    def look(self) -> Readiness:
        from kafka_ferry.triggers.connect import poll

        return poll(self.hook, self.expected_tasks)

    def trigger(self, end_time: float, delay: float) -> WaitingTrigger:
        from kafka_ferry.triggers.connect import ConnectorRunningTrigger

        return ConnectorRunningTrigger(self.expected_tasks, self.connect_conn_id, end_time, delay)
