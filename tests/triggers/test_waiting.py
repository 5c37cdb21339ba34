"""What our waits in the triggerer have in common."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from kafka_ferry.exceptions import DataLossError, FerryError, TransientError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.triggers.waiting import WaitingTrigger


class Wait(WaitingTrigger):
    """:param look: what it finds."""

    arguments = ("end_time",)
    delay = 0.01  # type: ignore[assignment]
    subject = "a test"  # type: ignore[assignment]

    def __init__(self, look: Callable[[], Readiness], seconds: float = 60) -> None:
        super().__init__(time.time() + seconds)
        self._look = look

    def look(self) -> Readiness:
        return self._look()


async def event(trigger: WaitingTrigger) -> dict[str, Any]:
    return dict((await anext(trigger.run())).payload)


def raising(error: Exception) -> Callable[[], Readiness]:
    def look() -> Readiness:
        raise error

    return look


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TransientError("broker away"), "broken"),
        (FerryError("no such connector"), "failed"),
        (DataLossError("log start passed"), "failed"),
        (KeyError("x"), "broken"),
    ],
)
def test_an_error_that_a_retry_may_cure_is_no_verdict(error: Exception, status: str) -> None:
    told = asyncio.run(event(Wait(raising(error))))
    assert told["status"] == status
    assert str(error) in told["message"]


def test_a_wait_whose_cluster_hangs_holds_up_no_other() -> None:
    """All triggers of a triggerer share its event loop; a look may take minutes."""
    over = threading.Event()

    def hangs() -> Readiness:
        over.wait(30)
        return Readiness(Verdict.RUNNING, "late")

    async def both() -> dict[str, Any]:
        late = asyncio.create_task(event(Wait(hangs)))
        await asyncio.sleep(0.1)  # it hangs by now
        try:
            return await asyncio.wait_for(event(Wait(lambda: Readiness(Verdict.RUNNING, "quick"))), 10)
        finally:
            over.set()
            await late

    assert asyncio.run(both())["message"] == "quick"


def test_it_polls_until_its_time_is_over_and_says_what_it_saw_last() -> None:
    told = asyncio.run(event(Wait(lambda: Readiness(Verdict.WAITING, "not yet"), seconds=0.1)))
    assert told == {"status": "timeout", "message": "not yet"}
