"""Wait for MSK Connect, or for MSK, in the triggerer.

The amazon provider's own base (``AwsBaseWaiterTrigger``) needs aiobotocore, which pins botocore below 1.43.118 and so
takes pause and resume away. Here the plain client asks the waiter once a poll, in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.msk.client import Look, MskClient, Outcome


class MskConnectWaiterTrigger(BaseTrigger):
    """Fire once: a waiter of ``waiters/<service>.json`` is done, it failed, or the time is over.

    The event is ``{"status": …, "message": str, **echo}``; status is "success", "failed" (waiting cannot cure it),
    "timeout" or "error" (the wait itself broke: another try may succeed).

    :param waiter_name: name of the waiter. ``waiter_args``: what it describes.
    :param echo: handed back in the event, as arguments of a deferral are lost in ``dag.test()``.
    :param end_time: seconds since the epoch; kept over a restart of the triggerer.
    :param waiter_delay: seconds between looks.
    :param service: whose waiters: ``kafkaconnect`` or ``kafka``.
    """

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
        super().__init__()  # type: ignore[no-untyped-call]
        self.waiter_name, self.waiter_args, self.echo = waiter_name, waiter_args, echo or {}
        self.end_time, self.waiter_delay = end_time, waiter_delay
        self.aws_conn_id, self.region_name = aws_conn_id, region_name
        self.verify, self.botocore_config, self.service = verify, botocore_config, service

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments."""
        names = (
            "waiter_name", "waiter_args", "end_time", "waiter_delay", "echo", "aws_conn_id", "region_name", "verify",
            "botocore_config", "service",
        )  # fmt: skip
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is a verdict."""
        try:
            status, message = await self._wait()
        except FerryError as fault:
            status, message = "failed", str(fault)
        except Exception as fault:  # a trigger that raises fails its task without a word of why
            self.log.exception("The wait for %s broke", self.waiter_name)
            status, message = "error", f"{type(fault).__name__}: {fault}"
        yield TriggerEvent({**self.echo, "status": status, "message": message})

    async def _wait(self) -> tuple[str, str]:
        hook = MskClient(
            client_type=self.service,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )
        said = ""
        while True:
            found: Look = await sync_to_async(hook.look)(self.waiter_name, **self.waiter_args)
            if found.outcome is not Outcome.WAITING:
                return ("success" if found.outcome is Outcome.DONE else "failed"), found.reason
            if found.reason != said:
                self.log.info("Waiting: %s", found.reason)
                said = found.reason
            if time.time() + self.waiter_delay > self.end_time:
                return "timeout", found.reason
            await asyncio.sleep(self.waiter_delay)
