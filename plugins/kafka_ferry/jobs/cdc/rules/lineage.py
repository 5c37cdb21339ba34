"""Under which names a table's rows were written, by the renames of a stretch of the binary log. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kafka_ferry.jobs.cdc.rules.change import Change
from kafka_ferry.jobs.cdc.rules.position import Position


@dataclass(frozen=True)
class Rename:
    """``database.table`` of before and after."""

    position: Position
    old: str
    new: str


@dataclass(frozen=True)
class Segment:
    """A table was called so from one statement to another; None: from the beginning, to the end."""

    name: str
    begin: Position | None = None
    end: Position | None = None

    def of(self, changes: Sequence[Change]) -> list[Change]:
        """Those of this time."""
        return [
            one
            for one in changes
            if (self.begin is None or one.position > self.begin) and (self.end is None or one.position < self.end)
        ]


def lineage(renames: Sequence[Rename], name: str) -> list[Segment]:
    """The names of a table that is called ``name`` in the end, the first one first.

    :param renames: in the log's order, with those of one statement as it says them.
    """
    segments: list[Segment] = []
    end: Position | None = None
    for one in reversed(renames):
        if one.new == name:
            segments.append(Segment(name, one.position, end))
            name, end = one.old, one.position
    return [Segment(name, None, end), *reversed(segments)]
