"""Wait for a connector's state, or for an operation on it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from kafka_ferry.exceptions import BadParam, FerryError, TransientError
from kafka_ferry.hooks.msk.client import MskClient, Outcome
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.triggers.ended import Ended, told_by

if TYPE_CHECKING:
    from airflow.sdk import Context

_MARGIN = timedelta(minutes=2)


Hook = TypeVar("Hook", bound=MskClient)


class MskSensor(AwsBaseSensor[Hook]):
    """Base: polls one waiter.

    :param deferrable: wait in the triggerer. It needs ``retries`` of 2 or more.
    :param poke_interval: seconds between two polls. ``timeout``: seconds until the wait fails, with the last state.
    """

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float = 30.0,
        timeout: float = 2400.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.deferrable = deferrable
        self._reason = ""

    def waiter(self) -> tuple[str, dict[str, str]]:
        """Name of the waiter and the arguments of its describe call."""
        raise NotImplementedError

    def explained(self, reason: str) -> str:
        """A failure's reason with all available detail."""
        return reason

    def poke(self, context: Context) -> bool:
        """Poll once."""
        try:
            name, described = self.waiter()
            found = self.hook.look(name, **described)
        except FerryError as fault:
            raise AirflowFailException(str(fault)) from None
        if found.outcome is Outcome.FAILED:
            raise AirflowFailException(self.explained(found.reason))
        if found.reason != self._reason:
            self.log.info("%s", found.reason)
            self._reason = found.reason
        return found.outcome is Outcome.DONE

    def execute(self, context: Context) -> None:
        """Poll once, then wait in the triggerer or here."""
        if not self.deferrable:
            try:
                super().execute(context)
            except AirflowSensorTimeout:
                raise AirflowSensorTimeout(f"not after {self.timeout:g} s: {self._reason}") from None
            return
        if self.poke(context):
            return
        from kafka_ferry.triggers.msk_connect import MskConnectWaiterTrigger

        name, described = self.waiter()
        self.defer(
            trigger=MskConnectWaiterTrigger(
                waiter_name=name,
                waiter_args=described,
                end_time=time.time() + self.timeout,
                waiter_delay=self._coerce_poke_interval(self.poke_interval).total_seconds(),
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
                service=str(self.hook.client_type),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + _MARGIN,
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Handle the trigger's event."""
        ended, message = told_by(event)
        if ended is Ended.FAILED:
            raise AirflowFailException(self.explained(message))
        if ended is Ended.TIMEOUT:
            raise AirflowSensorTimeout(f"not after {self.timeout:g} s: {message}")
        if ended is Ended.BROKEN:
            raise TransientError(message)
        self.log.info("%s", message)


class MskConnectSensor(MskSensor[MskConnectHook]):
    """Base of the sensors of MSK Connect."""

    aws_hook_class = MskConnectHook


class MskConnectConnectorStateSensor(MskConnectSensor):
    """Wait until a connector is RUNNING (or PAUSED, or deleted).

    A FAILED connector ends the wait at once, without retries, with its stateDescription and the end of its log.
    After an update wait with :class:`MskConnectConnectorOperationSensor`: RUNNING follows a rollback, too.

    :param connector_arn: its ARN. (templated)
    :param target_state: RUNNING, PAUSED or DELETED.
    """

    template_fields: Sequence[str] = aws_template_fields("connector_arn", "target_state")

    def __init__(self, *, connector_arn: str, target_state: str = "RUNNING", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connector_arn = connector_arn
        self.target_state = target_state

    def waiter(self) -> tuple[str, dict[str, str]]:
        if self.target_state not in ("RUNNING", "PAUSED", "DELETED"):
            raise BadParam("target_state", f"{self.target_state!r} cannot be waited for", "RUNNING, PAUSED or DELETED")
        return f"connector_{self.target_state.lower()}", {"connectorArn": self.connector_arn}

    def explained(self, reason: str) -> str:
        text: str = self.hook.explained(self.connector_arn, reason)
        return text


class MskConnectConnectorOperationSensor(MskConnectSensor):
    """Wait until an operation is COMPLETE: the only reliable result of an update, pause, resume or restart.

    A failed operation and a rolled-back one, ROLLBACK_COMPLETE too, end the wait at once with errorInfo and steps.

    :param connector_operation_arn: its ARN. (templated)
    """

    template_fields: Sequence[str] = aws_template_fields("connector_operation_arn")

    def __init__(self, *, connector_operation_arn: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connector_operation_arn = connector_operation_arn

    def waiter(self) -> tuple[str, dict[str, str]]:
        return "operation_complete", {"connectorOperationArn": self.connector_operation_arn}
