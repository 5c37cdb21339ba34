"""What S3 does since August 2024 and rclone does not: a PUT with ``If-None-Match: *`` makes an object, or is refused.

A server before the stack's own, for artifacts in S3: claims between runs are objects that must be created only once.
All else passes through. Whether an object is there is looked up where rclone keeps it, as a file.
"""

from __future__ import annotations

import http.client
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stack.health import status_of
from stack.ports import HOST
from stack.s3 import NAME as S3
from stack.service import Service
from stack.state import State

NAME = "s3-conditions"
_REFUSED = (
    b"<Error><Code>PreconditionFailed</Code>"
    b"<Message>At least one of the pre-conditions you specified did not hold</Message></Error>"
)


class S3Conditions(Service):
    """Its process; clients come to its port in place of S3's."""

    needs = (S3,)
    start_timeout = 30.0
    stop_grace = 5.0

    def __init__(self, folder: Path, state: State, data: Path) -> None:
        super().__init__(NAME, folder, state)
        self._data = data

    def command(self) -> list[str]:
        ports = [str(self.state.ports[name]) for name in (NAME, S3)]
        return [sys.executable, "-m", "stack.s3_conditions", *ports, str(self._data)]

    def environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}

    def problem(self) -> str | None:
        status = status_of(f"http://{HOST}:{self.state.ports[NAME]}")
        return None if status in (400, 403) else f"it answers HTTP {status}"


class Front(ThreadingHTTPServer):
    """:param behind: port of the server that keeps the objects. ``data``: where it keeps them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, behind: int, data: Path) -> None:
        super().__init__((HOST, port), _Handler)
        self.behind, self.data, self.creating = behind, data, threading.Lock()

    def exists(self, path: str) -> bool:
        """Whether there is an object."""
        return (self.data / unquote(urlsplit(path).path).lstrip("/")).is_file()


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command != "PUT" or self.headers.get("If-None-Match") != "*":
            self._pass_on(body)
            return
        with self.server.creating:  # one at a time, so that of two the second finds what the first has made
            if self.server.exists(self.path):
                self._send(412, [("Content-Type", "application/xml")], _REFUSED)
            else:
                self._pass_on(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def _pass_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(HOST, self.server.behind, timeout=120)
        # The host is signed: it goes on as it came.
        skipped = ("connection", "expect", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in skipped}
        try:
            connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            self._send(answer.status, answer.getheaders(), answer.read())
        except OSError:  # S3 is away
            self.close_connection = True
        finally:
            connection.close()

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        given = {name.lower(): value for name, value in headers}
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header(
            "Content-Length", given.get("content-length", "0") if self.command == "HEAD" else str(len(content))
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


if __name__ == "__main__":
    Front(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])).serve_forever()
