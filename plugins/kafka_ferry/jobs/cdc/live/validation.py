"""Gather what validation judges: rows as of one position, the binary log up to it, and all events up to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kafka_ferry.core.checks import Status
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.connect.states import Verdict
from kafka_ferry.jobs.cdc.live.binlog import LogContent, LogGone, read_log
from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream
from kafka_ferry.jobs.cdc.rules.change import Change, Digester
from kafka_ferry.jobs.cdc.rules.events import NotAnEvent, Op, SchemaEvent, parse_event, parse_schema_event
from kafka_ferry.jobs.cdc.rules.judge import judge_stream
from kafka_ferry.jobs.cdc.rules.judge_table import TableResult, judge_table
from kafka_ferry.jobs.cdc.rules.lineage import lineage
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.preflight import topic_of, why_unreadable
from kafka_ferry.jobs.cdc.rules.row_image import NotReadable
from kafka_ferry.jobs.cdc.rules.statements import Verb, verb_of
from kafka_ferry.jobs.cdc.rules.tables import Table
from kafka_ferry.jobs.cdc.rules.versions import Version, steady

log = logging.getLogger(__name__)

_NAMED = 100
_LATE = 5.0  # seconds
_NO_LOG = "the connector has not taken a snapshot, so where to begin in the binary log is unknown"


class NotRunning(FerryError):
    """The connector has failed, so that there is nothing to validate."""


@dataclass
class _Read:
    """What the topics hold up to a position."""

    events: dict[str, list[Change]] = field(default_factory=dict)
    schema: list[SchemaEvent] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def validate(stream: CdcStream) -> dict[str, Any]:
    """Checks and topic lines, for ``checks.json``.

    :raises TransientError: the connector did not come as far as the database was when this began, or a table was
        altered meanwhile.
    """
    stream.read_foreign_keys()
    tables = stream.tables
    # What Debezium has not read yet it has not told: of a column that was altered a moment ago it would not be known.
    _wait(stream, stream.database.position())
    versions = _versions(stream)
    digesters = _digesters(stream, tables, versions)
    with stream.database.snapshot(tables) as snapshot:
        end = snapshot.position
        rows = {one.full_name: _rows(digesters[one.full_name], snapshot.rows(one)) for one in tables}
    log.info("%s rows of %d tables, as of %s", f"{sum(map(len, rows.values())):,}", len(tables), end)
    _wait(stream, end)
    _assert_known(stream, versions)
    judged = _judge(stream, digesters, rows, end)
    if any(check.status is Status.FAIL for check in judged["checks"]):
        time.sleep(_LATE)  # what was sent to other partitions, or is told of a statement, may still be on its way
        _assert_known(stream, versions)
        judged = _judge(stream, digesters, rows, end)
    return judged


def _assert_known(stream: CdcStream, versions: Mapping[str, list[Version]]) -> None:
    """:raises TransientError: a table was altered since its columns were read."""
    if _versions(stream) != versions:
        raise TransientError("a table was altered while its rows were read. Fix: clear validate, if no retry is left")


def _judge(
    stream: CdcStream, digesters: Mapping[str, Digester], rows: Mapping[str, dict[str, bytes]], end: Position
) -> dict[str, Any]:
    read = _read(stream, stream.topics(), digesters, end)
    start = _start(read)
    content, why = _content(stream, start, end, digesters)
    state = stream.target.admin.topics(stream.topics())
    results = []
    for topic, table in stream.topics().items():
        name = table.full_name
        partitions = state[topic].partitions if topic in state else 0
        digester = digesters[name]
        blank = partial(TableResult, table, topic, partitions=partitions, odd=digester.odd, narrowed=digester.narrowed)
        found = _table(blank, rows[name], content, read.events[name], start)
        if found.content_differences and content and start:
            found = _renamed(stream, blank, digester, rows[name], content, start, end) or found
        results.append(found)
    return judge_stream(
        results,
        None if content is None else content.statements,
        read.schema,
        read.foreign,
        topics=set(state),
        duplicates=stream.spec.duplicates,
        why_no_log=why,
    )


def _table(
    blank: Callable[[], TableResult],
    rows: Mapping[str, bytes],
    content: LogContent | None,
    events: list[Change],
    start: Position | None,
) -> TableResult:
    result = blank()
    if content is None:
        return judge_table(result, rows, None, events, start)
    name = result.table.full_name
    gone, recreated = content.emptied.get(name, ""), content.recreated.get(name)
    if recreated and any(event.position < recreated for event in events):
        gone = gone or f"it was dropped or recreated since the snapshot, at {recreated}"
    judged = judge_table(result, rows, content.changes[name], events, start, gone=gone)
    if judged.content_differences and recreated:
        judged = judge_table(blank(), rows, content.changes[name], events, start, gone=gone, recreated=recreated)
        judged.explained.append("events before the statement that dropped or recreated it are of another table, "
                                f"at {recreated}")  # fmt: skip
    if judged.content_differences and gone:
        judged.content_differences.insert(0, f"{name}: {gone}")
    return judged


def _renamed(
    stream: CdcStream,
    blank: Callable[[], TableResult],
    digester: Digester,
    rows: Mapping[str, bytes],
    content: LogContent,
    start: Position,
    end: Position,
) -> TableResult | None:
    """A table that had another name, compared with the topics of all its names; None: it had none, or differs."""
    names = lineage(content.renames, digester.table.full_name)
    if len(names) < 2:
        return None
    by_name = {one.name: digester for one in names}
    topics = {topic_of(stream.spec.prefix, name): name for name in by_name}
    read = _read(stream, topics, by_name, end)
    log_of = read_log(stream.database, start, end, by_name)
    events = [event for one in names for event in one.of(read.events[one.name])]
    changes = [change for one in names for change in one.of(log_of.changes[one.name])]
    result = judge_table(blank(), rows, changes, events, start)
    result.elsewhere = not names[-1].of(changes)
    result.explained.append(f"it was called {', '.join(one.name for one in names[:-1])} before, and its events of that "
                            "time are in that topic")  # fmt: skip
    return None if result.content_differences else result


def _rows(digester: Digester, rows: Any) -> dict[str, bytes]:
    return dict(map(digester.row, rows))


def _wait(stream: CdcStream, end: Position) -> None:
    """Until the connector has committed what lies before a position; it may stand still for so long."""
    patience, last = stream.spec.no_progress_timeout, ""
    deadline = time.monotonic() + patience
    while (state := stream.look(end)).verdict is not Verdict.RUNNING:
        if state.reason != last:
            last, deadline = state.reason, time.monotonic() + patience
            log.info("waiting: %s", last)
        if state.verdict is Verdict.FAILED:
            raise NotRunning(state.reason)
        if time.monotonic() > deadline:
            raise TransientError(f"the connector makes no progress: {state.reason}")
        time.sleep(min(1.0, stream.spec.poll_interval))


def _digesters(stream: CdcStream, tables: list[Table], versions: Mapping[str, list[Version]]) -> dict[str, Digester]:
    """By table. Columns that were made or changed later are left out of rows."""
    first = _first_columns(stream)
    found = {}
    for table in tables:
        its = versions.get(table.full_name, [])
        known = steady(its)
        if seen := first.get(table.full_name):
            recreated = any(one.recreated for one in its)
            known = seen if known is None else known if recreated else known & seen
        found[table.full_name] = Digester(table, known, versions=its)
    return found


def _first_columns(stream: CdcStream) -> dict[str, frozenset[str]]:
    """Columns that the first events of the topics have."""
    known: dict[str, frozenset[str]] = {}
    with stream.target.reader("read_committed", few=True) as reader:
        ranges = [span for span in stream.ranges(stream.topics()) if span.begin < span.end]
        firsts = {key: offset for key, offset in reader.probe(ranges).items() if offset is not None}
        found = reader.read_records({key: [offset] for key, offset in firsts.items()})
    for record in found.values():
        try:
            event = parse_event(record.key, record.value)
        except NotAnEvent:
            continue
        if event and (values := event.after or event.before):
            known[event.table] = known.get(event.table, frozenset(values)) & frozenset(values)
    return known


def _versions(stream: CdcStream) -> dict[str, list[Version]]:
    """By table, since the last snapshot, as the topic of schema changes tells them."""
    read = _read(stream, {}, {}, Position(0, 0))
    start = max((one.position for one in read.schema if one.snapshot), default=Position(0, 0))
    versions: dict[str, list[Version]] = {}
    for one in sorted(read.schema, key=lambda one: one.position):
        recreated = not one.snapshot and verb_of(one.ddl) is Verb.CREATE
        for name, columns in one.columns.items() if one.position >= start else ():
            versions.setdefault(name, []).append(Version(one.position, columns, recreated))
    return versions


def _read(
    stream: CdcStream, topics: Mapping[str, Table | str], digesters: Mapping[str, Digester], end: Position
) -> _Read:
    """Events of tables' topics, and the topic of schema changes.

    :param topics: each with its table, or the name that the table had.
    """
    read, prefix = _Read({name: [] for name in digesters}), stream.spec.prefix
    names = {topic: one if isinstance(one, str) else one.full_name for topic, one in topics.items()}
    with stream.target.reader("read_committed") as reader:
        for span in stream.ranges({**topics, prefix: None}):
            for (topic, partition), messages in reader.stream([span]):
                for message in messages:
                    place = f"{topic} partition {partition} offset {message.offset()}"
                    try:
                        if topic == prefix:
                            read.schema.append(parse_schema_event(message.value()))
                        else:
                            _take(read, names[topic], digesters[names[topic]], message, partition, end)
                    except (NotAnEvent, ValueError, KeyError, TypeError) as error:
                        if len(read.foreign) < _NAMED:
                            read.foreign.append(f"{place}: Debezium did not write this ({error})")
    return read


def _take(read: _Read, name: str, digester: Digester, message: Any, partition: int, end: Position) -> None:
    event = parse_event(message.key(), message.value())
    if event is None:
        return
    if event.table != name:
        raise NotAnEvent(f"it is of {event.table}")
    if event.op is Op.READ or event.position < end:
        read.events[name].append(digester.of_event(event, partition, message.offset()))


def _start(read: _Read) -> Position | None:
    """Where the last snapshot stands: every row and every statement of it says so."""
    told = [event.position for events in read.events.values() for event in events if event.op is Op.READ]
    told += [event.position for event in read.schema if event.snapshot]
    return max(told, default=None)


def _content(
    stream: CdcStream, start: Position | None, end: Position, digesters: Mapping[str, Digester]
) -> tuple[LogContent | None, str]:
    """What the binary log says, or why it cannot be asked."""
    if start is None:
        return None, _NO_LOG
    if why := why_unreadable(stream.database.variables):
        return None, why
    try:
        return read_log(stream.database, start, end, digesters), ""
    except (LogGone, NotReadable) as why_not:
        return None, str(why_not)
