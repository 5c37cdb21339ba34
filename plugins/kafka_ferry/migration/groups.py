"""Group offsets: what to commit on the target, and how each line is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from kafka_ferry.migration.convergence import Partition
from kafka_ferry.report.model import GroupLine, Status
from kafka_ferry.verification.job import PartitionResult
from kafka_ferry.verification.translate import GroupLine as Translated


def commits_to_write(results: Iterable[PartitionResult], active: Set[str]) -> dict[str, dict[Partition, int]]:
    """Group to commits on target partitions: the exact offset where there is no commit or one that is behind.

    A commit that is ahead is left: whoever ran ahead on the target may have been meant to; it is reported as loss.
    """
    commits: dict[str, dict[Partition, int]] = {}
    for result in results:
        for line in result.groups:
            behind = line.target_offset is None or line.target_offset < line.expected_offset
            if behind and line.group not in active:
                place = result.target_topic, result.partition
                commits.setdefault(line.group, {})[place] = line.expected_offset
    return commits


def judge_groups(
    results: Iterable[PartitionResult],
    committed_now: Mapping[str, Mapping[Partition, int]],
    refused: Mapping[str, str],
) -> list[GroupLine]:
    """One line per group and partition.

    :param committed_now: per group the commits on the target as they are now.
    :param refused: group to why its offsets could not be written.
    """
    return [
        _judge(result, line, committed_now.get(line.group, {}).get((result.target_topic, result.partition)), refused)
        for result in results
        for line in result.groups
    ]


def _judge(result: PartitionResult, line: Translated, now: int | None, refused: Mapping[str, str]) -> GroupLine:
    status, redelivered, detail = _verdict(result, line, now)
    if status is not Status.PASS and line.group in refused:
        detail = f"{detail}; not written: {refused[line.group]}"
    return GroupLine(
        group=line.group,
        topic=result.source_topic,
        partition=result.partition,
        source_offset=line.source_offset,
        target_offset=now,
        expected_offset=line.expected_offset,
        redelivered=redelivered,
        status=status,
        detail=detail,
    )


def _verdict(result: PartitionResult, line: Translated, now: int | None) -> tuple[Status, int | None, str]:
    if now == line.expected_offset:
        return Status.PASS, 0, ""
    if now is None:
        if not result.target.count:
            return Status.EXPLAINED, 0, "no commit on the target, but the partition holds no record"
        why = "no commit on the target: the consumer would start at its auto.offset.reset, and may lose records"
        return Status.FAIL, None, why
    if now != line.target_offset:
        return _moved(line, now)
    if line.skipped:
        return Status.FAIL, 0, f"ahead: {line.skipped:,} records would never be delivered"
    if line.is_loss:
        return Status.FAIL, None, f"the commit {now} is {line.status.replace('_', ' ')} of the target's log"
    if not line.redelivered:  # on a marker or in a compacted hole: another number, the same next record
        return Status.PASS, 0, ""
    return Status.EXPLAINED, line.redelivered, f"behind: {line.redelivered:,} records would be delivered again"


def _moved(line: Translated, now: int) -> tuple[Status, int | None, str]:
    """The commit is neither the exact one nor the one that was compared: someone committed since."""
    if now > line.expected_offset:
        ahead = f"{now - line.expected_offset:,} offsets ahead"
        return Status.FAIL, 0, f"{ahead}: a consumer is at work on the target, or records would never be delivered"
    behind = line.expected_offset - now
    return Status.EXPLAINED, behind, f"at most {behind:,} records would be delivered again"
