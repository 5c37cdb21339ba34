"""A MySQL or MariaDB server, reached through an Airflow connection of type ``mysql``."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.jobs.cdc.debezium_config import Check
from kafka_ferry.jobs.cdc.live.tls import Listening, tls_options, worker_check, worker_stores
from kafka_ferry.jobs.cdc.rules.foreign_keys import cascades_of
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.tables import Column, Table

with brought_by("cdc"):
    import pymysql
    from pymysql.constants import CR, ER
    from pymysql.cursors import SSCursor

_DENIED = (ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR)
_NOT_ALLOWED = (ER.SPECIFIC_ACCESS_DENIED_ERROR, ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR)
_AWAY = (CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, ER.SERVER_SHUTDOWN, ER.CON_COUNT_ERROR)
_ALERT = re.compile(r"ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)")
_TIMEOUT = 30  # seconds to connect
_SILENCE = 600  # seconds that a statement may take


@dataclass(frozen=True)
class WorkerTls:
    """TLS of a connector, as the connection says it.

    :param asked: see :attr:`DatabaseHook.tls`.
    :param stores: as ``jobs.cdc.debezium_config.Capture`` takes them.
    :param certificate: whether the connection has a client certificate.
    """

    asked: bool | None
    check: Check
    stores: Mapping[str, str] = field(repr=False)
    certificate: bool


class DatabaseHook(BaseHook):
    """Reads settings, tables and rows; writes nothing.

    :param conn_id: host, port, login and password; extra: see ``jobs.cdc.live.tls``.
    :param tls: what the param of that name says.

    Raises from every method: ``BadConnection`` when the login is refused, ``NotAuthorized``, ``TransientError`` when
    the server does not answer, ``FerryError`` when it says no.
    """

    conn_type = "mysql"

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
    def worker_tls(self) -> WorkerTls:
        """How a connector of a Connect worker is to reach the server."""
        extra = dict(self.get_connection(self.conn_id).extra_dejson)
        check = worker_check(self.conn_id, extra) if self.tls else Check.NOTHING
        return WorkerTls(self.tls, check, worker_stores(extra), bool(extra.get("ssl_cert")))

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
            "connect_timeout": _TIMEOUT,
            "read_timeout": _SILENCE,
            "init_command": "SET time_zone = '+00:00'",
            **options,
        }
        try:
            return pymysql.connect(**self.login, **more)
        except pymysql.err.OperationalError as error:
            if not self.worker_tls.certificate or error.args[0] not in _AWAY or _refused_certificate(error):
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

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            beat()
            return list(cursor.fetchall())

    @cached_property
    def variables(self) -> dict[str, str]:
        """``SHOW GLOBAL VARIABLES``, by name in small letters."""
        return {str(name).lower(): str(value) for name, value in self._all("SHOW GLOBAL VARIABLES")}

    @property
    def is_mariadb(self) -> bool:
        return "mariadb" in self.variables.get("version", "").lower()

    def grants(self) -> list[str]:
        """``SHOW GRANTS`` of the connection's user."""
        return [str(line[0]) for line in self._all("SHOW GRANTS")]

    def databases(self) -> list[str]:
        """Those that the user may see."""
        return sorted(str(line[0]) for line in self._all("SHOW DATABASES"))

    def server_ids(self) -> dict[int, str]:
        """Server id to who has it: the server, and the replicas that read from it now."""
        taken = {int(self.variables.get("server_id", 0)): "the server itself"}
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in ("SHOW REPLICAS", "SHOW SLAVE HOSTS"):  # MySQL 8.4 forgot the second, MariaDB knows both
                try:
                    cursor.execute(statement)
                except (pymysql.ProgrammingError, pymysql.OperationalError):
                    continue
                taken |= {int(line[0]): f"a replica that is connected ({line[1] or 'no name'})" for line in cursor}
                break
        return taken

    def tables(self, databases: Sequence[str]) -> list[Table]:
        """Tables with rows of their own, with columns and primary keys."""
        if not databases:
            return []
        columns: dict[tuple[str, str], list[Column]] = {}
        keys: dict[tuple[str, str], list[str]] = {}
        for database, table, name, kind, precision, full, charset, default in self._all(
            "SELECT table_schema, table_name, column_name, data_type, datetime_precision, column_type, "
            "character_set_name, column_default FROM information_schema.columns WHERE table_schema IN %s "
            "ORDER BY table_schema, table_name, ordinal_position",
            tuple(databases),
        ):
            full = str(full).lower() if kind not in ("enum", "set") else str(full)
            column = Column(name, str(kind).lower(), int(precision or 0), "unsigned" in full, full, charset or "",
                            default or "")  # fmt: skip
            columns.setdefault((database, table), []).append(column)
        for database, table, name in self._all(
            "SELECT table_schema, table_name, column_name FROM information_schema.statistics "
            "WHERE index_name = 'PRIMARY' AND table_schema IN %s "
            "ORDER BY table_schema, table_name, seq_in_index",
            tuple(databases),
        ):
            keys.setdefault((database, table), []).append(name)
        return [
            Table(database, name, tuple(columns.get((database, name), ())), tuple(keys.get((database, name), ())),
                  int(rows or 0), versioned=kind != "BASE TABLE")
            for database, name, rows, kind in self._all(
                "SELECT table_schema, table_name, table_rows, table_type FROM information_schema.tables "
                "WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema IN %s ORDER BY 1, 2",
                tuple(databases),
            )
        ]  # fmt: skip

    def with_cascades(self, tables: Sequence[Table]) -> list[Table]:
        """The tables with the foreign keys by which the engine changes their rows without the binary log.

        MySQL logs these changes since 9.6, unless it is told to do as before (``innodb_native_foreign_keys``).
        """
        version = [int(part) for part in re.findall(r"\d+", self.variables.get("version", ""))[:2]]
        native = self.variables.get("innodb_native_foreign_keys", "OFF").upper() in ("ON", "1")
        if not tables or (not self.is_mariadb and version >= [9, 6] and not native):
            return list(tables)
        with self.connect() as connection:
            with connection.cursor() as cursor:  # names are printed in backticks then
                cursor.execute("SET SESSION sql_mode = '', sql_quote_show_create = 1")
            return [replace(table, cascades=cascades_of(_definition(connection, table))) for table in tables]

    def odd_columns(self) -> dict[str, str]:
        """``database.table.column`` to type, of the columns of all databases that not every reader of the log knows."""
        return {
            f"{database}.{table}.{name}": str(full)
            for database, table, name, full in self._all(
                "SELECT table_schema, table_name, column_name, column_type FROM information_schema.columns "
                "WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') AND "
                "(data_type IN ('inet4', 'inet6') OR column_type LIKE '% COMPRESSED*/' OR column_type = 'year(2)')"
            )
        }

    def position(self) -> Position:
        """Where the binary log ends now."""
        with self.connect() as connection:
            return _position(connection)

    def log_files(self) -> dict[int, str]:
        """Number to name of the binary log's files that are still there."""
        return {Position.of(line[0], 0).number: str(line[0]) for line in self._all("SHOW BINARY LOGS")}

    @contextmanager
    def snapshot(self, tables: Sequence[Table]) -> Iterator[Snapshot]:
        """The tables' rows as of one position. A lock is held for a moment, on MySQL only.

        On Aurora nobody may take the global lock: there the tables are locked, as Debezium does.
        """
        with self.connect(cursorclass=SSCursor) as connection:
            if self.is_mariadb:
                _begin(connection)
                found = dict(_rows(connection, "SHOW STATUS LIKE 'binlog_snapshot%'"))
                told = {str(name).lower(): value for name, value in found.items()}
                yield Snapshot(
                    connection, Position.of(told["binlog_snapshot_file"], told["binlog_snapshot_position"]), self
                )
                return
            with self.connect() as locker:
                _lock(locker, tables)
                _begin(connection)
                position = _position(connection)
            yield Snapshot(connection, position, self)


