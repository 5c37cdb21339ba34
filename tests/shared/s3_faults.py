"""A proxy before the S3 server that answers some requests itself, as an S3 under load or out of order does."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from proxy_handler import ProxyHandler

#: Given method and path, what to do: None passes the request on, an int answers with that status, "cut" hangs up,
#: "stall" says nothing until the fault is replaced (or the proxy ends), and hangs up then.
Fault = Callable[[str, str], int | str | None]

_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    outer: S3Faults


class _Handler(ProxyHandler):
    server: _Server

    def answer(self) -> None:
        body = self.body()
        outer = self.server.outer
        with outer.idle:
            outer.at_work += 1
        try:
            self._answer(outer, body)
        finally:
            with outer.idle:
                outer.at_work -= 1
                outer.idle.notify_all()

    def _answer(self, outer: S3Faults, body: bytes) -> None:
        with outer.lock:
            outer.requests += 1
            fault = outer.fault(self.command, self.path)
            if fault is None and outer.knows_conditions and self.headers.get("If-None-Match") == "*":
                fault = 412 if self.path in outer.created else None
                outer.created.add(self.path)
            outer.faults += fault is not None
        if fault == "stall":
            with outer.idle:
                outer.idle.wait_for(lambda: outer.ended or outer.fault(self.command, self.path) != "stall", 120)
        if fault in ("cut", "stall"):
            self.close_connection = True
            self.connection.close()
        elif fault is not None:
            self.send(int(fault), [("Content-Type", "application/xml")], _SLOW_DOWN)
        else:
            self._pass_on(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def _pass_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.server.outer.host, timeout=60)
        # The host is signed: it goes on as it came.
        skipped = ("transfer-encoding", "connection", "expect", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in skipped}
        try:
            connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            content = answer.read()
            self.send(answer.status, answer.getheaders(), content)
        except OSError:  # the real server is unavailable
            self.close_connection = True
            self.connection.close()
        finally:
            connection.close()


class S3Faults:
    """``with S3Faults(endpoint) as proxy: ...``; point ``endpoint_url`` at ``proxy.url``.

    :param fault: asked for every request; replace it at any time.
    :ivar knows_conditions: answer a conditional create as S3 does; the server behind it ignores the condition.
    """

    def __init__(self, endpoint: str, fault: Fault = lambda method, path: None) -> None:
        self.fault, self.requests, self.faults = fault, 0, 0
        self.knows_conditions, self.created = False, set[str]()
        self.lock, self.idle, self.at_work, self.ended = threading.Lock(), threading.Condition(), 0, False
        self.host = urlsplit(endpoint).netloc
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.outer = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        with self.idle:
            self.ended = True
            self.idle.notify_all()  # what a client that was killed has sent still arrives, and not at some time later
            self.idle.wait_for(lambda: self.at_work == 0, 10)
        self._server.server_close()
