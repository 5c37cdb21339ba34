"""The check ``schemas``: what schema ids in the records mean on either side. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.words import number_of
from kafka_ferry.records.schema_ids import OTHERS, SchemaIdUse

#: Topic and an id in its records.
Use = tuple[str, SchemaIdUse]
NAMED = 50
#: The most used ids of a topic's keys, or values, by which it is told whether they are ids at all.
PROBED = 20


def first_of_each(uses: Sequence[Use]) -> list[int]:
    """The ids to look up first: some of each topic's keys and values."""
    parts: dict[tuple[str, str], list[int]] = {}
    for topic, use in uses:
        mine = parts.setdefault((topic, use.part), [])
        if use.id > 0 and len(mine) < PROBED:
            mine.append(use.id)
    return sorted({one for mine in parts.values() for one in mine})


def ids_of_registry(uses: Sequence[Use], source: Mapping[int, str | None]) -> set[int]:
    """All ids of the keys and values that some id of the source registry's is in."""
    ours = {(topic, use.part) for topic, use in uses if source.get(use.id)}
    return {use.id for topic, use in uses if (topic, use.part) in ours and use.id > 0}


def check_schemas(uses: Sequence[Use], source: Mapping[int, str | None], target: Mapping[int, str | None]) -> Check:
    """Every id that records begin with leads at the target to the schema that it leads to at the source.

    Keys, or values, of a topic are taken for those of a schema registry when the source's knows one of the ids that
    most of them have: what begins with a zero byte may be a number, too. Others are named, and are no difference.

    :param uses: added up over the partitions, the most used first.
    :param source, target: id to a digest of what it means there.
    """
    ours = {(topic, use.part) for topic, use in uses if source.get(use.id)}
    framed = [(topic, use) for topic, use in uses if (topic, use.part) in ours]
    wrong = [line for topic, use in framed if (line := _problem(topic, use, source, target))]
    unknown = _not_ours(uses, ours)
    beyond = [(topic, use) for topic, use in framed if use.id == OTHERS]
    told = [f"{topic}: {use.part}s: more ids than can be told apart, in {_records(use)}" for topic, use in beyond]
    ids = {use.id for _, use in framed if use.id != OTHERS}
    expected = f"{number_of(len(ids), 'id')} in {_total(framed)}, each for the same schema at the target"
    if wrong:
        return _check(Status.FAIL, expected, f"{number_of(len(wrong), 'difference')}", [*wrong, *told, *unknown])
    if told or unknown:
        detail = "named ones were not looked up: too many, or the source registry knows none of their ids"
        actual = "all that were looked up are"
        return _check(Status.EXPLAINED, expected, actual, [*told, *unknown], detail)
    if not ids:
        return _check(Status.PASS, "no record begins with a schema id", "none does", [])
    return _check(Status.PASS, expected, "all are", [])


def _problem(topic: str, use: SchemaIdUse, source: Mapping[int, str | None], target: Mapping[int, str | None]) -> str:
    if use.id == OTHERS:
        return ""
    ours, theirs = source.get(use.id), target.get(use.id)
    if ours is not None and ours == theirs:
        return ""
    if ours is None:
        what = (
            "neither registry knows it" if theirs is None else "the source registry does not know it, the target's does"
        )
    else:
        what = "the target registry does not know it" if theirs is None else "it is another schema at the target"
    return f"{topic}: {use.part}s with id {use.id}: {what}: {_records(use)}"


def _not_ours(uses: Sequence[Use], ours: set[tuple[str, str]]) -> list[str]:
    parts: dict[tuple[str, str], list[SchemaIdUse]] = {}
    for topic, use in uses:
        if (topic, use.part) not in ours:
            parts.setdefault((topic, use.part), []).append(use)
    lines = []
    for (topic, part), mine in sorted(parts.items()):
        first = min(mine, key=lambda use: (use.partition, use.offset))
        records = sum(use.records for use in mine)
        called = f"as id {first.id}" if first.id != OTHERS else "as an id"
        lines.append(
            f"{topic}: {number_of(records, part)} begin {called} would, and the source registry knows none of them: "
            f"taken for other data; first: partition {first.partition}, offset {first.offset}"
        )
    return lines


def _records(use: SchemaIdUse) -> str:
    return f"{number_of(use.records, 'record')}, first: partition {use.partition}, offset {use.offset}"


def _total(framed: Sequence[Use]) -> str:
    topics = {topic for topic, _ in framed}
    parts = sum(use.records for _, use in framed)
    return f"{number_of(parts, 'key')} and values of {number_of(len(topics), 'topic')}"


def _check(status: Status, expected: str, actual: str, lines: Sequence[str], detail: str = "") -> Check:
    more = [f"and {len(lines) - NAMED:,} more"] if len(lines) > NAMED else []
    return Check(
        name="schemas", status=status, expected=expected, actual=actual, detail=detail,
        differences=[*lines[:NAMED], *more],
    )  # fmt: skip