class Snapshot:
    """A transaction that sees the rows as of :attr:`position`."""

    def __init__(self, connection: Any, position: Position, hook: DatabaseHook) -> None:
        self._connection, self.position, self._hook = connection, position, hook

    def rows(self, table: Table) -> Iterator[Mapping[str, Any]]:
        """All rows of a table, by column."""
        # FLOAT is printed with six digits, unless it is part of a sum.
        wanted = ", ".join(
            f"{_quoted(one.name)} + 0e0" if one.kind == "float" else _quoted(one.name) for one in table.columns
        )
        names = [one.name for one in table.columns]
        statement = f"SELECT {wanted} FROM {_quoted(table.database)}.{_quoted(table.name)}"  # noqa: S608
        for line in _rows(self._connection, statement):
            yield dict(zip(names, line, strict=True))


def _definition(connection: Any, table: Table) -> str:
    ((_, definition, *_),) = _rows(connection, f"SHOW CREATE TABLE {_quoted(table.database)}.{_quoted(table.name)}")
    return str(definition)


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


def _begin(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")


def _lock(connection: Any, tables: Iterable[Table]) -> None:
    with connection.cursor() as cursor:
        try:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
        except pymysql.MySQLError:
            names = ", ".join(f"{_quoted(one.database)}.{_quoted(one.name)} READ" for one in tables)
            cursor.execute(f"LOCK TABLES {names}")


def _position(connection: Any) -> Position:
    try:
        (line,) = _rows(connection, "SHOW MASTER STATUS")
    except pymysql.ProgrammingError:  # MySQL 8.4 calls it so
        (line,) = _rows(connection, "SHOW BINARY LOG STATUS")
    return Position.of(line[0], line[1])


def _rows(connection: Any, statement: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for row in cursor:
            beat()
            yield row


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
