"""Wait for MSK Connect, or for MSK, in the triggerer.

The amazon provider's own base (``AwsBaseWaiterTrigger``) needs aiobotocore, which pins botocore below 1.43.118 and so
lacks pause and resume. Here the synchronous client runs the waiter once per poll, in a thread.
"""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.msk.client import Look, MskClient, Outcome
from kafka_ferry.triggers.waiting import WaitingTrigger

_VERDICTS: Final = MappingProxyType(
    {Outcome.DONE: Verdict.RUNNING, Outcome.WAITING: Verdict.WAITING, Outcome.FAILED: Verdict.FAILED}
)


def as_readiness(found: Look) -> Readiness:
    """What a waiter saw, in the words of all waits."""
    return Readiness(_VERDICTS[found.outcome], found.reason)


class MskConnectWaiterTrigger(WaitingTrigger):
    """Wait until a waiter of ``waiters/<service>.json`` is done.

    :param waiter_name: name of the waiter. ``waiter_args``: arguments of its describe call.
    :param echo: returned in the event, as arguments of a deferral are lost in ``dag.test()``.
    :param waiter_delay: seconds between polls.
    :param service: the waiters' service: ``kafkaconnect`` or ``kafka``.
    """

    arguments = (
        "waiter_name", "waiter_args", "end_time", "waiter_delay", "echo", "aws_conn_id", "region_name", "verify",
        "botocore_config", "service",
    )  # fmt: skip

    def __init__(
        self,
        *,
        waiter_name: str,
        waiter_args: dict[str, str],
        end_time: float,
        waiter_delay: float,
        echo: dict[str, Any] | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        service: str = "kafkaconnect",
    ) -> None:
        super().__init__(end_time)
        self.waiter_name, self.waiter_args, self.echo = waiter_name, waiter_args, echo or {}
        self.waiter_delay = waiter_delay
        self.aws_conn_id, self.region_name = aws_conn_id, region_name
        self.verify, self.botocore_config, self.service = verify, botocore_config, service

    @property
    def delay(self) -> float:
        return self.waiter_delay

    @property
    def subject(self) -> str:
        return self.waiter_name

    @property
    def event(self) -> dict[str, Any]:
        return self.echo

    @cached_property
    def _hook(self) -> MskClient:
        return MskClient(
            client_type=self.service,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    def look(self) -> Readiness:
        return as_readiness(self._hook.look(self.waiter_name, **self.waiter_args))
