"""The check ``schemas``: what schema ids in the records mean on either side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.words import number_of
from kafka_ferry.records.schema_id_forms import OF_PAYLOAD, WITH_ID, Form
from kafka_ferry.records.schema_ids import OTHERS, SchemaIdUse

#: Topic and an id in its records.
Use = tuple[str, SchemaIdUse]
#: What a registry is asked for.
Key = tuple[Form, int | str]
#: The records of a topic whose keys, or values, have ids of one form.
Place = tuple[str, str, Form]
NAMED = 50
#: The most used ids of a topic's keys, or values, by which it is told whether they are ids at all.
PROBED = 20
#: How an id is told.
_WITH = {
    Form.ID: "id {}",
    Form.GLUE: "Glue's schema version {}",
    Form.GUID: "GUID {} in a header",
    Form.HEADER_ID: "id {} in a header",
    Form.CONTENT_ID: "Apicurio's content id {}",
    Form.GLOBAL_ID: "Apicurio's global id {}",
}
_OTHERWISE = {
    Form.NAME: "whose headers name a hash or an artifact of Apicurio's, and no id: not looked up",
    Form.MALFORMED: "with a header of a schema id that no client can read, too short or of an unknown kind",
}


def first_of_each(uses: Sequence[Use]) -> list[Key]:
    """The ids to look up first: some of each topic's keys and values."""
    parts: dict[Place, list[Key]] = {}
    for topic, use in uses:
        mine = parts.setdefault((topic, use.part, use.form), [])
        if _can_be(use) and len(mine) < PROBED:
            mine.append((use.form, use.id))
    return _sorted(one for mine in parts.values() for one in mine)


def ids_of_registry(uses: Sequence[Use], source: Mapping[Key, str | None]) -> list[Key]:
    """All ids that are ones: those in headers, and those of payloads that some id of the source registry's is in."""
    ours = _ours(uses, source)
    return _sorted((use.form, use.id) for topic, use in uses if (topic, use.part, use.form) in ours and _can_be(use))


def _can_be(use: SchemaIdUse) -> bool:
    return use.form in WITH_ID and use.id not in (0, OTHERS)


def _sorted(keys: Iterable[Key]) -> list[Key]:
    return sorted(set(keys), key=lambda key: (key[0], isinstance(key[1], str), key[1]))


def _ours(uses: Sequence[Use], source: Mapping[Key, str | None]) -> set[Place]:
    return {
        (topic, use.part, use.form)
        for topic, use in uses
        if use.form in WITH_ID and (use.form not in OF_PAYLOAD or source.get((use.form, use.id)))
    }


def check_schemas(
    uses: Sequence[Use],
    source: Mapping[Key, str | None],
    target: Mapping[Key, str | None],
    unable: Mapping[Form, str] | None = None,
) -> Check:
    """Every schema id of the records leads at the target to the schema that it leads to at the source.

    Payloads of a topic's keys, or values, are taken for those of a schema registry when the source's knows one of the
    ids that most of them have: what begins with a zero byte may be a number, too. Others are named, and are no
    difference.

    :param uses: added up over the partitions, the most used first.
    :param source, target: id to a digest of what it means there.
    :param unable: forms of ids that one of the registries does not have, with the reason: they are skipped.
    """
    unable = unable or {}
    places: dict[Place, list[SchemaIdUse]] = {}
    for topic, use in uses:
        places.setdefault((topic, use.part, use.form), []).append(use)
    ours = {place for place in _ours(uses, source) if place[2] not in unable}
    wrong, told, framed = list[str](), list[str](), list[Use]()
    for place, mine in places.items():
        topic, part, form = place
        if place in ours:
            framed += [(topic, use) for use in mine]
            wrong += [line for use in mine if (line := _problem(topic, use, source, target))]
            told += [f"{topic}: {part}s: more ids than can be told apart, in {_records(use)}" for use in mine
                     if use.id == OTHERS]  # fmt: skip
        elif form in _OTHERWISE:
            told.append(f"{topic}: {part}s {_OTHERWISE[form]}: {_records(_summed(mine))}")
        elif form not in unable:
            told.append(_taken_for_other_data(topic, part, mine))
    skipped = [_skipped(place, mine, unable[place[2]]) for place, mine in places.items() if place[2] in unable]
    return _judged(framed, wrong, told, skipped, [unable[form] for form in Form if form in unable])


