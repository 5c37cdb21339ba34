"""Gather what validation judges: rows as of one position, the binary log up to it, and all events up to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka_ferry.database.change import Change, Digester
from kafka_ferry.database.events import NotAnEvent, Op, SchemaEvent, parse_event, parse_schema_event
from kafka_ferry.database.judge import judge_stream
from kafka_ferry.database.judge_table import TableResult, judge_table
from kafka_ferry.database.position import Position
from kafka_ferry.database.preflight import why_unreadable
from kafka_ferry.database.row_image import NotReadable
from kafka_ferry.database.tables import Table
from kafka_ferry.exceptions import FerryError, OutsideFault
from kafka_ferry.hooks.connect_states import Verdict
from kafka_ferry.hooks.database.binlog import LogContent, LogGone, read_log
from kafka_ferry.hooks.database.streaming import Streaming

log = logging.getLogger(__name__)

_NAMED = 100
_LATE = 5.0  # seconds
_NO_LOG = "the connector has not taken a snapshot that tells where to begin in the binary log"


class NotRunning(FerryError):
    """The connector has failed, so that there is nothing to validate."""


@dataclass
class _Read:
    """What the topics hold up to a position."""

    events: dict[str, list[Change]] = field(default_factory=dict)
    schema: list[SchemaEvent] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def validate(streaming: Streaming) -> dict[str, Any]:
    """Checks and topic lines, for ``checks.json``.

    :raises OutsideFault: the connector did not come as far as the database was when this began.
    """
    tables = streaming.tables
    digesters = _digesters(streaming, tables)
    with streaming.database.snapshot(tables) as snapshot:
        end = snapshot.position
        rows = {one.full_name: _rows(digesters[one.full_name], snapshot.rows(one)) for one in tables}
    log.info("%s rows of %d tables, as of %s", f"{sum(map(len, rows.values())):,}", len(tables), end)
    _wait(streaming, end)
    judged = _judge(streaming, digesters, rows, end)
    if any(line.lost for line in judged["topics"]):
        time.sleep(_LATE)  # what was sent to other partitions may still be on its way
        judged = _judge(streaming, digesters, rows, end)
    return judged


def _judge(
    streaming: Streaming, digesters: Mapping[str, Digester], rows: Mapping[str, dict[str, bytes]], end: Position
) -> dict[str, Any]:
    read = _read(streaming, digesters, end)
    start = _start(read)
    content, why = _content(streaming, start, end, digesters)
    state = streaming.target.admin.topics(streaming.topics())
    results = []
    for topic, table in streaming.topics().items():
        name = table.full_name
        partitions = state[topic].partitions if topic in state else 0
        result = TableResult(table, topic, partitions=partitions, odd=digesters[name].odd)
        changes = None if content is None else content.changes[name]
        truncated = content is not None and name in content.truncated
        results.append(judge_table(result, rows[name], changes, read.events[name], start, truncated=truncated))
    return judge_stream(
        results,
        None if content is None else content.statements,
        read.schema,
        read.strangers,
        topics=set(state),
        duplicates=streaming.spec.duplicates,
        why_no_log=why,
    )


def _rows(digester: Digester, rows: Any) -> dict[str, bytes]:
    return dict(map(digester.row, rows))


def _wait(streaming: Streaming, end: Position) -> None:
    """Until the connector has committed what lies before a position; it may stand still for so long."""
    patience, last = streaming.spec.no_progress_timeout, ""
    deadline = time.monotonic() + patience
    while (state := streaming.look(end)).verdict is not Verdict.RUNNING:
        if state.reason != last:
            last, deadline = state.reason, time.monotonic() + patience
            log.info("waiting: %s", last)
        if state.verdict is Verdict.FAILED:
            raise NotRunning(state.reason)
        if time.monotonic() > deadline:
            raise OutsideFault(f"the connector does not go on: {state.reason}")
        time.sleep(min(1.0, streaming.spec.poll_interval))


def _digesters(streaming: Streaming, tables: list[Table]) -> dict[str, Digester]:
    """By table. Columns that the first event of a topic does not have were added later, and are left out of rows."""
    known: dict[str, frozenset[str]] = {}
    with streaming.target.reader("read_committed", few=True) as reader:
        ranges = [span for span in streaming.ranges(streaming.topics()) if span.begin < span.end]
        firsts = {key: offset for key, offset in reader.probe(ranges).items() if offset is not None}
        found = reader.read_records({key: [offset] for key, offset in firsts.items()})
    for record in found.values():
        try:
            event = parse_event(record.key, record.value)
        except NotAnEvent:
            continue
        if event and (values := event.after or event.before):
            known[event.table] = known.get(event.table, frozenset(values)) & frozenset(values)
    return {table.full_name: Digester(table, known.get(table.full_name)) for table in tables}


def _read(streaming: Streaming, digesters: Mapping[str, Digester], end: Position) -> _Read:
    read, prefix = _Read({name: [] for name in digesters}), streaming.spec.prefix
    topics = streaming.topics()
    with streaming.target.reader("read_committed") as reader:
        for span in streaming.ranges({**topics, prefix: None}):
            for (topic, partition), messages in reader.stream([span]):
                for message in messages:
                    place = f"{topic} partition {partition} offset {message.offset()}"
                    try:
                        if topic == prefix:
                            read.schema.append(parse_schema_event(message.value()))
                        else:
                            _take(read, digesters[topics[topic].full_name], message, partition, end)
                    except (NotAnEvent, ValueError, KeyError, TypeError) as error:
                        if len(read.strangers) < _NAMED:
                            read.strangers.append(f"{place}: Debezium did not write this ({error})")
    return read


def _take(read: _Read, digester: Digester, message: Any, partition: int, end: Position) -> None:
    event = parse_event(message.key(), message.value())
    if event is None:
        return
    if event.table != digester.table.full_name:
        raise NotAnEvent(f"it is of {event.table}")
    if event.op is Op.READ or event.position < end:
        read.events[event.table].append(digester.of_event(event, partition, message.offset()))


def _start(read: _Read) -> Position | None:
    """Where the last snapshot stands: every row and every statement of it says so."""
    told = [event.position for events in read.events.values() for event in events if event.op is Op.READ]
    told += [event.position for event in read.schema if event.snapshot]
    return max(told, default=None)


def _content(
    streaming: Streaming, start: Position | None, end: Position, digesters: Mapping[str, Digester]
) -> tuple[LogContent | None, str]:
    """What the binary log says, or why it cannot be asked."""
    if start is None:
        return None, _NO_LOG
    if why := why_unreadable(streaming.database.variables):
        return None, why
    try:
        return read_log(streaming.database, start, end, digesters), ""
    except (LogGone, NotReadable) as why_not:
        return None, str(why_not)
