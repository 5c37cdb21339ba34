"""What a stream of changes proved, as checks and lines of the report. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from kafka_ferry.core.checks import Check, Report, Status, TopicLine
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.cdc.rules.alterations import cause
from kafka_ferry.jobs.cdc.rules.events import SchemaEvent
from kafka_ferry.jobs.cdc.rules.judge_table import NAMED, TableResult
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.statements import is_reported, is_truncate

#: In the order a reader asks; a database has no groups, quotas and the like.
CHECKS: Final = ("topics", "counts", "content", "changes", "schema_changes", "leftovers")


@dataclass(frozen=True)
class Statement:
    """One statement of the binary log about a captured table."""

    position: Position
    database: str
    ddl: str


def judge_stream(
    results: Sequence[TableResult],
    statements: Sequence[Statement] | None,
    schema_events: Sequence[SchemaEvent],
    foreign: Sequence[str],
    *,
    topics: Collection[str],
    duplicates: Literal["explain", "fail"],
    why_no_log: str = "",
) -> dict[str, Any]:
    """Checks and topic lines.

    :param statements: of the binary log since the snapshot; None: it could not be read, ``why_no_log`` says why.
    :param foreign: records that Debezium did not write, each with its place.
    :param topics: those of the tables' that exist.
    """
    lacking = [
        one.topic for one in results if one.topic not in topics and (one.rows or one.expected) and not one.elsewhere
    ]
    checks = [
        _check("topics", lacking, len(results), len(results) - len(lacking), "one per table"),
        _counts(results, duplicates, why_no_log),
        _content(results, foreign),
        _changes(results, duplicates, why_no_log),
        _schema(
            statements,
            schema_events,
            {at for one in results for at in one.truncated},
            {one.table.full_name for one in results},
            why_no_log,
        ),
    ]
    return {"checks": checks, "topics": [_line(one, lacking, duplicates) for one in results]}


def stream_sentence(report: Report) -> str:
    """What a PASS of a stream says, and no more than was checked; empty for another verdict."""
    made = {check.name: check for check in report.checks if check.status is not Status.SKIPPED}
    if report.verdict != "PASS" or "content" not in made:
        return ""
    tables = number_of(len(report.topics), "table")
    rows = made["content"].expected
    parts = [f"{rows} of {tables} are in Kafka as in the database"]
    if changes := made.get("changes"):
        parts.append(f"so are all {changes.expected} changes since the snapshot, in order per key")
    else:
        parts.append("single changes were not compared")
    return "; ".join(parts) + "."


def _check(name: str, differences: Sequence[str], expected: object, actual: object, detail: str = "") -> Check:
    status = Status.FAIL if differences else Status.PASS
    return Check(name=name, status=status, expected=str(expected), actual=str(actual), detail=detail,
                 differences=list(differences[:NAMED]))  # fmt: skip


def _named(found: Sequence[list[str]]) -> list[str]:
    return [text for one in found for text in one]


def _causes(one: TableResult) -> list[str]:
    """Why the topic of a table may differ from it, as far as its columns and foreign keys tell."""
    found = [
        f"{one.table.full_name}.{column.name}: {why}"
        for column in one.table.columns
        if column.name in one.altered and (why := cause(column, one.odd.get(column.name, 0)))
    ]
    if one.table.cascades and (one.content_differences or one.snapshot_differences):
        found.append(
            f"{one.table.full_name}: rows that its foreign keys change are not in the binary log, so no event tells of "
            f"them: {'; '.join(one.table.cascades)}. Fix: change them by statements of your own"
        )
    return found


def _counts(results: Sequence[TableResult], duplicates: str, why_no_log: str) -> Check:
    """Rows of the snapshot."""
    judged = [one for one in results if one.snapshot_rows is not None]
    notes = [f"{one.table.full_name}: {note}" for one in results for note in one.notes]
    if not judged:
        return Check(
            name="counts", status=Status.SKIPPED, detail=why_no_log or "; ".join(notes) or "no snapshot was taken"
        )
    wrong = _named([one.snapshot_differences for one in judged])
    rows = sum(one.snapshot_rows or 0 for one in judged)
    older = sum(one.older_snapshots for one in results)
    if older:
        notes.append(f"{number_of(older, 'row')} of snapshots that began before the last one")
    detail = "; ".join(["each table's rows at the snapshot, rewound from its current rows", *notes])
    read = sum(one.read for one in judged)
    check = _check("counts", wrong, number_of(rows, "row"), number_of(read, "read event"), detail)
    return check.model_copy(update={"status": Status.EXPLAINED}) if notes and not wrong else check


def _content(results: Sequence[TableResult], foreign: Sequence[str]) -> Check:
    """The topic, replayed, against the table."""
    wrong = [*_named([one.content_differences for one in results]), *foreign]
    left = sorted(f"{one.table.full_name}.{name}" for one in results for name in one.table.not_compared)
    detail = "each topic replayed by key gives the table's current rows"
    if narrowed := sorted(f"{one.table.full_name}.{name}" for one in results for name in one.narrowed):
        detail += f"; created or altered since the snapshot, so only changes are compared: {', '.join(narrowed)}"
    if left:
        detail += f"; values not compared: {', '.join(left)}"
    rows = sum(one.rows for one in results)
    there = max(0, rows - len(wrong))
    reported = [
        f"{one.table.full_name}: {text}" for one in results if not one.content_differences for text in one.explained
    ]
    detail = "; ".join([detail, *reported])
    if wrong:
        wrong = _named([_causes(one) for one in results]) + wrong
    check = _check("content", wrong, number_of(rows, "row"), f"{number_of(there, 'row')} the same", detail)
    return check.model_copy(update={"status": Status.EXPLAINED}) if reported and not wrong else check


def _changes(results: Sequence[TableResult], duplicates: str, why_no_log: str) -> Check:
    """Single changes, against the binary log."""
    wrong = _named([one.change_differences for one in results])
    twice = sum(one.duplicated for one in results)
    reported = f"{twice:,} events were delivered again" if twice else ""
    if wrong:
        wrong = _named([_causes(one) for one in results if one.change_differences]) + wrong
    if twice and duplicates == "fail":
        wrong.append(reported)
    found = sum(one.found for one in results)
    if why_no_log and not wrong:
        return Check(name="changes", status=Status.SKIPPED, actual=f"{found:,}", detail=why_no_log)
    expected = sum(one.expected or 0 for one in results)
    detail = "op, before and after of each change in the binary log, in order per key"
    check = _check("changes", wrong, f"{expected:,}", f"{found:,}", f"{detail}; {reported}" if reported else detail)
    return check.model_copy(update={"status": Status.EXPLAINED}) if reported and not wrong else check


def _schema(
    statements: Sequence[Statement] | None,
    events: Sequence[SchemaEvent],
    truncated: Collection[Position],
    tables: Collection[str],
    why_no_log: str,
) -> Check:
    if statements is None:
        return Check(name="schema_changes", status=Status.SKIPPED, detail=why_no_log)
    reported: dict[Position, list[tuple[str, str]]] = {}
    for event in events:
        reported.setdefault(event.position, []).append((event.database, event.ddl))
    wrong = [
        f"{one.ddl[:200]} ({one.position}): not in the topic of schema changes"
        for one in statements
        # A TRUNCATE is an event of its table.
        if not (one.position in truncated and is_truncate(one.ddl))
        and not is_reported(one.ddl, one.database, reported.get(one.position, []), tables)
    ]
    there = len(statements) - len(wrong)
    return _check(
        "schema_changes", wrong, len(statements), there, "each statement about a captured table since the snapshot"
    )


def _line(one: TableResult, lacking: Sequence[str], duplicates: str) -> TopicLine:
    wrong = [*one.snapshot_differences, *one.change_differences, *one.content_differences]
    wrong = [*_causes(one), *wrong] if wrong else wrong
    if one.topic in lacking:
        wrong.insert(0, "its topic is missing")
    if one.duplicated and duplicates == "fail":
        wrong.append(f"{one.duplicated:,} events were delivered again")
    status = Status.FAIL if wrong else Status.EXPLAINED if one.duplicated else Status.PASS
    return TopicLine(
        source=one.table.full_name,
        target=one.topic,
        partitions=one.partitions,
        source_records=None if one.expected is None else (one.snapshot_rows or 0) + one.expected,
        target_records=one.read + one.found,
        lost=one.lost,
        duplicated=one.duplicated,
        reordered=one.reordered,
        status=status,
        detail=wrong[0] if wrong else "some events were delivered again" if one.duplicated else "",
    )
