"""Health checks by a real request to the server, with the standard library only."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from stack.errors import StackError

TIMEOUT = 5.0  # seconds for one request
# Never through a proxy that the machine may have set: all servers are on 127.0.0.1.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get_json(url: str, context: ssl.SSLContext | None = None) -> dict[str, object]:
    """GET a JSON object from a local server.

    :param context: by which HTTPS is believed.
    :raises OSError: no answer, or not a success.
    """
    opener = _direct
    if context:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
    with opener.open(url, timeout=TIMEOUT) as answer:
        return dict(json.load(answer))


def post_json(url: str, body: Mapping[str, object]) -> None:
    """POST a JSON object to a local server.

    :raises OSError: no answer, or not a success.
    """
    with _direct.open(url, json.dumps(dict(body)).encode(), timeout=TIMEOUT):
        pass


def status_of(url: str) -> int:
    """HTTP status of a GET, also of a refusal.

    :raises OSError: no answer.
    """
    try:
        with _direct.open(url, timeout=TIMEOUT) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def kafka_cluster_id(
    host: str, port: int, user: tuple[str, str] | None = None, context: ssl.SSLContext | None = None
) -> str | None:
    """Ask a broker for the metadata of its cluster; None while the broker itself is not ready.

    A request of its own (Metadata v5, https://kafka.apache.org/protocol#The_Messages_Metadata, in all brokers since
    1.0) as no client library may be installed yet. A KRaft broker lists itself only when the controller has let it in
    (it is "unfenced"), which is later than the moment its port opens.

    :param user: name and password for SASL PLAIN. ``context``: of a listener with TLS.
    :raises OSError: no answer, or the user is refused.
    """
    with _connected(host, port, context) as connection:
        if user is not None:
            _authenticate(connection, *user)
        # Metadata: no topics, do not create any. The answer begins with the throttle time.
        answer = _Reader(_ask(connection, 3, 5, struct.pack(">i?", 0, False))[4:])
    ports = [_broker_port(answer) for _ in range(answer.integer())]
    cluster_id = answer.text()
    return cluster_id if port in ports else None


def _connected(host: str, port: int, context: ssl.SSLContext | None) -> socket.socket:
    plain = socket.create_connection((host, port), timeout=TIMEOUT)
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def _broker_port(answer: _Reader) -> int:
    answer.integer()  # node id
    answer.text()  # host
    port = answer.integer()
    answer.text()  # rack
    return port


def _authenticate(connection: socket.socket, name: str, password: str) -> None:
    mechanism = b"PLAIN"
    token = f"\0{name}\0{password}".encode()
    for key, version, body in (  # SaslHandshake v1, SaslAuthenticate v0: both answers begin with an error code
        (17, 1, struct.pack(f">h{len(mechanism)}s", len(mechanism), mechanism)),
        (36, 0, struct.pack(f">i{len(token)}s", len(token), token)),
    ):
        (code,) = struct.unpack_from(">h", _ask(connection, key, version, body))
        if code:
            raise ConnectionError(f"it refuses the user {name!r} (error {code})")


def _ask(connection: socket.socket, key: int, version: int, body: bytes) -> bytes:
    """One request; the answer without its correlation id."""
    client = b"kafka-ferry-stack"
    request = struct.pack(f">hhih{len(client)}s", key, version, 1, len(client), client) + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _read(connection, 4))
    return _read(connection, size)[4:]


class _Reader:
    """Reads the primitive types of the Kafka protocol one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def integer(self) -> int:
        self._at += 4
        return int(struct.unpack_from(">i", self._data, self._at - 4)[0])

    def text(self) -> str | None:
        (length,) = struct.unpack_from(">h", self._data, self._at)
        start = self._at + 2
        self._at = start + max(length, 0)
        return self._data[start : self._at].decode() if length >= 0 else None


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the server closed the connection")
        data += more
    return data


_TELL_EVERY = 15.0  # seconds


class Cancelled(StackError):
    """Another part of the stack failed or the user pressed Ctrl-C."""


def ask(problem: Callable[[], str | None]) -> str | None:
    """One health check; no answer is a problem too."""
    try:
        return problem()
    except (OSError, ValueError, struct.error) as error:
        return f"no answer: {error}"


def wait_until_healthy(
    problem: Callable[[], str | None],
    alive: Callable[[], bool],
    timeout: float,
    cancelled: threading.Event,
    tell: Callable[[str], None] = lambda _: None,
) -> str | None:
    """Ask again and again until there is no problem.

    :param problem: asks the server once; None when all is well, else what is wrong.
    :param timeout: seconds.
    :param tell: is told now and then what is waited for.
    :returns: None when healthy, else why it is not.
    """
    begun = told = time.monotonic()
    deadline = begun + timeout
    while True:
        last = ask(problem)
        if last is None:
            return None
        if not alive():
            return "the process ended"
        if time.monotonic() > deadline:
            return f"not healthy after {timeout:.0f} s: {last}"
        if time.monotonic() > told + _TELL_EVERY:
            told = time.monotonic()
            tell(f"waiting for {told - begun:.0f} s: {last}")
        if cancelled.wait(0.15):
            raise Cancelled("cancelled")
