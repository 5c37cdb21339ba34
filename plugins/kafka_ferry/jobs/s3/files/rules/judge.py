"""What an import of others' files proved, as checks and lines of the report. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic
from kafka_ferry.jobs.s3.files.rules.losses import MEANINGS, Loss
from kafka_ferry.jobs.s3.s3_judge import judge_import

NAMED: Final = 100
Read = Mapping[str, Any]
"""``PartitionFiles`` as it is noted, without its segments."""


def judge_files(
    topics: Sequence[RestoreTopic],
    there: Mapping[str, int],
    lines: Sequence[Mapping[str, Any]],
    read: Sequence[Read],
    others: tuple[int, Sequence[str]],
) -> dict[str, Any]:
    """Checks and topic lines.

    :param there, lines: as of ``judge_import``. ``read``: of each partition. ``others``: objects that are no such
        files: how many, and the first of them.
    """
    made = judge_import(topics, there, {}, lines)
    kept = [_in_words(one, topics, there) for one in made["checks"] if one.name != "configs"]
    return {"checks": [*kept, _losses(read), _gaps(read), _others(*others)], "topics": made["topics"]}


def _in_words(check: Check, topics: Sequence[RestoreTopic], there: Mapping[str, int]) -> Check:
    if check.name == "content":
        return check.model_copy(
            update={
                "detail": "read from the target and compared with what a reading of the files of its own found; what "
                "earlier runs verified is not read again"
            }
        )
    if check.name != "partitions":
        return check
    few = [
        f"{topic.name}: {there[topic.name]} instead of {len(topic.source.partitions)}"
        for topic in topics
        if topic.name in there and there[topic.name] < len(topic.source.partitions)
    ]
    return check.model_copy(update={"status": Status.FAIL if few else Status.PASS, "differences": few[:NAMED]})


def _losses(read: Sequence[Read]) -> Check:
    lost: dict[tuple[str, Loss], int] = {}
    for one in read:
        for loss, files in one["lost"].items():
            lost[one["topic"], loss] = lost.get((one["topic"], loss), 0) + files
    named = [f"{topic}: {loss}: {MEANINGS[loss]} ({number_of(count, 'file')})" for (topic, loss), count in lost.items()]
    return Check(
        name="losses",
        status=Status.EXPLAINED if named else Status.PASS,
        expected="key, value, headers and timestamp of every record",
        actual="not all of it" if named else "all of it",
        detail="param accept_losses accepts them" if named else "",
        differences=named[:NAMED],
    )


def _gaps(read: Sequence[Read]) -> Check:
    missing, repeated = (sum(one[what] for one in read) for what in ("missing", "repeated"))
    named = [
        f"{one['topic']}-{one['partition']}: offsets {begin} to {end - 1}" for one in read for begin, end in one["gaps"]
    ]
    found = [number_of(repeated, "record") + " that two files have were taken once"] if repeated else []
    return Check(
        name="gaps",
        status=Status.EXPLAINED if missing else Status.PASS,
        expected="no offset is missing",
        actual=f"{number_of(missing, 'offset')} missing" if missing else "none is missing",
        detail="; ".join([*found, *(["param accept_losses accepts them"] if missing else [])]),
        differences=named[:NAMED],
    )


def _others(count: int, named: Sequence[str]) -> Check:
    return Check(
        name="others",
        status=Status.EXPLAINED if count else Status.PASS,
        expected="only files of the layout",
        actual=f"{number_of(count, 'object')} left out" if count else "only such files",
        differences=list(named)[:NAMED],
    )
