"""Which ids of schemas the keys and values of records have, in their first bytes or in headers. Pure.

They are taken while a partition is read for its fingerprint. What looks so may be no id: the first bytes of a number,
say. Who judges asks a registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from kafka_ferry.core.partition import Partition
from kafka_ferry.records.schema_id_forms import FORMS, OF_PAYLOAD, PARTS, Form, Found, id_of

#: Ids of one part of a partition that are told apart, and so many in headers. A topic has some; what is no id may be
#: anything.
MOST: Final = 1000
#: Stands for all ids beyond those.
OTHERS: Final = -1


@dataclass(frozen=True)
class SchemaIdUse:
    """One id in one part of a partition's records.

    :param id: ``OTHERS``: those beyond ``MOST``; 0 where the form has none. ``offset``: of the first record with it.
    """

    part: str
    id: int | str
    records: int
    partition: int
    offset: int
    form: Form = Form.ID

    def to_json(self) -> list[Any]:
        return [self.part, self.id, self.records, self.partition, self.offset, self.form.value]

    @classmethod
    def from_json(cls, line: Iterable[Any]) -> SchemaIdUse:
        part, number, records, partition, offset, *form = line
        return cls(part, number, records, partition, offset, Form(form[0]) if form else Form.ID)


class SchemaIds:
    """Those of all partitions that a reader reads; each record counts once, however often it is read."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._next: dict[Partition, int] = {}
        #: Of the payloads and of the headers by themselves: numbers that look like ids leave room for those in headers.
        self._found: dict[tuple[Partition, int, bool], dict[tuple[Form, int | str], list[int]]] = {}

    def take(self, where: Partition, offsets: Any, keys: Found, values: Found) -> None:
        """A run of records of a partition, in offset order."""
        begin = int(np.searchsorted(offsets, self._next.get(where, 0)))
        if begin == len(offsets):
            return
        self._next[where] = int(offsets[-1]) + 1
        for part, found in enumerate((keys, values)):
            for number in np.unique(found.forms[begin:]).tolist():
                form = FORMS[number]
                if form is not None:
                    there = begin + np.flatnonzero(found.forms[begin:] == number)
                    self._count(where, part, form, offsets[there], found.part(there))

    def _count(self, where: Partition, part: int, form: Form, offsets: Any, found: Found) -> None:
        known = self._found.setdefault((where, part, form in OF_PAYLOAD), {})
        # In the order of the records: which ids are told apart must not hang on where a reader cuts its runs.
        for row, count in sorted(zip(*(column.tolist() for column in _distinct(found)), strict=True)):
            number = id_of(form, int(found.high[row]), int(found.low[row]))
            key = form, number if (form, number) in known or len(known) < self._most else OTHERS
            known.setdefault(key, [0, int(offsets[row])])[0] += count

    def of(self, topic: str, partition: int | None = None) -> tuple[SchemaIdUse, ...]:
        """Of one partition, or of all of a topic."""
        return tuple(
            SchemaIdUse(PARTS[part], number, records, where[1], first, form)
            for (where, part, _), known in sorted(self._found.items(), key=lambda item: item[0])
            if where[0] == topic and partition in (None, where[1])
            for (form, number), (records, first) in sorted(known.items(), key=_in_order)
        )


def _in_order(item: tuple[tuple[Form, int | str], list[int]]) -> tuple[str, bool, int | str]:
    (form, number), _ = item
    return form, isinstance(number, str), number


def _distinct(found: Found) -> tuple[Any, Any]:
    """(row of the first of each id, how many have it), of one form."""
    _, firsts, rows, counts = np.unique(found.low, return_index=True, return_inverse=True, return_counts=True)
    if np.array_equal(found.high[firsts][rows], found.high):
        return firsts, counts
    # Some differ in the upper half alone; to sort pairs takes ten times as long.
    _, firsts, counts = np.unique(np.stack((found.high, found.low), 1), axis=0, return_index=True, return_counts=True)
    return firsts, counts


def counted(uses: Mapping[str, Iterable[SchemaIdUse]]) -> list[tuple[str, SchemaIdUse]]:
    """Topic and use, added up over its partitions, the most used id of a topic's keys or values first; the place is the
    first of the lowest partition. Of each as many as are told apart in a partition; all others are ``OTHERS``."""
    sums: dict[tuple[str, str, Form, int | str], SchemaIdUse] = {}
    for topic, every in uses.items():
        for one in every:
            key = topic, one.part, one.form, one.id
            before = sums.get(key)
            if before is None:
                sums[key] = one
                continue
            first = min(before, one, key=lambda use: (use.partition, use.offset))
            sums[key] = replace(first, records=before.records + one.records)
    parts: dict[tuple[str, str, Form], list[SchemaIdUse]] = {}
    for (topic, part, form, _), use in sums.items():
        parts.setdefault((topic, part, form), []).append(use)
    return [(topic, use) for (topic, _, _), every in sorted(parts.items()) for use in _most_used(every)]


def _most_used(every: list[SchemaIdUse]) -> list[SchemaIdUse]:
    every.sort(key=lambda use: (use.id == OTHERS, -use.records, use.id))
    kept, rest = every[:MOST], every[MOST:]
    if not rest:
        return kept
    first = min(rest, key=lambda use: (use.partition, use.offset))
    return [*kept, replace(first, id=OTHERS, records=sum(use.records for use in rest))]
