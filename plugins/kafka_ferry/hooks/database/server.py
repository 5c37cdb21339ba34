"""A MySQL or MariaDB server, reached through an Airflow connection of type ``mysql``: login, TLS, settings, rights."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.database.tls import Listening, tls_options

with brought_by("cdc"):
    import pymysql
    from pymysql.constants import CR, ER

_DENIED = (ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR)
_NOT_ALLOWED = (ER.SPECIFIC_ACCESS_DENIED_ERROR, ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR)
_AWAY = (CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, ER.SERVER_SHUTDOWN, ER.CON_COUNT_ERROR)
_ALERT = re.compile(r"ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)")


class DatabaseServer(BaseHook):
    """Opens connections, and reads what a server says of itself.

    :param conn_id: host, port, login and password; extra: see ``hooks.database.tls``.
    :param tls: whether to use TLS; None: as the connection says.

    Raises from every method: ``BadConnection`` when the login is refused, ``NotAuthorized``, ``TransientError`` when
    the server does not answer, ``FerryError`` when it says no.

    :cvar timeout: seconds to connect. ``silence``: that a statement may take.
    """

    conn_type = "mysql"
    timeout: float = 30
    silence: float = 600

    def __init__(self, conn_id: str, tls: bool | None = None) -> None:
        super().__init__()
        self.conn_id, self._tls = conn_id, tls

    @cached_property
    def login(self) -> dict[str, Any]:
        """``host``, ``port``, ``user``, ``password`` and what TLS needs, for PyMySQL and the reader of the binary log.

        The password is masked in the log from here on.

        :raises BadConnection: there is no such connection, or it has no host or login.
        """
        try:
            found = self.get_connection(self.conn_id)
        except AirflowNotFoundException as error:
            raise BadConnection(
                f"connection {self.conn_id!r} does not exist. Fix: create it with type mysql, host, port, login and "
                "password of the server's writer"
            ) from error
        if not found.host or not found.login:
            raise BadConnection(
                f"connection {self.conn_id!r} has no host or no login. Fix: those of the writer instance"
            )
        if found.password:
            mask_secret(found.password)
        extra = dict(found.extra_dejson)
        for key in ("ssl_key_password", "worker_truststore_password", "worker_keystore_password"):
            if extra.get(key):
                mask_secret(extra[key])
        return {
            "host": found.host,
            "port": found.port or 3306,
            "user": found.login,
            "password": found.password or "",
            **tls_options(self.conn_id, extra, self._tls),
        }

    @property
    def tls(self) -> bool | None:
        """Whether TLS is asked for (True) or refused (False), by connection or param; None: neither says."""
        login = self.login
        return True if "ssl" in login else (False if "ssl_disabled" in login else None)

    @property
    def certificate(self) -> bool:
        """Whether the connection has a client certificate."""
        return bool(self.get_connection(self.conn_id).extra_dejson.get("ssl_cert"))

    @contextmanager
    def connect(self, **options: Any) -> Iterator[pymysql.connections.Connection[Any]]:
        """A connection whose times are UTC."""
        with self.faults():
            opened = self._opened(options)
            try:
                yield opened
            finally:
                opened.close()

    def _opened(self, options: Mapping[str, Any]) -> pymysql.connections.Connection[Any]:
        more = {
            "charset": "utf8mb4",
            "autocommit": True,
            "connect_timeout": self.timeout,
            "read_timeout": self.silence,
            "init_command": "SET time_zone = '+00:00'",
            **options,
        }
        try:
            return pymysql.connect(**self.login, **more)
        except pymysql.err.OperationalError as error:
            if not self.certificate or error.args[0] not in _AWAY or _refused_certificate(error):
                raise
        context = self.login["ssl"]
        context.sslsocket_class = Listening
        try:
            return pymysql.connect(**self.login, **more)
        finally:
            context.sslsocket_class = ssl.SSLSocket

    @contextmanager
    def faults(self) -> Iterator[None]:
        """What PyMySQL raises, as errors of ours."""
        try:
            yield
        except pymysql.MySQLError as error:
            code, text = (error.args[0] if error.args else 0), str(error.args[-1] if error.args else error)
            name = f"connection {self.conn_id!r}"
            if code in _DENIED:
                fix = "a login and password that the server accepts from this host, and GRANT the rights the user needs"
                raise BadConnection(f"{name} was refused: {text}. Fix: {fix}") from error
            if code in _NOT_ALLOWED:
                raise NotAuthorized(f"{name}: {text}") from error
            if refused := _certificate_problem(error):
                fix = (
                    "ssl_ca of the authority that signed the server's certificate, and the host name that is "
                    "in the certificate"
                )
                raise BadConnection(
                    f"{name}: the server's identity could not be verified: {refused}. Fix: {fix}"
                ) from error
            if alert := _refused_certificate(error):
                fix = "ssl_cert and ssl_key signed by an authority that the server trusts (its ssl-ca), valid today"
                raise BadConnection(
                    f"{name}: the server refused the client certificate: {alert}. Fix: {fix}"
                ) from error
            if code == CR.CR_SSL_CONNECTION_ERROR:
                fix = "a server with TLS and a certificate, or tls false on a trusted network"
                raise BadConnection(f"{name}: no TLS: {text}. Fix: {fix}") from error
            if code in _AWAY or isinstance(error, pymysql.err.InterfaceError):
                raise TransientError(f"{name}: {text}") from error
            raise FerryError(f"{name}: {text}") from error

    def all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement's answer."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            beat()
            return list(cursor.fetchall())

    @cached_property
    def variables(self) -> dict[str, str]:
        """``SHOW GLOBAL VARIABLES``, by name in small letters."""
        return {str(name).lower(): str(value) for name, value in self.all("SHOW GLOBAL VARIABLES")}

    @property
    def is_mariadb(self) -> bool:
        return "mariadb" in self.variables.get("version", "").lower()

    def grants(self) -> list[str]:
        """``SHOW GRANTS`` of the connection's user."""
        return [str(line[0]) for line in self.all("SHOW GRANTS")]

    def databases(self) -> list[str]:
        """Those that the user may see."""
        return sorted(str(line[0]) for line in self.all("SHOW DATABASES"))


def _certificate_problem(error: BaseException) -> str | None:
    """What a handshake was refused for; None: another error."""
    for inner in _chain(error):
        if isinstance(inner, ssl.SSLCertVerificationError):
            return inner.verify_message or str(inner)
    return None


def _refused_certificate(error: BaseException) -> str | None:
    """What the server said of ours; by TLS 1.3 it says so after the handshake, where a connection seems lost."""
    for inner in _chain(error):
        reason = getattr(inner, "reason", None)
        if isinstance(inner, ssl.SSLError) and isinstance(reason, str) and _ALERT.search(reason):
            return reason.lower().replace("_", " ")
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        inner = getattr(inner, "original_exception", None) or inner.__cause__ or inner.__context__
