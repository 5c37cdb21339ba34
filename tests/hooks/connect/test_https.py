"""Kafka Connect by HTTPS: whom the connection believes, whatever the environment says."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import certifi
import pytest
import requests

from kafka_ferry.hooks.connect.rest import ConnectRest, ConnectUntrusted
from stack.certificates import Certificates
from stack.state import State


class Worker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"version": "4.3.1"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    made = Certificates(State(tmp_path / "state.json"))
    made.make(["rest"])
    return made


@pytest.fixture
def url(certificates: Certificates) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Worker)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.both("rest"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_the_connections_ca_goes_before_that_of_the_environment(
    url: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    session = requests.Session()
    session.verify = str(certificates.ca)
    assert ConnectRest(url, session).request("GET", "/") == {"version": "4.3.1"}


def test_a_certificate_that_is_not_believed_is_said_at_once_with_the_cure(url: str) -> None:
    begun = time.monotonic()
    with pytest.raises(
        ConnectUntrusted, match=r"is not believed: [^.]+\. Fix: verify in the connection's extra"
    ) as error:
        ConnectRest(url).request("GET", "/")
    assert time.monotonic() - begun < 10
    assert not error.value.retriable
