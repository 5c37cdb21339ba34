"""Whether a table's topic tells what happened to the table. Pure.

Three questions, each by itself: are the snapshot's rows those that the table had then (its rows of now, rewound by
the binary log)? is every change of the binary log there once, with the right before and after, in order per key? and
does the topic, replayed, give the table's rows of now?
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kafka_ferry.jobs.cdc.rules.change import Change, Identity
from kafka_ferry.jobs.cdc.rules.events import Op
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.tables import Table
from kafka_ferry.jobs.cdc.rules.values import differing

NAMED = 100


@dataclass
class TableResult:
    """What was found. Lists name differences, at most ``NAMED`` each; the counts are whole.

    :param snapshot_rows: rows that the table had at the snapshot; None: it could not be told.
    :param odd: by column, how many of the database's values are on no calendar.
    :param explained: what is otherwise than usual about its events, and is right.
    :param elsewhere: all of its events are in the topics of earlier names.
    :param narrowed: columns that are compared in changes only, as a statement since the snapshot made or changed them.
    :param truncated: where the topic says that the table was emptied.
    :param altered: columns of which the topic has other values than the database.
    :param read: rows of the snapshot in the topic, each key once. ``expected``, ``found``: changes since.
    """

    table: Table
    topic: str
    partitions: int = 0
    snapshot_rows: int | None = None
    read: int = 0
    expected: int | None = None
    found: int = 0
    rows: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    older_snapshots: int = 0
    snapshot_differences: list[str] = field(default_factory=list)
    change_differences: list[str] = field(default_factory=list)
    content_differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    altered: set[str] = field(default_factory=set)
    truncated: set[Position] = field(default_factory=set)
    narrowed: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    elsewhere: bool = False
    odd: Mapping[str, int] = field(default_factory=dict)

    def named(self, one: bytes | None, other: bytes | None) -> str:
        """The columns in which two digests differ, for a sentence; remembered in :attr:`altered`."""
        found = differing(self.table.compared, one, other)
        self.altered.update(found)
        return f" ({', '.join(found)})" if found else ""


def judge_table(
    result: TableResult,
    rows: Mapping[str, bytes],
    changes: Sequence[Change] | None,
    events: Sequence[Change],
    start: Position | None,
    *,
    gone: str = "",
    recreated: Position | None = None,
) -> TableResult:
    """Fill a result.

    :param rows: key to digest, of the table at the end. ``events``: in the topic's order, none behind that end.
    :param changes: of the binary log from ``start`` to the end; None: it could not be read.
    :param start: where the last snapshot stands; None: there was none.
    :param gone: why its rows of the snapshot cannot be known: they went without row events.
    :param recreated: where a statement recreated the table; what was before is of another table of this name.
    """
    result.rows = len(rows)
    result.truncated = {event.position for event in events if event.op is Op.TRUNCATE}
    _snapshot(result, rows, changes, events, start, gone)
    _changes(result, changes, events, start)
    _content(result, rows, [event for event in events if recreated is None or event.position > recreated])
    return result


def rewound(rows: Mapping[str, bytes], changes: Iterable[Change]) -> dict[str, bytes | None]:
    """The rows before the changes, which are given in their order."""
    state: dict[str, bytes | None] = dict(rows)
    for change in reversed(list(changes)):
        if change.op is Op.CREATE:
            state.pop(change.key, None)
        else:
            state[change.key] = change.was
    return state


def _add(differences: list[str], text: str) -> None:
    if len(differences) < NAMED:
        differences.append(text)


def _place(change: Change) -> str:
    return f"partition {change.partition} offset {change.offset}"


def _snapshot(
    result: TableResult,
    rows: Mapping[str, bytes],
    changes: Sequence[Change] | None,
    events: Sequence[Change],
    start: Position | None,
    gone: str,
) -> None:
    read: dict[str, Change] = {}
    for event in (event for event in events if event.op is Op.READ):
        if event.position != start:
            result.older_snapshots += 1
            continue
        if event.key in read:
            result.duplicated += 1
        read[event.key] = event
    result.read = len(read)
    if changes is None or start is None:
        return
    if gone:
        result.notes.append(f"{gone}: its rows at the snapshot are unknown")
        return
    expected = rewound(rows, changes)
    result.snapshot_rows = len(expected)
    name, differences = result.table.full_name, result.snapshot_differences
    for key in sorted(expected.keys() - read.keys()):
        result.lost += 1
        _add(differences, f"{name} {key}: in the table at the snapshot, but not in the topic")
    for key in sorted(read.keys() - expected.keys()):
        _add(differences, f"{name} {key}: not in the table at the snapshot, but in the topic at {_place(read[key])}")
    for key in sorted(read.keys() & expected.keys()):
        if read[key].state != expected[key]:
            where = result.named(read[key].state, expected[key])
            _add(
                differences,
                f"{name} {key}: other values in the table at the snapshot than at {_place(read[key])}{where}",
            )


def _changes(
    result: TableResult, changes: Sequence[Change] | None, events: Sequence[Change], start: Position | None
) -> None:
    since = [
        event
        for event in events
        if event.op not in (Op.READ, Op.TRUNCATE) and (start is None or event.position >= start)
    ]
    first: dict[Identity, Change] = {}
    for event in since:
        if first.setdefault(event.identity, event) is not event:
            result.duplicated += 1
    result.found = len(first)
    _order(result, first.values())
    if changes is not None:
        result.expected = len(changes)
        _compare(result, {one.identity: one for one in changes}, first)


def _order(result: TableResult, events: Iterable[Change]) -> None:
    last: dict[str, tuple[Position, int]] = {}
    for event in events:
        at = event.position, event.row
        if event.key in last and at < last[event.key]:
            result.reordered += 1
            text = f"{result.table.full_name} {event.key}: {_place(event)} is older than an event of this key before it"
            _add(result.change_differences, text)
        last[event.key] = max(at, last.get(event.key, at))


def _compare(result: TableResult, wanted: Mapping[Identity, Change], found: Mapping[Identity, Change]) -> None:
    name, differences = result.table.full_name, result.change_differences
    for identity, event in found.items():
        truth = wanted.get(identity)
        if truth is None:
            _add(differences, f"{name} {event.key}: {event.op.name} at {_place(event)} is not in the binary log")
        elif text := _difference(result, truth, event):
            _add(differences, f"{name} {event.key}: {event.op.name} at {_place(event)} has {text}")
    for identity, truth in wanted.items():
        if identity not in found:
            result.lost += 1
            _add(differences, f"{name} {truth.key}: {truth.op.name} of {truth.position} is not in the topic")


def _difference(result: TableResult, truth: Change, event: Change) -> str:
    wrong = [
        what
        for what, same in (
            ("another key", truth.key == event.key),
            ("another before", truth.before == event.before),
            ("another after", truth.after == event.after),
        )
        if not same
    ]
    if not wrong:
        return ""
    where = result.named(truth.before, event.before) or result.named(truth.after, event.after)
    return f"{' and '.join(wrong)} than the binary log{where}"


def _content(result: TableResult, rows: Mapping[str, bytes], events: Sequence[Change]) -> None:
    replayed: dict[str, Change] = {}
    for event in events:
        if event.op is Op.TRUNCATE:
            replayed.clear()
        elif event.op is Op.DELETE:
            replayed.pop(event.key, None)
        else:
            replayed[event.key] = event
    name, differences = result.table.full_name, result.content_differences
    for key in sorted(rows.keys() - replayed.keys()):
        _add(differences, f"{name} {key}: in the table, not in the topic")
    for key in sorted(replayed.keys() - rows.keys()):
        _add(differences, f"{name} {key}: not in the table, but in the topic at {_place(replayed[key])}")
    for key in sorted(rows.keys() & replayed.keys()):
        if rows[key] != replayed[key].state:
            where = result.named(rows[key], replayed[key].state)
            _add(
                differences,
                f"{name} {key}: other values in the table than in the topic at {_place(replayed[key])}{where}",
            )
