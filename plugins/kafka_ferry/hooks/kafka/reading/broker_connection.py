"""One connection to a broker, whose answers lie in memory that is used again: records are not copied on the way in.

aiokafka connects, logs in and knows the messages; then its reader, which copies each answer three times (half of the
time of reading, measured), makes room for ours.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.types import Array, Schema

from kafka_ferry.hooks.kafka.reading.wire_settings import OwnToken, WireSettings

# What it would print each time that a broker is unavailable is in our exception; a refused password is there too.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

_SECONDS = 30.0
_SMALL = 4096  # what is longer is records, and stays where it is
_MOST = 2**31 - 1
_MOST_ANSWER = 1024**3  # bytes: librdkafka's own bound of receive.message.max.bytes; memory is taken for them
_BEFORE = 60.0  # seconds before a token's end from which on no more is asked by it
_SLOW = 2.0  # seconds after a question from which on the parts of its answer are told
_LONG_ANSWER = 65536


class _Token(AbstractTokenProvider):  # type: ignore[misc]
    """Beside the event loop: credentials of a role may have to come from STS first."""

    def __init__(self, sign: OwnToken) -> None:
        self._sign, self.ends = sign, 0.0

    async def token(self) -> str:
        token, self.ends = await asyncio.to_thread(self._sign)
        return token


class BrokerConnection(asyncio.BufferedProtocol):
    """Asks one request at a time. An answer's bytes are good until the next one arrives.

    Lives in one event loop. A question that failed leaves it unusable: ``close`` it.
    """

    def __init__(self, connection: AIOKafkaConnection, on_arrival: Callable[[], None] | None = None) -> None:
        self._on_arrival, self._asked_at, self._moved_at = on_arrival, 0.0, 0.0
        self._connection, self._transport = connection, connection._writer.transport
        self._length, self._body = bytearray(4), bytearray(1024 * 1024)
        self._place, self._wanted = 0, 0  # bytes that arrived of the length or the body; of the body: 0 for the length
        self._answer: asyncio.Future[memoryview] | None = None
        self._number, self.ends = 0, math.inf
        connection._read_task.cancel()
        self._transport.set_protocol(self)

    @classmethod
    async def open(
        cls, settings: WireSettings, host: str, port: int, on_arrival: Callable[[], None] | None = None
    ) -> BrokerConnection:
        """Connect and log in.

        :param on_arrival: called while a long answer arrives slowly.
        :raises OSError, TimeoutError, aiokafka.errors.KafkaError: the broker is unavailable, or refuses us.
        """
        token = _Token(settings.token) if settings.token else None
        connection = await create_conn(
            host,
            port,
            client_id=settings.client_id,
            request_timeout_ms=round(_SECONDS * 1000),
            ssl_context=settings.context,
            security_protocol=settings.protocol,
            sasl_mechanism=settings.mechanism,
            sasl_plain_username=settings.user,
            sasl_plain_password=settings.password,
            sasl_oauth_token_provider=token,
        )
        made = cls(connection, on_arrival)
        made.ends = token.ends if token else math.inf
        return made

    @property
    def is_open(self) -> bool:
        """Whether more can be asked. A broker closes what is older than its token (KIP-368), amid a question."""
        return not self._transport.is_closing() and time.time() < self.ends - _BEFORE

    @property
    def versions(self) -> dict[int, tuple[int, int]]:
        """Request key to the lowest and highest version of it that the broker knows."""
        return dict(self._connection._versions)

    async def ask(self, question: Any) -> dict[str, Any]:
        """The answer by its fields' names in the protocol; long byte fields are memoryviews.

        :param question: an aiokafka ``Request``.
        :raises OSError, TimeoutError, aiokafka.errors.KafkaError: no answer, or the broker is too old for it.
        """
        if self._answer is not None:
            raise RuntimeError("one request at a time")
        request = question.prepare(self._connection._versions)
        self._number = self._number % _MOST + 1
        header = request.build_request_header(self._number, self._connection._client_id).encode()
        asked = header + request.encode()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(len(asked).to_bytes(4) + asked)
        answer = _Fields(await self._arrived(self._answer))
        self._answer = None
        found = request.parse_response_header(answer).correlation_id
        if found != self._number:
            raise KafkaConnectionError(f"a response to request {found} instead of {self._number}")
        message = request.RESPONSE_TYPE.decode(answer)
        names, kinds = message.SCHEMA.names, message.SCHEMA.fields
        return {name: _named(kind, message.get_item(name)) for name, kind in zip(names, kinds, strict=True)}

    async def _arrived(self, answer: asyncio.Future[memoryview]) -> memoryview:
        """:raises TimeoutError: nothing of it came for ``_SECONDS``, however long the whole takes."""
        self._asked_at = self._moved_at = time.monotonic()
        try:
            while (left := self._moved_at + _SECONDS - time.monotonic()) > 0:
                done, _ = await asyncio.wait((answer,), timeout=left)
                if done:
                    return answer.result()
        finally:
            answer.cancel()  # nobody will ask it: an error that comes later would be told as lost
        raise TimeoutError(f"nothing came from the broker for {_SECONDS:g} s")

    def close(self) -> None:
        self._connection.close()

    # --- asyncio's side ---------------------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:
        if not self._wanted:
            return memoryview(self._length)[self._place :]
        return memoryview(self._body)[self._place : self._wanted]

    def buffer_updated(self, nbytes: int) -> None:
        self._place += nbytes
        self._moved_at = time.monotonic()
        if self._on_arrival and self._wanted > _LONG_ANSWER and self._moved_at > self._asked_at + _SLOW:
            self._on_arrival()
        if not self._wanted:
            if self._place == len(self._length):
                self._place, self._wanted = 0, int.from_bytes(self._length)
                if not 0 < self._wanted <= _MOST_ANSWER:
                    self._refuse(f"an answer of {self._wanted} bytes; at most {_MOST_ANSWER} are taken")
                    return
                if self._wanted > len(self._body):
                    self._body = bytearray(self._wanted)
        elif self._place == self._wanted:
            whole = memoryview(self._body)[: self._wanted]
            self._place, self._wanted = 0, 0
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(whole)

    def _refuse(self, problem: str) -> None:
        self._wanted = 0
        self._transport.abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(KafkaConnectionError(problem))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(KafkaConnectionError(f"the broker closed the connection: {exc or 'no reason'}"))


def _named(kind: Any, value: Any) -> Any:
    """A field with the names of those in it; aiokafka's own ``to_object`` fails on an array that is null."""
    if isinstance(kind, Schema):
        return {name: _named(one, part) for name, one, part in zip(kind.names, kind.fields, value, strict=True)}
    if isinstance(kind, Array):
        return [_named(kind.array_of, one) for one in value or ()]
    return value


class _Fields:
    """An answer as a file that aiokafka's types read; without a copy of what is long."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    def read(self, size: int) -> bytes | memoryview:
        found = self._data[self._at : self._at + size]
        self._at += size
        return found if size > _SMALL else bytes(found)
