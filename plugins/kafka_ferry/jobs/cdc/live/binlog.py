"""The binary log read beside Debezium, by another reader: what the topics should tell."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import FerryError
from kafka_ferry.extras import brought_by
from kafka_ferry.jobs.cdc.live.charsets import Charsets
from kafka_ferry.jobs.cdc.live.client import DatabaseHook
from kafka_ferry.jobs.cdc.rules.change import Change, Digester
from kafka_ferry.jobs.cdc.rules.judge import Statement
from kafka_ferry.jobs.cdc.rules.lineage import Rename
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.row_image import LogColumn, columns_of, count_rows, rows_of
from kafka_ferry.jobs.cdc.rules.statements import is_recreation, is_truncate, is_unlogged, renames_of, tables_of

with brought_by("cdc"):
    from pymysqlreplication import BinLogStreamReader
    from pymysqlreplication.event import QueryEvent
    from pymysqlreplication.row_event import DeleteRowsEvent, TableMapEvent, UpdateRowsEvent, WriteRowsEvent

_HEADER = 20  # bytes before an event's body, with the one that says it is no error


@dataclass
class LogContent:
    """What a stretch of the binary log says of some tables, in its order.

    :param changes: by ``database.table``. ``renames``: of all tables.
    :param emptied: tables whose rows went without a row event, and how.
    :param recreated: where a table was dropped or made the last time.
    """

    changes: dict[str, list[Change]] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    renames: list[Rename] = field(default_factory=list)
    emptied: dict[str, str] = field(default_factory=dict)
    recreated: dict[str, Position] = field(default_factory=dict)


@dataclass(frozen=True)
class LastChange:
    """``row``: number of the last row in the row event."""

    table: str
    position: Position
    row: int


class LogGone(FerryError):
    """The server has deleted what was to be read."""


def read_log(hook: DatabaseHook, begin: Position, end: Position, digesters: Mapping[str, Digester]) -> LogContent:
    """What stands from ``begin`` up to ``end``.

    :param digesters: by ``database.table``.
    :raises LogGone: the server has deleted the file of ``begin``.
    """
    content = LogContent({name: [] for name in digesters})
    columns: dict[int, list[LogColumn]] = {}
    with Charsets(hook) as charsets:
        for event, at in _events(hook, begin, end):
            if isinstance(event, QueryEvent):
                _statement(content, event, at, digesters)
                continue
            name = f"{event.schema}.{event.table}"
            if not (digester := digesters.get(name)):
                continue
            if isinstance(event, TableMapEvent):
                columns[event.table_id] = columns_of(_body(event), mariadb=hook.is_mariadb)
            else:
                content.changes[name] += _take(event, columns[event.table_id], at, digester, charsets)
    return content


def last_change(hook: DatabaseHook, begin: Position, end: Position, tables: Collection[str]) -> LastChange | None:
    """The last row event about one of the tables, ``database.table``; None: there is none.

    :raises LogGone: as :func:`read_log`.
    """
    last, columns = None, dict[int, list[LogColumn]]()
    for event, at in _events(hook, begin, end):
        if isinstance(event, QueryEvent) or (name := f"{event.schema}.{event.table}") not in tables:
            continue
        if isinstance(event, TableMapEvent):
            columns[event.table_id] = columns_of(_body(event), mariadb=hook.is_mariadb)
        else:
            last = LastChange(name, at, count_rows(*_raw(event, columns[event.table_id])) - 1)
    return last


def _events(hook: DatabaseHook, begin: Position, end: Position) -> Iterator[tuple[Any, Position]]:
    if begin >= end:
        return
    files = hook.log_files()
    if begin.number not in files:
        raise LogGone(f"the server has deleted its binary log up to file {min(files):06}; {begin} is needed")
    stream: Any = BinLogStreamReader(
        connection_settings={**hook.login, "charset": "utf8mb4"},
        # A replica's id must be its own: another reader with the same one would be thrown out.
        server_id=random.randrange(2**31, 2**32 - 1),  # noqa: S311
        log_file=files[begin.number],
        log_pos=begin.pos,
        resume_stream=True,
        blocking=False,
        enable_logging=False,
        only_events=[TableMapEvent, WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent, QueryEvent],
    )
    with hook.faults():
        try:
            for event in stream:
                beat()
                at = Position.of(stream.log_file, event.packet.log_pos - event.packet.event_size)
                if at >= end:
                    return
                yield event, at
        finally:
            stream.close()


def _body(event: Any) -> bytes:
    data: bytes = event.packet.packet.get_all_data()
    return data[_HEADER : _HEADER + event.event_size]


def _raw(event: Any, columns: Sequence[LogColumn]) -> tuple[bytes, Sequence[LogColumn], list[bytes]]:
    images = [event.columns_present_bitmap]
    if isinstance(event, UpdateRowsEvent):
        images.append(event.columns_present_bitmap2)
    return event.packet.read(event.event_size - event.packet.read_bytes), columns, images


def _take(
    event: Any, columns: Sequence[LogColumn], at: Position, digester: Digester, charsets: Charsets
) -> Iterator[Change]:
    for number, found in enumerate(rows_of(*_raw(event, columns), charsets.text)):
        before = None if isinstance(event, WriteRowsEvent) else found[0]
        after = None if isinstance(event, DeleteRowsEvent) else found[-1]
        yield from digester.of_log(at, number, before, after)


def _statement(content: LogContent, event: Any, at: Position, digesters: Mapping[str, Digester]) -> None:
    ddl, database = _text(event.query), _text(event.schema)
    content.renames += [Rename(at, old, new) for old, new in renames_of(ddl, database)]
    named = [name for name in tables_of(ddl, database) if name in digesters]
    if not named:
        return
    content.statements.append(Statement(at, database, ddl))
    if is_truncate(ddl):
        content.emptied.update(dict.fromkeys(named, "it was truncated since the snapshot"))
    elif is_unlogged(ddl):
        said = f"rows were added or removed without a row event since the snapshot, by {ddl[:200]}"
        content.emptied.update(dict.fromkeys(named, said))
    elif is_recreation(ddl):
        content.recreated.update(dict.fromkeys(named, at))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
