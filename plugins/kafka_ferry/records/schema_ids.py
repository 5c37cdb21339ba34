"""Which ids of a schema registry the keys and values of records begin with: a zero byte, four bytes of the id. Pure.

They are taken while a partition is read for its fingerprint. What looks so may be no id: the first bytes of a number,
say. Who judges asks a registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from kafka_ferry.core.partition import Partition

#: In the order of a record.
PARTS: Final = ("key", "value")
#: Ids of one part of a partition that are told apart. A topic has some; what is no id may be anything.
MOST: Final = 1000
#: Stands for all ids beyond those.
OTHERS: Final = -1
_HEAD: Final = 5


@dataclass(frozen=True)
class SchemaIdUse:
    """One id in one part of a partition's records.

    :param id: ``OTHERS``: those beyond ``MOST``. ``offset``: of the first record with it.
    """

    part: str
    id: int
    records: int
    partition: int
    offset: int

    def to_json(self) -> list[Any]:
        return [self.part, self.id, self.records, self.partition, self.offset]

    @classmethod
    def from_json(cls, line: Iterable[Any]) -> SchemaIdUse:
        return cls(*line)


def schema_ids_of(values: Iterable[bytes | None]) -> Any:
    """The id that each begins with, int64; ``OTHERS`` where there is none."""
    return np.array(
        [int.from_bytes(one[1:_HEAD]) if one and one[0] == 0 and len(one) >= _HEAD else OTHERS for one in values],
        np.int64,
    )


class SchemaIds:
    """Those of all partitions that a reader reads; each record counts once, however often it is read."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._next: dict[Partition, int] = {}
        self._found: dict[tuple[Partition, int], dict[int, list[int]]] = {}

    def take(self, where: Partition, offsets: Any, keys: Any, values: Any) -> None:
        """A run of records of a partition, in offset order.

        :param keys, values: what :func:`schema_ids_of` says of them.
        """
        begin = int(np.searchsorted(offsets, self._next.get(where, 0)))
        if begin == len(offsets):
            return
        self._next[where] = int(offsets[-1]) + 1
        for part, ids in enumerate((keys[begin:], values[begin:])):
            there = np.flatnonzero(ids != OTHERS)
            if len(there):
                self._count(where, part, offsets[begin:][there], ids[there])

    def _count(self, where: Partition, part: int, offsets: Any, ids: Any) -> None:
        known = self._found.setdefault((where, part), {})
        found, firsts, counts = np.unique(ids, return_index=True, return_counts=True)
        for number, first, count in zip(found.tolist(), offsets[firsts].tolist(), counts.tolist(), strict=True):
            key = number if number in known or len(known) < self._most else OTHERS
            known.setdefault(key, [0, first])[0] += count

    def of(self, topic: str, partition: int | None = None) -> tuple[SchemaIdUse, ...]:
        """Of one partition, or of all of a topic."""
        return tuple(
            SchemaIdUse(PARTS[part], number, records, where[1], first)
            for (where, part), known in sorted(self._found.items())
            if where[0] == topic and partition in (None, where[1])
            for number, (records, first) in sorted(known.items())
        )


def counted(uses: Mapping[str, Iterable[SchemaIdUse]]) -> list[tuple[str, SchemaIdUse]]:
    """Topic and use, added up over its partitions, the most used id of a topic's keys or values first; the place is the
    first of the lowest partition. Of each as many as are told apart in a partition; all others are ``OTHERS``."""
    sums: dict[tuple[str, str, int], SchemaIdUse] = {}
    for topic, every in uses.items():
        for one in every:
            before = sums.get((topic, one.part, one.id))
            if before is None:
                sums[topic, one.part, one.id] = one
                continue
            first = min(before, one, key=lambda use: (use.partition, use.offset))
            sums[topic, one.part, one.id] = replace(first, records=before.records + one.records)
    parts: dict[tuple[str, str], list[SchemaIdUse]] = {}
    for (topic, part, _), use in sums.items():
        parts.setdefault((topic, part), []).append(use)
    return [(topic, use) for (topic, _), every in sorted(parts.items()) for use in _most_used(every)]


def _most_used(every: list[SchemaIdUse]) -> list[SchemaIdUse]:
    every.sort(key=lambda use: (use.id == OTHERS, -use.records, use.id))
    kept, rest = every[:MOST], every[MOST:]
    if not rest:
        return kept
    first = min(rest, key=lambda use: (use.partition, use.offset))
    return [*kept, replace(first, id=OTHERS, records=sum(use.records for use in rest))]
