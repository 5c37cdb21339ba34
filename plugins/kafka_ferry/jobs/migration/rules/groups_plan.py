"""The dry table of group offsets: where each group stands on both sides, and what will be done about it. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.plan import PlannedAction, PlannedCommit, PlannedGroups
from kafka_ferry.jobs.migration.rules.spec import GroupOffsets, MigrationSpec

#: Lines that plan.json keeps, of 100 B or so each; all stand in the artifact.
KEPT = 200


class Commit(StrEnum):
    """What will be done about one line once its records are on the target. The worst comes first."""

    ACTIVE = "active"
    MM2 = "mm2"
    THERE = "there"
    COMPUTE = "compute"


_BARE = 10

#: For people.
MEANING = {
    Commit.ACTIVE: "active on the target: nothing is written while the group has members there",
    Commit.MM2: "left to MirrorMaker 2's own translation (group_offsets is mm2)",
    Commit.THERE: "has a commit on the target already: raised where it is behind the exact offset, never lowered",
    Commit.COMPUTE: "no commit on the target: the exact offset is computed after the copy and written",
}


@dataclass(frozen=True)
class GroupPlanLine:
    """One group on one partition.

    :param source_offset: committed on the source. ``source_end``: log end, by the isolation level of the run.
    :param lag: records at most that the group has still to read.
    :param target_offset: committed on the target now; None: no commit there.
    """

    group: str
    topic: str
    partition: int
    source_offset: int
    source_end: int
    lag: int
    target_topic: str
    target_offset: int | None
    action: Commit

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def group_lines(
    spec: MigrationSpec,
    committed: Mapping[str, Mapping[Partition, int]],
    ends: Mapping[Partition, int],
    on_target: Mapping[str, Mapping[Partition, int]],
    active: Set[str],
) -> list[GroupPlanLine]:
    """One line per group and partition; within what is done, those with the largest lag first.

    :param committed, on_target: group to commits, on source and target partitions. ``ends``: of source partitions.
    :param active: groups with members on the target.
    """
    lines = []
    for group, offsets in committed.items():
        for (topic, partition), offset in offsets.items():
            end, name = ends.get((topic, partition), offset), spec.target_topic(topic)
            there = on_target.get(group, {}).get((name, partition))
            action = _action(spec, group in active, there)
            lag = max(0, end - offset)
            lines.append(GroupPlanLine(group, topic, partition, offset, end, lag, name, there, action))
    order = list(Commit)
    return sorted(lines, key=lambda line: (order.index(line.action), -line.lag, line.group, line.topic, line.partition))


def _action(spec: MigrationSpec, active: bool, there: int | None) -> Commit:
    if active:
        return Commit.ACTIVE
    if spec.group_offsets is GroupOffsets.MM2:
        return Commit.MM2
    return Commit.COMPUTE if there is None else Commit.THERE


def groups_in_plan(lines: Sequence[GroupPlanLine], artifact: str | None = None) -> PlannedGroups:
    """What plan.json says of the table: its first ``KEPT`` lines.

    :param artifact: where all lines stand, when these are not all.
    """
    counts = {action: sum(line.action is action for line in lines) for action in Commit}
    return PlannedGroups(
        lines=len(lines),
        lag=sum(line.lag for line in lines),
        actions=[
            PlannedAction(action=action, lines=count, meaning=MEANING[action])
            for action, count in counts.items()
            if count
        ],
        active_groups=sorted({line.group for line in lines if line.action is Commit.ACTIVE}),
        first=[PlannedCommit(**line.to_json()) for line in lines[:KEPT]],
        more=max(0, len(lines) - KEPT),
        artifact=artifact,
    )


def uncommitted(
    committed: Mapping[str, Mapping[Partition, int]], ends: Mapping[Partition, int], shares: Collection[str] = ()
) -> list[str]:
    """Where a group that reads a topic has no commit, by group and topic; at most ten lines of at most ten partitions.

    Nothing can be carried there: the group's consumers start by their own ``auto.offset.reset``, on the target as on
    the source.

    :param shares: share groups, of which starts are carried.
    """
    bare: dict[tuple[str, str], list[int]] = {}
    partitions: dict[str, set[int]] = {}
    for topic, partition in ends:
        partitions.setdefault(topic, set()).add(partition)
    for group, offsets in committed.items():
        for topic in {topic for topic, _ in offsets}:
            without = sorted(partitions.get(topic, set()) - {number for name, number in offsets if name == topic})
            if without:
                bare[group, topic] = without
    lines = [
        f"group {group} has no {'start' if group in shares else 'commit'} on {topic}-"
        + ", ".join(map(str, numbers[:_BARE]))
        + f" and {len(numbers) - _BARE} more partitions" * (len(numbers) > _BARE)
        + f": nothing to copy there, its consumers start by {'share.' * (group in shares)}auto.offset.reset"
        for (group, topic), numbers in sorted(bare.items())[:_BARE]
    ]
    more = len(bare) - len(lines)
    return [*lines, *([f"... and {more:,} more groups and topics with partitions without a commit"] if more else [])]


def all_groups(lines: Iterable[GroupPlanLine]) -> str:
    """The artifact groups_plan.json: ``{"columns": [...], "lines": [[...], ...]}``, a line of text each: 50,000 of them
    are 5 MB, a third of what plan.json's way of writing would take."""
    columns = [field.name for field in fields(GroupPlanLine)]
    rows = (json.dumps([getattr(line, name) for name in columns]) for line in lines)
    return f'{{"columns": {json.dumps(columns)}, "lines": [\n' + ",\n".join(rows) + "\n]}\n"
