"""What a restore proves, as lines of the report. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kafka_ferry.backup.restore_plan import RestoreTopic
from kafka_ferry.migration.topics import TopicState
from kafka_ferry.report.model import Check, GroupLine, Status, TopicLine
from kafka_ferry.report.words import number_of

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
        if missing:
            detail = f"{missing} partition(s) were not compared; {detail}".rstrip("; ")
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
                status=Status.FAIL if wrong or missing else Status.PASS,
                detail=detail[:2000],
            )
        )
    return result


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
    differing = [f"{line.target}: {line.detail}" for line in lines if line.status is not Status.PASS]
    partitions = sum(line.partitions for line in lines)
    return [
        _check("topics", number_of(len(topics), "topic"), absent, "on the target"),
        _check(
            "partitions", number_of(sum(len(topic.source.partitions) for topic in topics), "partition"), wrong, "there"
        ),
        Check(
            name="counts",
            status=Status.PASS if expected == actual else Status.FAIL,
            expected=f"{expected:,} records",
            actual=f"{actual:,} records",
        ),
        Check(
            name="content",
            status=Status.FAIL if differing else Status.PASS,
            expected=f"{number_of(partitions, 'partition')} as in the manifest",
            actual=f"{len(differing):,} topics differ" if differing else "the same, by fingerprint",
            detail="every restored record was read back and hashed",
            differences=differing[:NAMED],
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
        expected=f"{compared + gone:,} records as the source has them",
        actual=f"{len(differences)} segments differ" if differences else f"{compared:,} compared, the same",
        detail=f"{gone:,} records are in segments that the source no longer holds whole" if gone else "",
        differences=differences[:NAMED],
    )


def group_lines(
    wanted: Mapping[str, Mapping[tuple[str, int], tuple[int, int]]],
    committed: Mapping[str, Mapping[tuple[str, int], int]],
    refused: Mapping[str, str],
) -> list[GroupLine]:
    """One line a group and partition.

    :param wanted: group to target partition to (offset in the backup, exact offset on the target).
    :param committed: what is there now.
    """
    return [
        GroupLine(
            group=group,
            topic=at[0],
            partition=at[1],
            source_offset=before,
            target_offset=(there := committed.get(group, {}).get(at)),
            expected_offset=exact,
            redelivered=None if there is None else max(0, exact - there),
            status=Status.PASS if there == exact else Status.FAIL,
            detail="" if there == exact else refused.get(group, "it was not committed"),
        )
        for group, places in sorted(wanted.items())
        for at, (before, exact) in sorted(places.items())
    ]


def group_checks(lines: Sequence[GroupLine], why_not: str = "") -> list[Check]:
    """Groups and their offsets.

    :param why_not: they were not restored.
    """
    if why_not:
        return [Check(name=name, status=Status.SKIPPED, detail=why_not) for name in ("groups", "group_offsets")]
    groups = {line.group for line in lines}
    wrong = [f"{line.group} on {line.topic}-{line.partition}: {line.detail}" for line in lines
             if line.status is not Status.PASS]  # fmt: skip
    absent = sorted(groups - {line.group for line in lines if line.target_offset is not None})
    return [
        _check("groups", number_of(len(groups), "group"), absent, "there"),
        _check("group_offsets", number_of(len(lines), "committed offset"), wrong, "exact"),
    ]
