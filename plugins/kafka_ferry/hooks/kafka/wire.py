"""What all requests of our own have in common: a loop, a bound, and errors in our words."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from aiokafka.errors import KafkaError as WireError
from confluent_kafka import KafkaError

from kafka_ferry.exceptions import FerryError, NotAuthorized, TransientError
from kafka_ferry.hooks.kafka.acl_bindings import right_to
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings

T = TypeVar("T")

SECONDS = 30.0  # for all of a question
#: Codes of what may be answered soon.
STARTING = {
    KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR,
}  # fmt: skip


class NotYet(Exception):
    """The coordinator has just begun."""


class Refused(Exception):
    """The broker says no."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(KafkaError(code).str().rstrip("."))
        self.code, self.what = code, what


def check(code: int, what: str = "", *, only_passing: bool = False) -> None:
    """Raise for what a broker answered; ``only_passing``: only where the same question may be answered soon."""
    if code in STARTING:
        raise NotYet(KafkaError(code).str())
    if code and not only_passing:
        raise Refused(code, what)


class Wire:
    """Questions by requests of our own; each makes its own connections. Not for use inside an event loop.

    :param config: whole librdkafka configuration, of settings that ``wire_settings`` knows.
    :param name: how errors call the cluster.

    Raises from every method: ``TransientError`` when a broker does not answer or refuses our login, ``NotAuthorized``
    or ``FerryError`` when it says no.
    """

    def __init__(self, config: Mapping[str, Any], name: str) -> None:
        self._settings, self.name = WireSettings.of(config), name

    def run(self, ask: Callable[[BrokerWire], Awaitable[T]], what: str, seconds: float = SECONDS) -> T:
        """:param what: the question, as errors name it."""

        async def work() -> T:
            wire = BrokerWire(self._settings)
            try:
                return await asyncio.wait_for(ask(wire), seconds)
            finally:
                wire.close()
                await asyncio.sleep(0)  # transports close in the loop's next turn

        try:
            return asyncio.run(work())
        except Refused as error:
            what = error.what or what
            if error.code in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
                fix = f"grant {right_to(what)} to the user of this connection"
                raise NotAuthorized(f"{self.name}: not allowed to {what}: {error}. Fix: {fix}") from error
            raise FerryError(f"{self.name}: cannot {what}: {error}") from error
        except (OSError, TimeoutError, WireError, NotImplementedError, NotYet, ValueError, struct.error) as error:
            told = str(error) or type(error).__name__
            raise TransientError(f"{self.name}: cannot {what}: {told}") from error
