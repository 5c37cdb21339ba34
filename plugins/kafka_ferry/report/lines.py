"""The long tables of a report as lines of a file: their order, where they stand, which of them are asked for. Pure.

A file has the lines that are not ``pass`` first, so that these are its beginning. Each is a JSON list of the values in
the order of the model's fields. Nothing here holds more lines than a page shows, or a sort may reach.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest, nsmallest
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from kafka_ferry.core.checks import GroupLine, Status, TopicLine

#: Lines of a page.
PAGE_LINES: Final = 100
#: Lines looked at to find or to sort; those behind them are not, and the page says so.
LOOKED_AT: Final = 500_000
#: Lines of a sorted table that can be paged to: so many are held at once.
SORTED: Final = 5_000
#: Characters of a text; report.json has all.
TEXT: Final = 1_000
#: Bytes of a line of ours, at most: each character of its texts may take six.
LONGEST: Final = 32_000

_STARTS: Final = 2_000
_EVERY: Final = 500
_ORDER: Final = (Status.FAIL, Status.EXPLAINED, Status.SKIPPED, Status.PASS)
_NAMES: Final = 4_000
_NO_NUMBER: Final = "–"
_DIGITS: Final = re.compile(r"(\d{1,300})", re.ASCII)

LINES: Final[Mapping[str, type[TopicLine] | type[GroupLine]]] = MappingProxyType(
    {"topics": TopicLine, "groups": GroupLine}
)
#: Fields in the order of the table's columns. The last one is shown only when some line has it.
COLUMNS: Final = MappingProxyType(
    {
        "topics": ("source", "status", "partitions", "source_records", "target_records", "lost", "duplicated",
                   "reordered", "detail"),
        "groups": ("group", "status", "topic", "partition", "source_offset", "target_offset", "expected_offset",
                   "redelivered", "detail"),
    }
)  # fmt: skip

Line = TopicLine | GroupLine
Open = Callable[[int], Iterator[bytes]]
"""From a place in bytes on: the lines of a file, each at most ``LONGEST`` long."""


class Table(BaseModel):
    """What a table's file holds.

    :param lines: of them ``differing`` are not ``pass``: the first ones.
    :param remarks: whether any line has one.
    :param starts: place in bytes of the first line and each ``every``-th behind it.
    """

    lines: NonNegativeInt
    differing: NonNegativeInt
    remarks: bool
    every: int = _EVERY
    starts: list[NonNegativeInt] = []

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Question:
    """Lines that someone wants to see.

    :param start: the first of them, counted from 0. ``find``: text in any column, capitals or not.
    :param only: what differs. ``sort``: number of a column; None: as the file has them.
    """

    table: str
    start: int = 0
    find: str = ""
    only: bool = False
    sort: int | None = None
    down: bool = False


@dataclass(frozen=True)
class Answer:
    """A page of lines.

    :param lines: of the whole table. ``found``: that the question is about. ``reach``: that can be paged to.
    :param looked_at: lines that were looked at; fewer than there are when there are very many.
    :param remarks: whether the table shows that column.
    """

    page: list[Any]
    start: int
    lines: int
    found: int
    reach: int
    looked_at: int
    remarks: bool


def worst_first(lines: Sequence[TopicLine] | Sequence[GroupLine]) -> list[Any]:
    """Lines that are not ``pass`` before the others, each in its own order."""
    return sorted(lines, key=lambda line: _ORDER.index(line.status))


def table_of(lines: Sequence[Line], every: int = _EVERY) -> Table:
    """What stands in a table, without its places in a file."""
    differing = sum(line.status is not Status.PASS for line in lines)
    return Table(lines=len(lines), differing=differing, remarks=any(line.detail for line in lines), every=every)


class LineFile:
    """A table on its way into a file: iterate it for the file's content, then ask for its ``table``."""

    def __init__(self, name: str, lines: Sequence[TopicLine] | Sequence[GroupLine]) -> None:
        self._fields = tuple(LINES[name].model_fields)
        self._lines = worst_first(lines)
        # However many lines: the places stay few.
        self.table = table_of(self._lines, max(_EVERY, -(-len(lines) // _STARTS)))

    def __iter__(self) -> Iterator[bytes]:
        at = 0
        for number, line in enumerate(self._lines):
            if number % self.table.every == 0:
                self.table.starts.append(at)
            text = json.dumps(
                [cut(getattr(line, name)) for name in self._fields], ensure_ascii=False, separators=(",", ":")
            )
            data = text.encode(errors="replace") + b"\n"
            at += len(data)
            yield data


def cut(value: Any, longest: int = TEXT) -> Any:
    """A text that is too long without its end; anything else as it is."""
    return value[: longest - 1] + "…" if isinstance(value, str) and len(value) > longest else value


def answer(question: Question, table: Table, opened: Open) -> Answer:
    """The page that is asked for.

    :raises ValueError: a line of the file is none of ours.
    """
    lines = table.differing if question.only else table.lines
    if not question.find and question.sort is None:
        start = min(question.start, lines)
        page = [_parsed(question, line) for line in _slice(table, opened, start, min(PAGE_LINES, lines - start))]
        return Answer(_models(question.table, page), start, table.lines, lines, lines, lines, table.remarks)
    return _looked_up(question, table, opened, lines)


def _looked_up(question: Question, table: Table, opened: Open, lines: int) -> Answer:
    looked_at = min(lines, LOOKED_AT)
    counted = _Counted(_matching(question, _whole(opened(0), looked_at)))
    start = question.start
    if question.sort is None:
        page = list(islice(counted, start, start + PAGE_LINES))
        for _ in counted:  # to the end, for their number
            pass
    else:
        start = min(start, SORTED - PAGE_LINES)
        choose = nlargest if question.down else nsmallest
        page = choose(start + PAGE_LINES, counted, key=_key(question))[start:]
    reach = counted.number if question.sort is None else min(counted.number, SORTED)
    return Answer(_models(question.table, page), start, table.lines, counted.number, reach, looked_at, table.remarks)


class _Counted:
    def __init__(self, rows: Iterable[list[Any]]) -> None:
        self._rows, self.number = iter(rows), 0

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        row = next(self._rows)
        self.number += 1
        return row


def _slice(table: Table, opened: Open, start: int, number: int) -> Iterator[bytes]:
    if number <= 0:
        return iter(())
    block, skipped = divmod(start, table.every)
    if block >= len(table.starts):
        raise ValueError("the offsets of its lines are unknown")
    return islice(_whole(opened(table.starts[block]), skipped + number), skipped, None)


def _whole(lines: Iterator[bytes], number: int) -> Iterator[bytes]:
    found = 0
    for line in islice(lines, number):
        found += 1
        yield line
    if found < number:
        raise ValueError("lines are missing")


def _matching(question: Question, lines: Iterable[bytes]) -> Iterator[list[Any]]:
    text = question.find.strip().lower()
    # Text is in a line as JSON writes it, a number without the page's commas: a quick look, before the line is read.
    written, plain = json.dumps(text, ensure_ascii=False)[1:-1], text.replace(",", "")
    for line in lines:
        if text and text not in _NO_NUMBER:
            small = line.decode(errors="replace").lower()
            if written not in small and plain not in small:
                continue
        row = _parsed(question, line)
        if not text or any(text in _cell(value) for value in row):
            yield row


def _cell(value: Any) -> str:
    """A value as the page shows it, in small letters."""
    if value is None:
        return _NO_NUMBER
    return f"{value:,}" if isinstance(value, int) else str(value).lower()


def _key(question: Question) -> Callable[[list[Any]], Any]:
    fields = tuple(LINES[question.table].model_fields)
    column = fields.index(COLUMNS[question.table][question.sort or 0])
    if LINES[question.table].model_fields[fields[column]].annotation in (str, Status):
        cached = lru_cache(_NAMES)(natural)  # a topic has a line for each group, and the other way round
        return lambda row: cached(str(row[column]))
    return lambda row: -1 if not isinstance(row[column], int) else row[column]


def natural(text: str) -> list[str | int]:
    """``orders.9`` before ``orders.10``."""
    return [int(part) if i % 2 else part for i, part in enumerate(_DIGITS.split(text.lower()))]


def _parsed(question: Question, line: bytes) -> list[Any]:
    found = json.loads(line)
    if not isinstance(found, list) or len(found) != len(LINES[question.table].model_fields):
        raise ValueError("a line does not belong to the table")
    return found


def _models(table: str, rows: Iterable[list[Any]]) -> list[Any]:
    model = LINES[table]
    return [model.model_validate(dict(zip(model.model_fields, row, strict=True))) for row in rows]
