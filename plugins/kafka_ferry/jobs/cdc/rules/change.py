"""Changes as short digests, the same from the binary log and from the topic, so that a million of them can be held."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka_ferry.jobs.cdc.rules.events import Event, Op
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.tables import Table
from kafka_ferry.jobs.cdc.rules.values import DATES, digest, row
from kafka_ferry.jobs.cdc.rules.versions import Version, as_of

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
    before: bytes | None = None
    after: bytes | None = None
    was: bytes | None = None
    state: bytes | None = None
    partition: int = -1
    offset: int = -1

    @property
    def identity(self) -> Identity:
        return self.position, self.row, self.op


@dataclass
class Digester:
    """Makes changes of rows.

    :param known: columns that the table had at the snapshot; None: all that it has.
    :param versions: columns as they were, by which an event is read; the last one is not older than its position.
    :param odd: how many values of the database are on no calendar, by column; counted here.
    """

    table: Table
    known: frozenset[str] | None = None
    odd: dict[str, int] = field(default_factory=dict)
    versions: Sequence[Version] = ()

    def __post_init__(self) -> None:
        self.columns = self.table.compared
        by_name = {column.name: column for column in self.table.columns}
        self._key = [by_name[name] for name in self.table.key]
        self._dates = [column.name for column in self.columns if column.kind in DATES]

    @property
    def narrowed(self) -> list[str]:
        """Columns that are compared in changes only."""
        return [] if self.known is None else [one.name for one in self.columns if one.name not in self.known]

    def row(self, values: Mapping[str, Any]) -> tuple[str, bytes]:
        """Key of a row of the table as it stands, and its digest over the columns of :attr:`known`."""
        said = self._true(row(self.columns, values, event=False))
        return self._said_key(said), digest(self.columns, self._known(said))

    def _true(self, said: dict[str, Any]) -> dict[str, Any]:
        for name in self._dates:
            if isinstance(said.get(name), str):
                self.odd[name] = self.odd.get(name, 0) + 1
        return said

    def _known(self, values: dict[str, Any]) -> dict[str, Any]:
        if self.known is None:
            return values
        return {name: value for name, value in values.items() if name in self.known}

    def _digests(self, said: dict[str, Any] | None) -> tuple[bytes | None, bytes | None]:
        if said is None:
            return None, None
        full, known = digest(self.columns, said), self._known(said)
        return full, full if len(known) == len(said) else digest(self.columns, known)

    def of_event(self, event: Event, partition: int, offset: int) -> Change:
        """From an event in the topic."""
        then = as_of(self.versions, event.position)
        columns, keys = ([then.get(one.name, one) for one in some] for some in (self.columns, self._key))
        old, new = (
            None if values is None else row(columns, values, event=True) for values in (event.before, event.after)
        )
        before, was = self._digests(old)
        after, state = self._digests(new)
        key = _json(row(keys, event.key, event=True)) if event.key else ""
        return Change(event.op, event.position, event.row, key, before, after, was, state, partition, offset)

    def of_log(
        self, position: Position, number: int, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> list[Change]:
        """From a row of the binary log, in comparable values (:mod:`kafka_ferry.jobs.cdc.rules.row_image`).

        An update of the key is a delete and a create, as Debezium tells it.
        """
        full_before, was = self._digests(self._of_log(before))
        full_after, state = self._digests(self._of_log(after))
        if before is None or after is None:
            values, op = (after, Op.CREATE) if before is None else (before, Op.DELETE)
            key = self._said_key(values or {})
            return [Change(op, position, number, key, full_before, full_after, was, state)]
        old, new = self._said_key(before), self._said_key(after)
        if old == new:
            return [Change(Op.UPDATE, position, number, new, full_before, full_after, was, state)]
        return [
            Change(Op.DELETE, position, number, old, full_before, None, was, None),
            Change(Op.CREATE, position, number, new, None, full_after, None, state),
        ]

    def _of_log(self, values: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if values is None:
            return None
        return self._true({column.name: values[column.name] for column in self.columns if column.name in values})

    def _said_key(self, values: Mapping[str, Any]) -> str:
        return _json({column.name: values[column.name] for column in self._key if column.name in values})


def _json(key: Mapping[str, Any]) -> str:
    return json.dumps(list(key.items()), ensure_ascii=False)
