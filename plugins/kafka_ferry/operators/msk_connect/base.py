"""What the operators on MSK Connect and MSK have in common: errors and waits."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from kafka_ferry.compat import AirflowFailException, conf
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.client import (
    WAITER_DELAY,
    WAITER_MAX_ATTEMPTS,
    Look,
    MskClient,
    Outcome,
    failure_of,
)
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.errors import ConnectorFailed, WaitTimedOut
from kafka_ferry.triggers.ended import Ended, told_by

with brought_by("aws"):
    from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

# The trigger ends by itself, with a reason. Airflow's own timeout of the deferral has none, so it comes later.
_MARGIN = timedelta(minutes=2)


Hook = TypeVar("Hook", bound=MskClient)


class MskOperator(AwsBaseOperator[Hook]):
    """Base of the operators on MSK Connect and MSK.

    A transient fault (429, 5xx, a version that somebody else changed, a wait that timed out) is raised unchanged, so
    that Airflow retries the task; any other fails it at once.

    :param wait_for_completion: wait until the operation has completed.
    :param waiter_delay: seconds between two polls.
    :param waiter_max_attempts: polls until the wait fails; the defaults make 40 minutes, as a connector that cannot
        reach its cluster takes 20 to report it.
    :param deferrable: wait in the triggerer. It needs ``retries`` of 2 or more (a race in Airflow 3.3 can fail the
        resumed task).
    :param aws_conn_id, region_name, verify, botocore_config: as in every operator of the amazon provider.
    """

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        waiter_delay: float = WAITER_DELAY,
        waiter_max_attempts: int = WAITER_MAX_ATTEMPTS,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_for_completion = wait_for_completion
        self.waiter_delay = waiter_delay
        self.waiter_max_attempts = waiter_max_attempts
        self.deferrable = deferrable

    @abstractmethod
    def act(self) -> Any:
        """Start the operation, wait, return the XCom."""

    def execute(self, context: Context) -> Any:
        """Run the operator; see the class for what is retried."""
        return self._guarded(self.act)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Handle the trigger's event. It uses only the event and attributes: ``dag.test()`` drops other arguments."""
        return self._guarded(lambda: self._completed(event or {}))

    def done(self, arn: str, event: Mapping[str, Any]) -> Any:
        """After a wait in the triggerer: what is left to do, and the XCom."""
        return arn

    def await_(self, waiter: str, arn: str, echo: Mapping[str, Any] | None = None, **waiter_args: str) -> None:
        """Wait here, or in the triggerer, after which ``done`` continues. Polls once before it defers.

        :param arn: what :meth:`done` is given. ``echo``: what it finds in the event.
        """
        if not self.wait_for_completion:
            return
        if not self.deferrable:
            self._wait_here(waiter, arn, waiter_args)
            return
        found = self.hook.look(waiter, **waiter_args)
        if found.outcome is Outcome.WAITING:
            self._defer(waiter, arn, echo or {}, waiter_args)
        self._judge(waiter, arn, found)

    def _wait_here(self, waiter: str, arn: str, waiter_args: dict[str, str]) -> None:
        try:
            self.hook.wait(waiter, self.waiter_delay, self.waiter_max_attempts, **waiter_args)
        except ConnectorFailed as failure:
            raise ConnectorFailed(self.hook.explained(arn, str(failure))) from None

    def _defer(self, waiter: str, arn: str, echo: Mapping[str, Any], waiter_args: dict[str, str]) -> None:
        seconds = self.waiter_delay * self.waiter_max_attempts
        from kafka_ferry.triggers.msk_connect import MskConnectWaiterTrigger

        self.defer(
            trigger=MskConnectWaiterTrigger(
                waiter_name=waiter,
                waiter_args=waiter_args,
                end_time=time.time() + seconds,
                waiter_delay=self.waiter_delay,
                echo={**echo, "arn": arn, "waiter": waiter},
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
                service=str(self.hook.client_type),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=seconds) + _MARGIN,
        )

    def _judge(self, waiter: str, arn: str, found: Look) -> None:
        if found.outcome is Outcome.FAILED:
            failure = failure_of(waiter, found.reason)
            raise type(failure)(self.hook.explained(arn, found.reason)) if waiter.startswith("connector") else failure
        self.log.info("%s", found.reason)

    def _completed(self, event: dict[str, Any]) -> Any:
        ended, message = told_by(event)
        arn, waiter = event.get("arn", ""), event.get("waiter", "")
        if ended is Ended.FAILED:
            self._judge(waiter, arn, Look(Outcome.FAILED, message))
        if ended is Ended.TIMEOUT:
            raise WaitTimedOut(message)
        if ended is Ended.BROKEN:
            raise TransientError(message)
        self.log.info("%s", message)
        return self.done(arn, event)

    @staticmethod
    def _guarded(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except FerryError as fault:
            if fault.retriable:
                raise
            raise AirflowFailException(str(fault)) from None


class MskConnectOperator(MskOperator[MskConnectHook]):
    """Base of the operators on MSK Connect."""

    aws_hook_class = MskConnectHook