def _judged(
    framed: Sequence[Use], wrong: Sequence[str], told: Sequence[str], skipped: Sequence[str], reasons: Sequence[str]
) -> Check:
    ids = {(use.form, use.id) for _, use in framed if use.id != OTHERS}
    expected = f"{number_of(len(ids), 'id')} in {_of_all(framed)}, each for the same schema at the target"
    if wrong:
        actual = number_of(len(wrong), "difference")
        return _check(Status.FAIL, expected, actual, [*wrong, *skipped, *told])
    if skipped and not ids:
        why = "; ".join(dict.fromkeys(reasons))
        return _check(Status.SKIPPED, "each id for the same schema at the target", "", [*skipped, *told], why)
    if told or skipped:
        detail = "named ones were not looked up: too many, none of these registries', or no ids"
        return _check(Status.EXPLAINED, expected, "all that were looked up are", [*skipped, *told], detail)
    if not ids:
        return _check(Status.PASS, "no record has a schema id", "none does", [])
    return _check(Status.PASS, expected, "all are", [])


def _problem(topic: str, use: SchemaIdUse, source: Mapping[Key, str | None], target: Mapping[Key, str | None]) -> str:
    if use.id == OTHERS:
        return ""
    ours, theirs = source.get((use.form, use.id)), target.get((use.form, use.id))
    if ours is not None and ours == theirs:
        return ""
    if ours is None:
        what = (
            "neither registry knows it" if theirs is None else "the source registry does not know it, the target's does"
        )
    else:
        what = "the target registry does not know it" if theirs is None else "it is another schema at the target"
    return f"{topic}: {use.part}s with {_WITH[use.form].format(use.id)}: {what}: {_records(use)}"


def _taken_for_other_data(topic: str, part: str, mine: Sequence[SchemaIdUse]) -> str:
    first = _earliest(mine)
    kind = _WITH[first.form].format("").strip()
    called = f"as {_WITH[first.form].format(first.id)}" if first.id != OTHERS else f"as an {kind}"
    return (
        f"{topic}: {number_of(_summed(mine).records, part)} begin {called} would, and the source registry knows none "
        f"of them: taken for other data; first: partition {first.partition}, offset {first.offset}"
    )


def _skipped(place: Place, mine: Sequence[SchemaIdUse], reason: str) -> str:
    topic, part, form = place
    first = _earliest(mine)
    some = _WITH[form].format(first.id) + (" or others" if len(mine) > 1 else "")
    begin = "that begin as with" if form in OF_PAYLOAD else "with"
    return f"{topic}: {part}s {begin} {some}: {_records(_summed(mine))}: skipped: {reason}"


def _summed(mine: Sequence[SchemaIdUse]) -> SchemaIdUse:
    return replace(_earliest(mine), records=sum(use.records for use in mine))


def _earliest(mine: Sequence[SchemaIdUse]) -> SchemaIdUse:
    return min(mine, key=lambda use: (use.partition, use.offset))


def _records(use: SchemaIdUse) -> str:
    return f"{number_of(use.records, 'record')}, first: partition {use.partition}, offset {use.offset}"


def _of_all(framed: Sequence[Use]) -> str:
    topics = {topic for topic, _ in framed}
    parts = sum(use.records for _, use in framed)
    return f"{number_of(parts, 'key')} and values of {number_of(len(topics), 'topic')}"


def _check(status: Status, expected: str, actual: str, lines: Sequence[str], detail: str = "") -> Check:
    more = [f"and {len(lines) - NAMED:,} more"] if len(lines) > NAMED else []
    return Check(
        name="schemas", status=status, expected=expected, actual=actual, detail=detail,
        differences=[*lines[:NAMED], *more],
    )  # fmt: skip
