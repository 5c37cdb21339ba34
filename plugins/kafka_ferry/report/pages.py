"""The files behind the page of a run: an overview, and the long tables as lines. Written after report.json, read in its
stead.

Each writing has an id of its own, which the run's XCom ``report`` names: a page never shows what another try wrote.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from kafka_ferry.core.checks import Report
from kafka_ferry.core.plan import Plan
from kafka_ferry.report.artifacts import BLOCK, PAGES, DamagedArtifact, RunArtifacts
from kafka_ferry.report.lines import LINES, LONGEST, Answer, LineFile, Question, answer
from kafka_ferry.report.overview import Overview, overview_of
from kafka_ferry.report.reading import Reader
from kafka_ferry.report.upgrade import overview_of as overview_as_of_now

#: Bytes of an overview that is read. Ours have less than two million; see ``overview``.
LARGEST_OVERVIEW: Final = 16_000_000
_ID: Final = re.compile(r"[0-9a-f]{16}")


def write_pages(artifacts: RunArtifacts, report: Report) -> str:
    """Write what the page reads, the overview last: it is there only when the lines are whole. What an earlier try
    wrote is taken away.

    :returns: the id of this writing.
    """
    pages, reader = uuid.uuid4().hex[:16], Reader(artifacts)
    overview = overview_of(report, reader.plan(Plan), reader.progress(), reader.watched())
    for name in LINES:
        file = LineFile(name, getattr(report, name))
        artifacts.write_blocks(_name(pages, name), file)
        overview.tables[name] = file.table
    artifacts.write_text(_overview(pages), overview.model_dump_json(by_alias=True))
    for old in list(artifacts.names(PAGES)):
        if not old.startswith(f"{PAGES}/{pages}."):
            artifacts.delete(old)
    return pages


def read_overview(reader: Reader, pages: object) -> Overview | None:
    """
    :param pages: id of the writing, as the XCom names it.
    :returns: None when there is none that can be read.
    """
    if not (isinstance(pages, str) and _ID.fullmatch(pages)):
        return None
    found = reader.mapping(_overview(pages))
    try:
        return Overview.model_validate(overview_as_of_now(found)) if found else None
    except ValidationError as error:
        reader.note(_overview(pages), f"is not an overview of this version ({error.error_count()} fields differ)")
        return None


def read_lines(artifacts: RunArtifacts, pages: object, question: Question) -> Answer | None:
    """A page of a table's lines; None when there are no files of this writing.

    :raises DamagedArtifact: there are, and they cannot be read.
    """
    overview = read_overview(reader := Reader(artifacts, LARGEST_OVERVIEW), pages)
    if overview is None:
        if reader.notes:
            raise DamagedArtifact(f"{reader.notes[0]}. {_FIX}")
        return None
    name = _name(str(pages), question.table)

    def opened(start: int) -> Iterator[bytes]:
        with artifacts.opened(name) as file:
            file.seek(start)
            yield from _lines(file)

    try:
        return answer(question, overview.tables[question.table], opened)
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedArtifact(f"{artifacts.path(name)} cannot be read as lines of a table. {_FIX}") from error


_FIX: Final = "Fix: clear the task report, which rewrites it"


def _lines(file: Any) -> Iterator[bytes]:
    # By hand: a file of an object store splits lines slowly, and a line of somebody else's may be any length.
    rest = b""
    while block := file.read(BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        if len(rest) > LONGEST:
            raise ValueError("a line is too long")
    if rest:
        raise ValueError("the last line is cut off")


def _name(pages: str, table: str) -> str:
    return f"{PAGES}/{pages}.{table}.jsonl"


def _overview(pages: str) -> str:
    return f"{PAGES}/{pages}.overview.json"
