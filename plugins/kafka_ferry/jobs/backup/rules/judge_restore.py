"""What a restore proves, as lines of the report. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kafka_ferry.core.checks import Check, GroupLine, Status, TopicLine, worst
from kafka_ferry.core.commits import Commit, metadata_difference
from kafka_ferry.core.group_types import is_other
from kafka_ferry.core.topics import TopicState
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.backup.rules.groups_plan import RestoreGroupLine, Step
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic

NAMED = 200
Line = Mapping[str, Any]


def restored_topics(topics: Sequence[RestoreTopic], lines: Sequence[Line]) -> list[TopicLine]:
    """One line a topic.

    :param lines: ``RestoredPartition`` as JSON, of all partitions.
    """
    result = []
    for topic in topics:
        mine = [line for line in lines if line["topic"] == topic.name]
        wrong = [line for line in mine if line["detail"]]
        missing = len(topic.partitions) - len(mine)
        detail = "; ".join(f"partition {line['partition']}: {line['detail']}" for line in wrong)
        retimed = sum(line.get("retimed", 0) for line in mine)
        if retimed and not detail:
            detail = retimed_text(retimed)
        if missing:
            detail = f"not compared: {number_of(missing, 'partition')}; {detail}".rstrip("; ")
        result.append(
            TopicLine(
                source=topic.source.name,
                target=topic.name,
                partitions=len(topic.partitions),
                source_records=sum(line["expected"] for line in mine),
                target_records=sum(line["actual"] for line in mine),
                lost=sum(line["lost"] for line in mine),
                duplicated=sum(line["duplicated"] for line in mine),
                reordered=sum(line["reordered"] for line in mine),
                status=Status.FAIL if wrong or missing else Status.EXPLAINED if retimed else Status.PASS,
                detail=detail[:2000],
            )
        )
    return result


def retimed_text(records: int) -> str:
    """What is said of records whose time librdkafka cannot send."""
    return (
        f"{number_of(records, 'record')} of 1970-01-01 00:00:00.000 arrived as 1 ms later: librdkafka reads 0 as "
        "the current time"
    )


def restore_checks(
    topics: Sequence[RestoreTopic], target: Mapping[str, TopicState], lines: Sequence[TopicLine]
) -> list[Check]:
    """Topics, partitions, counts and content.

    :param target: the topics that are there, by name.
    """
    absent = [topic.name for topic in topics if topic.name not in target]
    wrong = [
        f"{topic.name}: {target[topic.name].partitions} partitions, {len(topic.source.partitions)} in the backup"
        for topic in topics
        if topic.name in target and target[topic.name].partitions < len(topic.source.partitions)
    ]
    expected = sum(line.source_records or 0 for line in lines)
    actual = sum(line.target_records or 0 for line in lines)
    differing = [f"{line.target}: {line.detail}" for line in lines if line.status is Status.FAIL]
    explained = [f"{line.target}: {line.detail}" for line in lines if line.status is Status.EXPLAINED]
    partitions = sum(line.partitions for line in lines)
    return [
        _check("topics", number_of(len(topics), "topic"), absent, "on the target"),
        _check(
            "partitions", number_of(sum(len(topic.source.partitions) for topic in topics), "partition"), wrong, "there"
        ),
        Check(
            name="counts",
            status=Status.PASS if expected == actual else Status.FAIL,
            expected=number_of(expected, "record"),
            actual=number_of(actual, "record"),
        ),
        Check(
            name="content",
            status=Status.FAIL if differing else Status.EXPLAINED if explained else Status.PASS,
            expected=f"{number_of(partitions, 'partition')} as in the manifest",
            actual=f"{number_of(len(differing), 'topic')} not the same" if differing else "the same, by fingerprint",
            detail="every restored record was read back and hashed",
            differences=(differing or explained)[:NAMED],
        ),
    ]


def _check(name: str, expected: str, wrong: Sequence[str], there: str) -> Check:
    status = Status.FAIL if wrong else Status.PASS
    actual = f"{len(wrong)} are not" if wrong else f"all {there}"
    return Check(name=name, status=status, expected=expected, actual=actual, differences=list(wrong)[:NAMED])


def source_check(lines: Sequence[Line] | None) -> Check:
    """The backup against what the source still has.

    :param lines: ``SourceLine`` as JSON; None when no source was named.
    """
    if lines is None:
        return Check(name="source", status=Status.SKIPPED, detail="no source_conn_id: compared with the manifest only")
    differences = [text for line in lines for text in line["differences"]]
    gone, compared = (sum(line[key] for line in lines) for key in ("gone", "compared"))
    status = Status.FAIL if differences else Status.PASS if compared and not gone else Status.EXPLAINED
    return Check(
        name="source",
        status=status,
        expected=f"{number_of(compared + gone, 'record')} as the source has them",
        actual=(
            f"{number_of(len(differences), 'segment')} not the same"
            if differences
            else f"{compared:,} compared, the same"
        ),
        detail=f"in segments that the source no longer holds completely: {number_of(gone, 'record')}" if gone else "",
        differences=differences[:NAMED],
    )


def group_lines(
    steps: Sequence[RestoreGroupLine],
    committed: Mapping[str, Mapping[tuple[str, int], Commit]],
    refused: Mapping[str, str],
    ends: Mapping[tuple[str, int], int],
) -> list[GroupLine]:
    """One line a group and partition.

    :param steps: what was to be done. ``committed``: what is there now. ``ends``: log ends on the target.
    """
    lines = []
    for step in sorted(steps, key=lambda one: (one.group, one.topic, one.partition)):
        at = step.topic, step.partition
        now = committed.get(step.group, {}).get(at)
        status, detail = _group_verdict(step, now, refused.get(step.group, ""), ends.get(at, 0))
        lines.append(
            GroupLine(
                group=step.group,
                topic=step.topic,
                partition=step.partition,
                source_offset=step.source_offset,
                target_offset=now.offset if now else None,
                expected_offset=step.would_get,
                redelivered=None if now is None else max(0, step.would_get - now.offset),
                status=status,
                detail=detail,
            )
        )
    return lines


def _group_verdict(step: RestoreGroupLine, now: Commit | None, refused: str, end: int) -> tuple[Status, str]:
    if now is not None and now.offset == step.would_get:
        other = metadata_difference(step.metadata, now.metadata) if step.metadata else ""
        return (Status.EXPLAINED, other) if other else (Status.PASS, "")
    if step.action is Step.ACTIVE and not refused:
        refused = "it has active members on the target"
    if now is None or now.offset < step.would_get or (step.action is Step.REWIND and refused):
        return Status.FAIL, refused or "no offset was committed"
    if now.offset > end:
        return Status.FAIL, (
            f"is at {now.offset:,}, beyond the log's end at {end:,}: its consumers would start at "
            "auto.offset.reset. Fix: rewind_groups"
        )
    ahead = f"is {number_of(now.offset - step.would_get, 'offset')} further than the backup has it"
    if step.action is Step.AHEAD:
        return Status.EXPLAINED, f"{ahead}, and was left there (param rewind_groups sets it back)"
    return Status.EXPLAINED, f"{ahead}: it is consuming on the target"


def left_out_check(left_out: Mapping[str, str]) -> list[Check]:
    """Groups that do not come back, by name with the reason; no check where there are none."""
    if not left_out:
        return []
    order = sorted(left_out.items(), key=lambda item: (not is_other(item[1]), item))
    other = sum(is_other(why) for _, why in order)
    return [
        Check(
            name="groups_left_out",
            status=Status.EXPLAINED if other else Status.PASS,
            expected="no group is left out silently",
            actual=f"{number_of(len(order), 'group')} named",
            detail=f"{other:,} of other types, which cannot be backed up" if other else "",
            differences=[f"{shown(group)}: {why}" for group, why in order][:NAMED],
        )
    ]


def group_checks(lines: Sequence[GroupLine], why_not: str = "") -> list[Check]:
    """Groups and their offsets.

    :param why_not: they were not restored.
    """
    if why_not:
        return [Check(name=name, status=Status.SKIPPED, detail=why_not) for name in ("groups", "group_offsets")]
    groups = {line.group for line in lines}
    named = [f"{shown(line.group)} on {line.topic}-{line.partition}: {line.detail}" for line in lines
             if line.status is not Status.PASS]  # fmt: skip
    absent = sorted(groups - {line.group for line in lines if line.target_offset is not None})
    offsets = Check(
        name="group_offsets",
        status=worst([line.status for line in lines]),
        expected=number_of(len(lines), "committed offset"),
        actual=f"{len(lines) - len(named):,} exact" if named else "all exact",
        differences=named[:NAMED],
    )
    return [_check("groups", number_of(len(groups), "group"), absent, "there"), offsets]
