"""What our waits in the triggerer have in common: poll, log what changed, fire once, never raise."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.triggers.ended import Ended, event_of


class WaitingTrigger(BaseTrigger):
    """Fire once: the condition is met, it failed, or the timeout was reached.

    The event is ``{"status": …, "message": str, **echo}``, its status a value of :class:`Ended`.

    :cvar arguments: names of the arguments, which are attributes too.
    :param end_time: seconds since the epoch; kept over a restart of the triggerer.
    """

    arguments: ClassVar[tuple[str, ...]]

    def __init__(self, end_time: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.end_time = end_time

    @property
    @abstractmethod
    def delay(self) -> float:
        """Seconds between two polls."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What the log calls the thing waited for."""

    @property
    def event(self) -> dict[str, Any]:
        """What the event has in addition to status and message."""
        return {}

    @abstractmethod
    def look(self) -> Readiness:
        """Poll once, in a thread of a pool; RUNNING means that the condition is met.

        :raises FerryError: waiting cannot fix it; where it is ``retriable``, another try of the task may.
        """

    def too_late(self, reason: str) -> str:
        """The message of a timeout."""
        return reason

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments."""
        arguments = {name: getattr(self, name) for name in self.arguments}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is a verdict."""
        try:
            ended, message = await self._wait()
        except FerryError as fault:
            ended, message = Ended.BROKEN if fault.retriable else Ended.FAILED, str(fault)
        except Exception as fault:  # a trigger that raises fails its task without giving a reason
            self.log.exception("The wait for %s broke", self.subject)
            ended, message = Ended.BROKEN, f"{type(fault).__name__}: {fault}"
        yield TriggerEvent(event_of(ended, message, self.event))

    async def _wait(self) -> tuple[Ended, str]:
        said = ""
        while True:
            # By default all triggers of a triggerer share one thread: a cluster that hangs would hold up every wait.
            found = await sync_to_async(self.look, thread_sensitive=False)()
            if found.verdict is not Verdict.WAITING:
                return (Ended.SUCCESS if found.verdict is Verdict.RUNNING else Ended.FAILED), found.reason
            if found.reason != said:
                self.log.info("Waiting: %s", found.reason)
                said = found.reason
            if time.time() + self.delay > self.end_time:
                return Ended.TIMEOUT, self.too_late(found.reason)
            await asyncio.sleep(self.delay)
