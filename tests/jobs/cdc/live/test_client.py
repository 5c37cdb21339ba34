"""What PyMySQL raises, as errors of ours; without secrets."""

from __future__ import annotations

import json
import ssl

import pymysql
import pytest

from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized, TransientError
from kafka_ferry.hooks.database import tls
from kafka_ferry.jobs.cdc.debezium_config import Check
from kafka_ferry.jobs.cdc.live.client import DatabaseHook


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> DatabaseHook:
    fields = {"conn_type": "mysql", "host": "127.0.0.1", "port": 1, "login": "a", "password": "hush"}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(fields))
    return DatabaseHook("shop")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pymysql.err.OperationalError(1045, "Access denied for user 'a'"), BadConnection),
        (pymysql.err.OperationalError(1044, "Access denied to database"), BadConnection),
        (pymysql.err.OperationalError(1227, "you need RELOAD"), NotAuthorized),
        (pymysql.err.OperationalError(2013, "Lost connection"), TransientError),
        (pymysql.err.InterfaceError(0, ""), TransientError),
        (pymysql.err.ProgrammingError(1146, "no such table"), FerryError),
    ],
)
def test_faults_are_told_apart(hook: DatabaseHook, error: Exception, kind: type[FerryError]) -> None:
    with pytest.raises(kind) as raised, hook.faults():
        raise error
    assert type(raised.value) is kind
    assert "hush" not in str(raised.value)


def test_a_refused_login_names_the_cure(hook: DatabaseHook) -> None:
    with pytest.raises(BadConnection, match=r"'shop' was refused: no way\. Fix: a login and password"), hook.faults():
        raise pymysql.err.OperationalError(1045, "no way")


def test_a_server_that_is_away_is_worth_another_try(hook: DatabaseHook) -> None:
    with pytest.raises(TransientError, match="'shop'") as raised:
        hook.databases()
    assert "hush" not in str(raised.value)


def test_a_connection_that_is_missing_or_empty_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadConnection, match="'none' does not exist"):
        _ = DatabaseHook("none").login
    monkeypatch.setenv("AIRFLOW_CONN_EMPTY", json.dumps({"conn_type": "mysql", "host": "h"}))
    with pytest.raises(BadConnection, match="has no host or no login"):
        _ = DatabaseHook("empty").login


@pytest.mark.parametrize(
    ("param", "extra", "on"),
    [
        (None, {}, None), (True, {}, True), (False, {}, False), (None, {"tls": True}, True),
        (None, {"tls": "false"}, False),
        (None, {"ssl_verify_identity": False}, None), (True, {"tls": False}, True), (None, {"tls": ""}, None),
    ],
)  # fmt: skip
def test_param_and_connection_say_together_whether_there_is_tls(
    monkeypatch: pytest.MonkeyPatch, param: bool | None, extra: dict[str, object], on: bool | None
) -> None:
    fields = {"conn_type": "mysql", "host": "127.0.0.1", "port": 1, "login": "a", "password": "hush", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(fields))
    hook = DatabaseHook("shop", param)
    assert hook.tls is on
    context = hook.login.get("ssl")
    assert (context is not None) == (on is True)
    if context:
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("extra", "check"),
    [
        ({"tls": True}, Check.NAME),  # what the system trusts here, a worker's JVM should
        ({"tls": True, "ssl_ca": "CA"}, Check.NOTHING),  # a file that the worker has not
        ({"tls": True, "ssl_ca": "CA", "worker_truststore": "/t.p12"}, Check.NAME),
        ({"tls": True, "ssl_ca": "CA", "worker_truststore": "/t.p12", "ssl_verify_identity": "false"}, Check.AUTHORITY),
        ({"worker_truststore": "/t.p12"}, Check.NOTHING),  # no TLS asked for
    ],
)
def test_what_a_connector_asks_of_the_server_is_what_its_worker_can(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, object], check: Check
) -> None:
    monkeypatch.setattr(tls, "_trusting", lambda *_: ssl.create_default_context())
    fields = {"conn_type": "mysql", "host": "127.0.0.1", "port": 1, "login": "a", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(fields))
    found = DatabaseHook("shop").worker_tls
    assert (found.asked, found.check) == (extra.get("tls"), check)
    assert found.stores == ({"truststore": "/t.p12"} if "worker_truststore" in extra else {})


def test_a_certificate_that_the_server_refuses_is_no_server_that_is_away(hook: DatabaseHook) -> None:
    alert = ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca")
    alert.reason = "TLSV1_ALERT_UNKNOWN_CA"
    words = r"refused the client certificate: tlsv1 alert unknown ca\. Fix: ssl_cert"
    with pytest.raises(BadConnection, match=words), hook.faults():
        raise pymysql.err.OperationalError(2013, "Lost connection") from alert
