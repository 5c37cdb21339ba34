"""What Debezium writes into a topic, typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.versions import Columns, columns_of_change


class Op(StrEnum):
    """``op`` of an event."""

    READ = "r"
    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    TRUNCATE = "t"


class NotAnEvent(ValueError):
    """A record that Debezium, as we set it up, does not write."""


@dataclass(frozen=True)
class Event:
    """One change, or one row of the snapshot.

    :param position: of the row event in the binary log; of a snapshot's row where the snapshot stands.
    :param row: its number in the row event, from 0.
    :param key: by column; empty of a TRUNCATE.
    """

    op: Op
    position: Position
    row: int
    table: str
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True)
class SchemaEvent:
    """One statement in the topic of schema changes.

    :param snapshot: it was told by a snapshot, not read from the binary log.
    :param columns: by ``database.table``, as they are behind it.
    """

    position: Position
    database: str
    ddl: str
    tables: tuple[str, ...]
    snapshot: bool
    columns: Mapping[str, Columns] = field(default_factory=dict)


def parse_event(key: bytes | None, value: bytes | None) -> Event | None:
    """An event; None for the tombstone that follows a DELETE.

    :raises NotAnEvent: another record.
    """
    if value is None:
        return None
    try:
        body, told = json.loads(value), json.loads(key) if key is not None else {}
        source = body["source"]
        return Event(
            op=Op(body["op"]),
            position=Position.of(source["file"], source["pos"]),
            row=int(source["row"]),
            table=f"{source['db']}.{source['table']}",
            key=dict(told),
            before=body.get("before"),
            after=body.get("after"),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NotAnEvent(f"{type(error).__name__}: {error}") from error


def parse_schema_event(value: bytes | None) -> SchemaEvent:
    """:raises NotAnEvent: another record."""
    try:
        body = json.loads(value or b"")
        source = body["source"]
        columns = dict(columns_of_change(change) for change in body.get("tableChanges") or ())
        return SchemaEvent(
            position=Position.of(source["file"], source["pos"]),
            database=str(body.get("databaseName") or ""),
            ddl=str(body["ddl"] or ""),
            tables=tuple(columns),
            snapshot=str(source.get("snapshot", "false")) not in ("false", "None"),
            columns={name: told for name, told in columns.items() if told},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAnEvent(f"{type(error).__name__}: {error}") from error
