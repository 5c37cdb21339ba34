"""Changes as short digests, the same from the binary log and from the topic, so that a million of them can be held."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka_ferry.database.events import Event, Op
from kafka_ferry.database.position import Position
from kafka_ferry.database.tables import Table
from kafka_ferry.database.values import digest, row

Identity = tuple[Position, int, Op]
"""Which change it is: place of the row event in the binary log, number of the row in it, what was done."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row.

    :param key: the row's primary key as JSON. ``before``, ``after``: digests of the row; None where there is none.
    :param was, state: the same over the columns that the table had at the snapshot and still has.
    :param partition, offset: in the topic.
    """

    op: Op
    position: Position
    row: int
    key: str
    before: int | None = None
    after: int | None = None
    was: int | None = None
    state: int | None = None
    partition: int = -1
    offset: int = -1

    @property
    def identity(self) -> Identity:
        return self.position, self.row, self.op


@dataclass
class Digester:
    """Makes changes of rows.

    :param known: columns that the table had at the snapshot; None: all that it has.
    """

    table: Table
    known: frozenset[str] | None = None
    _columns: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._columns = {column.name: column for column in self.table.columns}

    def key(self, values: Mapping[str, Any], *, event: bool = False) -> str:
        """The key of a row, as JSON."""
        columns = [self._columns[name] for name in self.table.key]
        return json.dumps(list(row(columns, values, event=event).items()), ensure_ascii=False)

    def state(self, values: Mapping[str, Any]) -> int:
        """Digest of a row of the table as it stands, over the columns of :attr:`known`."""
        return digest(self._known(row(self.table.columns, values, event=False)))

    def _known(self, values: dict[str, Any]) -> dict[str, Any]:
        if self.known is None:
            return values
        return {name: value for name, value in values.items() if name in self.known}

    def _digests(self, values: Mapping[str, Any] | None, *, event: bool) -> tuple[int | None, int | None]:
        if values is None:
            return None, None
        said = row(self.table.columns, values, event=event)
        full, known = digest(said), self._known(said)
        return full, full if len(known) == len(said) else digest(known)

    def of_event(self, event: Event, partition: int, offset: int) -> Change:
        """From an event in the topic."""
        before, was = self._digests(event.before, event=True)
        after, state = self._digests(event.after, event=True)
        key = self.key(event.key, event=True) if event.key else ""
        return Change(event.op, event.position, event.row, key, before, after, was, state, partition, offset)

    def of_log(
        self, position: Position, number: int, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> list[Change]:
        """From a row of the binary log. An update of the key is a delete and a create, as Debezium tells it."""
        full_before, was = self._digests(before, event=False)
        full_after, state = self._digests(after, event=False)
        if before is None or after is None:
            values, op = (after, Op.CREATE) if before is None else (before, Op.DELETE)
            key = self.key(values or {})
            return [Change(op, position, number, key, full_before, full_after, was, state)]
        old, new = self.key(before), self.key(after)
        if old == new:
            return [Change(Op.UPDATE, position, number, new, full_before, full_after, was, state)]
        return [
            Change(Op.DELETE, position, number, old, full_before, None, was, None),
            Change(Op.CREATE, position, number, new, None, full_after, None, state),
        ]
