"""Wait for a connector's state, or for an operation on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from kafka_ferry.exceptions import BadParam
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.client import MskClient
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.sensors.polling import PollingSensor

with brought_by("aws"):
    from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
    from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

if TYPE_CHECKING:
    from kafka_ferry.hooks.connect.states import Readiness
    from kafka_ferry.triggers.waiting import WaitingTrigger

Hook = TypeVar("Hook", bound=MskClient)


class MskSensor(PollingSensor, AwsBaseSensor[Hook]):
    """Base: polls one waiter.

    :param deferrable: wait in the triggerer. It needs ``retries`` of 2 or more.
    :param poke_interval: seconds between two polls. ``timeout``: seconds until the wait fails, with the last state.
    """

    def __init__(self, *, poke_interval: float = 30.0, timeout: float = 2400.0, **kwargs: Any) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)

    def waiter(self) -> tuple[str, dict[str, str]]:
        """Name of the waiter and the arguments of its describe call."""
        raise NotImplementedError

    def look(self) -> Readiness:
        from kafka_ferry.triggers.msk_connect import as_readiness

        name, described = self.waiter()
        return as_readiness(self.hook.look(name, **described))

    def trigger(self, end_time: float, delay: float) -> WaitingTrigger:
        from kafka_ferry.triggers.msk_connect import MskConnectWaiterTrigger

        name, described = self.waiter()
        return MskConnectWaiterTrigger(
            waiter_name=name,
            waiter_args=described,
            end_time=end_time,
            waiter_delay=delay,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
            service=str(self.hook.client_type),
        )


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
            raise BadParam(
                "target_state", f"{self.target_state!r} is not a state to wait for", "RUNNING, PAUSED or DELETED"
            )
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
