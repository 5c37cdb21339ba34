"""A place in a binary log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Position:
    """Byte ``pos`` of the ``number``-th file; later is greater.

    Files of one server are numbered without gaps: ``binlog.000007``, Aurora's ``mysql-bin-changelog.000007``. Positions
    of two servers cannot be compared.
    """

    number: int
    pos: int

    @classmethod
    def of(cls, file: str, pos: Any) -> Position:
        """:raises ValueError: the name of the file does not end with a number, or the position is none."""
        return cls(int(file.rpartition(".")[2]), int(pos))

    def __str__(self) -> str:
        return f"file {self.number:06} at {self.pos}"
