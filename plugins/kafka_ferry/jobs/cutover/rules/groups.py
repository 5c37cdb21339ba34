"""Groups in the window: who keeps on, which positions must be found again, and what is written. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kafka_ferry.core.checks import GroupLine as GroupOnTarget
from kafka_ferry.core.checks import Status
from kafka_ferry.core.commits import Commit
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.words import shown
from kafka_ferry.jobs.cutover.rules.tails import Anchors, Segment, segments_of
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.translate import GroupLine, GroupMark

Commits = Mapping[str, Mapping[Partition, Commit]]
_NAMED = 3
_BEYOND = (
    "its commit on the source is {:,} offsets behind the end of the log there, where its auto.offset.reset would "
    "decide: set to the end of the target's"
)


def restless(
    before: Commits,
    now: Commits,
    working: Collection[str],
    unread: Mapping[str, Collection[Partition]],
) -> dict[str, str]:
    """Groups whose position on the source may still change, to why; empty: none, and what is read is final.

    A group with members that has committed all there is cannot move any further, as nobody writes. One that has not may
    be about to commit what it has in hand; one without members can only be moved from outside.

    :param before: where groups stood at a look before. ``working``: groups with members.
    :param unread: group to partitions on which it has not committed all records.
    """
    found = {}
    for group, places in now.items():
        left = sorted(unread.get(group, ()))
        if group in working and left:
            named = ", ".join(
                f"{topic}-{partition} at {places[topic, partition].offset}" for topic, partition in left[:_NAMED]
            )
            more = f" and {len(left) - _NAMED} more partitions" * (len(left) > _NAMED)
            found[group] = f"group {shown(group)} is at work on the source and has not committed all: {named}{more}"
        elif group not in working and offsets_of(before.get(group, {})) != offsets_of(places):
            found[group] = f"group {shown(group)} has no members, and its offsets on the source keep changing"
    return found


def unsettled_words(groups: Iterable[str]) -> dict[str, str]:
    """Group to why it does not stand."""
    why = "has committed within a transaction that has not ended, so its offsets may still change"
    return {group: f"group {shown(group)} {why}" for group in groups}


def beyond_the_end(lines: Iterable[GroupOnTarget], ends: Mapping[Partition, int]) -> list[GroupOnTarget]:
    """With a word on each group whose commit is behind the end of the source's log, where nothing is to be found: its
    topic was made again, or somebody set the offset.

    :param ends: of the source, where nobody writes.
    """
    told = []
    for line in lines:
        more = line.source_offset - ends.get((line.topic, line.partition), line.source_offset)
        if more > 0 and line.status is not Status.FAIL:
            detail = "; ".join(filter(None, [_BEYOND.format(more), line.detail]))
            told.append(line.model_copy(update={"status": Status.EXPLAINED, "detail": detail}))
        else:
            told.append(line)
    return told


def moved_since(groups: Commits, now: Commits) -> list[str]:
    """Groups that stand elsewhere than before, or nowhere."""
    return sorted(group for group, places in groups.items() if offsets_of(now.get(group, {})) != offsets_of(places))


def offsets_of(places: Mapping[Partition, Commit]) -> dict[Partition, int]:
    return {tp: commit.offset for tp, commit in places.items()}


def known_lines(
    results: Iterable[PartitionResult], commits: Commits, on_target: Commits
) -> dict[tuple[str, Partition], GroupLine]:
    """Lines of the comparison that are still true: the group stands where it stood, and that was compared then.

    One that is ahead on the target by now is none: what it would skip was not counted.
    """
    found = {}
    for result in results:
        tp = result.source_topic, result.partition
        reached = result.anchors[-1][0] if len(result.anchors) > 1 else -1
        for line in result.groups:
            commit = commits.get(line.group, {}).get(tp)
            there = on_target.get(line.group, {}).get((result.target_topic, result.partition))
            ahead = there is not None and there.offset > line.expected_offset
            if commit is not None and commit.offset == line.source_offset <= reached and not ahead:
                found[line.group, tp] = line
    return found


def marks_to_find(
    commits: Commits,
    known: Collection[tuple[str, Partition]],
    on_target: Commits,
    names: Mapping[Partition, Partition],
    kinds: Mapping[str, str],
    acknowledged: Mapping[str, Mapping[Partition, int | None]],
) -> dict[Partition, list[GroupMark]]:
    """Positions that moved since, or that nobody knew, by source partition.

    :param names: source partition to target partition. ``kinds``: groups that are no consumer groups, to their type.
    """  # fmt: skip
    marks: dict[Partition, list[GroupMark]] = {}
    for group, places in commits.items():
        for tp, commit in places.items():
            if (group, tp) in known or tp not in names:
                continue
            there = on_target.get(group, {}).get(names[tp])
            marks.setdefault(tp, []).append(
                GroupMark(
                    group, commit.offset, there.offset if there else None, commit.metadata,
                    there.metadata if there else "", kinds.get(group, ""), acknowledged.get(group, {}).get(tp),
                )
            )  # fmt: skip
    return marks


def marks_by_segment(anchors: Anchors, marks: Iterable[GroupMark]) -> list[tuple[Segment, list[GroupMark]]]:
    """Marks of one partition, by the segment in which each stands."""
    found: dict[Segment, list[GroupMark]] = {}
    for mark in marks:
        (segment,) = segments_of(anchors, [mark.source_offset])
        found.setdefault(segment, []).append(mark)
    return list(found.items())


def with_lines(
    results: Iterable[PartitionResult],
    known: Mapping[tuple[str, Partition], GroupLine],
    found: Mapping[tuple[str, Partition], GroupLine],
    on_target: Commits,
) -> list[PartitionResult]:
    """The results with the groups as they stand now: what was known, with the target's position as it is now, and what
    was found again."""
    lines = {**known, **found}
    by_partition: dict[Partition, list[GroupLine]] = {}
    for (_, tp), line in lines.items():
        by_partition.setdefault(tp, []).append(line)
    made = []
    for result in results:
        mine = by_partition.get((result.source_topic, result.partition), [])
        place = result.target_topic, result.partition
        made.append(
            replace(result, groups=tuple(_as_now(line, on_target.get(line.group, {}).get(place)) for line in mine))
        )
    return made


def _as_now(line: GroupLine, commit: Commit | None) -> GroupLine:
    offset = commit.offset if commit else None
    if offset == line.target_offset:
        return line
    # Nothing of how far it is off was counted for this one: the exact offset is written, or it is judged by offsets.
    return replace(
        line, target_offset=offset, target_metadata=commit.metadata if commit else "", redelivered=0, skipped=0
    )
