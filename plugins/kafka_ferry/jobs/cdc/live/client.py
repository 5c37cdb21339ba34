"""What a stream of changes reads of a MySQL or MariaDB server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.database.server import DatabaseServer
from kafka_ferry.jobs.cdc.debezium_config import Check
from kafka_ferry.jobs.cdc.live.tls import worker_check, worker_stores
from kafka_ferry.jobs.cdc.rules.foreign_keys import cascades_of
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.tables import Column, Table

with brought_by("cdc"):
    import pymysql
    from pymysql.cursors import SSCursor


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


class DatabaseHook(DatabaseServer):
    """Reads settings, tables and rows; writes nothing. Raises what ``DatabaseServer`` raises.

    :param conn_id: see ``DatabaseServer``; extra: see ``jobs.cdc.live.tls`` too.
    :param tls: what the param of that name says.
    """

    @property
    def worker_tls(self) -> WorkerTls:
        """How a connector of a Connect worker is to reach the server."""
        extra = dict(self.get_connection(self.conn_id).extra_dejson)
        check = worker_check(self.conn_id, extra) if self.tls else Check.NOTHING
        return WorkerTls(self.tls, check, worker_stores(extra), self.certificate)

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
        for database, table, name, kind, precision, full, charset, default in self.all(
            "SELECT table_schema, table_name, column_name, data_type, datetime_precision, column_type, "
            "character_set_name, column_default FROM information_schema.columns WHERE table_schema IN %s "
            "ORDER BY table_schema, table_name, ordinal_position",
            tuple(databases),
        ):
            full = str(full).lower() if kind not in ("enum", "set") else str(full)
            column = Column(name, str(kind).lower(), int(precision or 0), "unsigned" in full, full, charset or "",
                            default or "")  # fmt: skip
            columns.setdefault((database, table), []).append(column)
        for database, table, name in self.all(
            "SELECT table_schema, table_name, column_name FROM information_schema.statistics "
            "WHERE index_name = 'PRIMARY' AND table_schema IN %s "
            "ORDER BY table_schema, table_name, seq_in_index",
            tuple(databases),
        ):
            keys.setdefault((database, table), []).append(name)
        return [
            Table(database, name, tuple(columns.get((database, name), ())), tuple(keys.get((database, name), ())),
                  int(rows or 0), versioned=kind != "BASE TABLE")
            for database, name, rows, kind in self.all(
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
            for database, table, name, full in self.all(
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
        return {Position.of(line[0], 0).number: str(line[0]) for line in self.all("SHOW BINARY LOGS")}

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
