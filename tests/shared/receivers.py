"""Where messages of a test's notifiers arrive: a webhook and a mail server on 127.0.0.1."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Receivers:
    """Listen while it is a context.

    :ivar web_port, mail_port: where. ``posts``: path and JSON of each request. ``mails``: subject and text of each.
    """

    def __init__(self) -> None:
        self.posts, self.mails = list[tuple[str, Any]](), list[tuple[str, str]]()
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), _web_handler(self.posts))
        self._mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _mail_handler(self.mails))
        self.web_port, self.mail_port = int(self._web.server_address[1]), int(self._mail.server_address[1])

    def __enter__(self) -> Self:
        for server in (self._web, self._mail):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in (self._web, self._mail):
            server.shutdown()
            server.server_close()

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        """Airflow's connections to them, by the ids that docs/operate.md uses."""
        web = f"http://127.0.0.1:{self.web_port}"
        quiet = {"disable_ssl": True, "disable_tls": True, "from_email": "ferry@example.org"}
        return {
            "slack": {"conn_type": "slackwebhook", "host": web, "password": "T/B/x"},
            "webhook": {"conn_type": "http", "host": web},
            "mail": {"conn_type": "smtp", "host": "127.0.0.1", "port": self.mail_port, "extra": quiet},
        }

    def wait(self, what: Callable[[], Any], seconds: float = 90) -> Any:
        """What has come, once there is something."""
        deadline = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < deadline, f"posts: {self.posts}, mails: {self.mails}"
            time.sleep(0.1)
        return found

    def posted(self, path: str, word: str) -> list[Any]:
        """JSON of the requests to a path that have a word."""
        return [body for at, body in list(self.posts) if at == path and word in json.dumps(body)]


def _web_handler(posts: list[tuple[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((self.path, json.loads(body)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")  # as Slack answers

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: what has come is in ``posts``."""

    return Handler


def _mail_handler(mails: list[tuple[str, str]]) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        """As much of SMTP as one mail needs."""

        def handle(self) -> None:
            self._say("220 test")
            while line := self.rfile.readline().strip().upper():
                if line == b"DATA":
                    self._say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    mail = message_from_bytes(b"".join(lines), policy=policy.default)
                    part = mail.get_body(("html", "plain"))
                    mails.append((str(mail["Subject"]), part.get_content() if part else ""))
                self._say("221 bye" if line == b"QUIT" else "250 ok")
                if line == b"QUIT":
                    return

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    return Handler
