"""Requests to webhooks, at a real HTTP server on 127.0.0.1."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cutover_lab import Hook
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.jobs.cutover.live.webhook import NoAnswer, NobodyListened, Webhook

SAID = {"event": "handed_over", "wave": "w"}


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook().serving() as serving:
        yield serving


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda value: monkeypatch.setenv("AIRFLOW_CONN_MOVED", value)


def test_it_is_said_until_the_answer_is_yes(hook: Hook, connect: Any) -> None:
    connect(hook.connection())
    hook.answers = [500, 302]
    Webhook("moved").post(SAID, 10)
    assert hook.posts == [SAID] * 3
    assert "X-Kafka-Ferry-Signature" not in hook.headers[0]


@pytest.mark.parametrize(
    "more", [{"password": "k"}, {"extra": {"secret": "k"}}, {"login": "u", "password": "x", "extra": {"secret": "k"}}]
)
def test_a_secret_signs_the_very_body(hook: Hook, connect: Any, more: dict[str, Any]) -> None:
    connect(hook.connection(**more))
    Webhook("moved").post(SAID, 5)
    signed = f"sha256={hmac.new(b'k', hook.bodies[0], hashlib.sha256).hexdigest()}"
    assert hook.headers[0]["X-Kafka-Ferry-Signature"] == signed
    assert ("Authorization" in hook.headers[0]) == ("login" in more)


def test_a_password_beside_a_login_is_no_secret_of_ours(hook: Hook, connect: Any) -> None:
    connect(hook.connection(login="u", password="p" * 5, extra={"headers": {"X-Team": "blue"}}))
    Webhook("moved").post(SAID, 5)
    assert "X-Kafka-Ferry-Signature" not in hook.headers[0]
    assert hook.headers[0]["X-Team"] == "blue"


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ({"host": "h", "port": 81, "schema": "https", "extra": {"endpoint": "/a/b"}}, "https://h:81/a/b"),
        ({"host": "http://h:81/a"}, "http://h:81/a"),
        ({"host": "https://h/a", "port": 444}, "https://h:444/a"),
        ("http://h:81/path", "http://h:81/path"),
        ("http://h:81", "http://h:81"),
    ],
)
def test_a_connection_is_read_as_airflow_writes_it(connect: Any, value: Any, url: str) -> None:
    connect(value if isinstance(value, str) else json.dumps({"conn_type": "http", **value}))
    assert Webhook("moved").url == url


def test_whether_anybody_can_have_heard(hook: Hook, connect: Any) -> None:
    connect(hook.connection())
    hook.answers = [503] * 20
    with pytest.raises(NoAnswer, match="answered 503"):
        Webhook("moved").post(SAID, 1)
    hook._server.shutdown()
    hook._server.server_close()
    with pytest.raises(NobodyListened, match="did not say yes within 1 s"):
        Webhook("moved").post(SAID, 1)


def test_a_name_that_nobody_has_is_nobody(connect: Any) -> None:
    connect(json.dumps({"conn_type": "http", "host": "no-such-host.invalid", "port": 9}))
    with pytest.raises(NobodyListened):
        Webhook("moved").post(SAID, 1)


def test_what_is_no_connection_is_said_before(connect: Any) -> None:
    with pytest.raises(BadConnection, match="does not exist"):
        Webhook("moved")
    connect(json.dumps({"conn_type": "http"}))
    with pytest.raises(BadConnection, match="has no host"):
        Webhook("moved")
