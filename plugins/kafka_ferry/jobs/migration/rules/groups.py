"""Group offsets: what to commit on the target, and how each line is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from kafka_ferry.core.checks import GroupLine, Status
from kafka_ferry.core.commits import Commit, metadata_difference
from kafka_ferry.core.group_types import SHARE
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.words import number_of
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.translate import GroupLine as Translated

_RESET, _SHARE_RESET = "auto.offset.reset", "share.auto.offset.reset (latest by default)"


def commits_to_write(results: Iterable[PartitionResult], active: Set[str]) -> dict[str, dict[Partition, Commit]]:
    """Group to commits on target partitions: the exact offset where there is no commit or one that is behind, with the
    metadata of the source's. Where only the metadata is missing it is added.

    A commit that is ahead is left: whoever ran ahead on the target may have been meant to; it is reported as loss. So
    is metadata that somebody else wrote.
    """
    commits: dict[str, dict[Partition, Commit]] = {}
    for result in results:
        for line in result.groups:
            behind = line.target_offset is None or line.target_offset < line.expected_offset
            if (behind or _lacks_metadata(line)) and line.group not in active:
                place = result.target_topic, result.partition
                commits.setdefault(line.group, {})[place] = Commit(line.expected_offset, line.metadata)
    return commits


def kinds_of(results: Iterable[PartitionResult]) -> dict[str, str]:
    """Groups that are no consumer groups, to their type: ``share`` or ``streams``."""
    return {line.group: line.kind for result in results for line in result.groups if line.kind}


def _lacks_metadata(line: Translated) -> bool:
    return line.target_offset == line.expected_offset and bool(line.metadata) and not line.target_metadata


def judge_groups(
    results: Iterable[PartitionResult],
    committed_now: Mapping[str, Mapping[Partition, Commit]],
    refused: Mapping[str, str],
    source_now: Mapping[str, Mapping[Partition, Commit]] | None = None,
) -> list[GroupLine]:
    """One line per group and partition.

    :param committed_now: per group the commits on the target as they are now.
    :param refused: group to why its offsets could not be written.
    :param source_now: per group the commits on the source, read after those on the target: a group at work there moves
        on, and MirrorMaker 2 carries it on.
    """
    lines = []
    for result in results:
        for line in result.groups:
            now = committed_now.get(line.group, {}).get((result.target_topic, result.partition))
            here = (source_now or {}).get(line.group, {}).get((result.source_topic, result.partition))
            moved_on = max(0, here.offset - line.source_offset) if here is not None else 0
            lines.append(_judge(result, line, now, refused, moved_on))
    return lines


def _judge(
    result: PartitionResult, line: Translated, commit: Commit | None, refused: Mapping[str, str], moved_on: int
) -> GroupLine:
    now = commit.offset if commit else None
    status, redelivered, detail = _verdict(result, line, now, moved_on)
    # Beside another offset than the source's it is another note, and says nothing.
    if status is Status.PASS and commit and (other := metadata_difference(line.metadata, commit.metadata)):
        status, detail = Status.EXPLAINED, other
    if line.kind == SHARE:
        status, redelivered, detail = _of_share_group(status, redelivered, detail, line)
    elif line.kind:
        detail = f"{line.kind} group" + f": {detail}" * bool(detail)
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


def _of_share_group(
    status: Status, redelivered: int | None, detail: str, line: Translated
) -> tuple[Status, int | None, str]:
    """A share group is done with records behind its start, in any order: from there it gets them again."""
    if status is not Status.PASS:
        return status, redelivered, f"share group: {detail.replace(_RESET, _SHARE_RESET)}"
    if line.acknowledged is None:
        return status, redelivered, "share group: what it had in flight on the source is delivered again"
    if not line.acknowledged:
        return status, redelivered, "share group"
    again = number_of(line.acknowledged, "record")
    text = f"share group, at its exact start: {again} behind it that it is done with would be delivered again"
    return Status.EXPLAINED, line.acknowledged, text


def _verdict(
    result: PartitionResult, line: Translated, now: int | None, moved_on: int
) -> tuple[Status, int | None, str]:
    if now == line.expected_offset:
        return Status.PASS, 0, ""
    if now is None:
        if not result.target.count:
            return Status.EXPLAINED, 0, "no commit on the target, but the partition holds no record"
        why = f"no commit on the target: the consumer would start at its {_RESET}, and may lose records"
        return Status.FAIL, None, why
    if now != line.target_offset:
        return _moved(line, now, moved_on)
    if line.skipped:
        return Status.FAIL, 0, f"ahead: {number_of(line.skipped, 'record')} would never be delivered"
    if line.is_loss:
        return Status.FAIL, None, f"the commit {now} is {line.status.replace('_', ' ')} of the target's log"
    if not line.redelivered:  # on a marker or in a compacted hole: another number, the same next record
        return Status.PASS, 0, ""
    again = f"behind: {number_of(line.redelivered, 'record')} would be delivered again"
    return Status.EXPLAINED, line.redelivered, again


def _moved(line: Translated, now: int, moved_on: int) -> tuple[Status, int | None, str]:
    """The commit is neither the exact one nor the one that was compared: someone committed since.

    :param moved_on: offsets the group has committed on the source since it was compared. On the target their records
        take at most as many offsets: no markers are copied, and records sent again only make this stricter.
    """
    if now > line.expected_offset:
        ahead = f"{number_of(now - line.expected_offset, 'offset')} ahead"
        if now - line.expected_offset <= moved_on:
            text = (
                f"active on the source: {number_of(moved_on, 'offset')} committed there since the comparison, "
                f"{now - line.expected_offset:,} on the target. For an exact line stop its consumers, clear fingerprint"
            )
            return Status.EXPLAINED, None, text
        return Status.FAIL, 0, f"{ahead}: a consumer is active on the target, or records would never be delivered"
    behind = line.expected_offset - now
    return Status.EXPLAINED, behind, f"at most {number_of(behind, 'record')} would be delivered again"
