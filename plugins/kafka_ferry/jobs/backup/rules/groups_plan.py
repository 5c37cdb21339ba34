"""What a restore does about committed offsets: where each group stands on the target, and what it would get. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.plan import PlannedAction, PlannedCommit, PlannedGroups

KEPT = 200  # lines that plan.json has


class Step(StrEnum):
    """What is done about one group on one partition. What somebody should look at comes first."""

    REWIND = "rewind"
    AHEAD = "ahead"
    ACTIVE = "active"
    RAISE = "raise"
    SET = "set"
    THERE = "there"


WRITTEN = (Step.REWIND, Step.RAISE, Step.SET)

MEANING = {
    Step.REWIND: "is ahead on the target of the backup: set back, as param rewind_groups asks",
    Step.AHEAD: "is ahead on the target of the backup: left there (param rewind_groups sets it back)",
    Step.ACTIVE: "has members on the target: nothing is written meanwhile",
    Step.RAISE: "is behind on the target: raised to the backup's offset",
    Step.SET: "has no commit on the target: set to the backup's offset",
    Step.THERE: "is already there: nothing to do",
}


@dataclass(frozen=True)
class RestoreGroupLine:
    """One group on one partition of the target.

    :param source_offset: committed in the backup, an offset of its source.
    :param would_get: the offset on the target whose record is the group's next one.
    :param about: in a plan: its value is known when the records were counted; the true one is ``would_get`` or less.
    :param target_offset: committed on the target now; None: no commit there.
    :param metadata: that goes along.
    """

    group: str
    topic: str
    partition: int
    source_offset: int
    would_get: int
    target_offset: int | None
    action: Step
    about: bool = False
    metadata: str = ""

    def __str__(self) -> str:
        had = "no commit" if self.target_offset is None else f"{self.target_offset:,}"
        return f"{self.topic}-{self.partition} had {had}, the backup's is {self.would_get:,}: {self.action}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RestoreGroupLine:
        return cls(**{**data, "action": Step(data["action"])})


def restore_group_lines(
    wanted: Mapping[str, Mapping[Partition, Commit]],
    before: Mapping[str, Mapping[Partition, int]],
    there: Mapping[str, Mapping[Partition, Commit]],
    active: Set[str],
    *,
    rewind: bool,
    about: Set[Partition] = frozenset(),
) -> list[RestoreGroupLine]:
    """One line per group and partition, in the order of ``Step``.

    :param wanted: exact commits on the target. ``before``: the same places' offsets in the backup.
    :param there: commits on the target now. ``active``: groups that have members there.
    :param about: partitions whose wanted offsets are upper bounds.
    """
    lines = []
    for group, places in wanted.items():
        for at, exact in places.items():
            now = there.get(group, {}).get(at)
            step = _step(exact, now, group in active, rewind)
            lines.append(
                RestoreGroupLine(
                    group, *at, before[group][at], exact.offset, now.offset if now else None, step, at in about,
                    exact.metadata,
                )
            )  # fmt: skip
    order = list(Step)
    return sorted(lines, key=lambda line: (order.index(line.action), line.group, line.topic, line.partition))


def _step(exact: Commit, now: Commit | None, active: bool, rewind: bool) -> Step:
    if now is not None and now.offset == exact.offset:
        lacks = bool(exact.metadata) and not now.metadata
        return Step.RAISE if lacks and not active else Step.THERE
    if active:
        return Step.ACTIVE
    if now is None:
        return Step.SET
    if now.offset < exact.offset:
        return Step.RAISE
    return Step.REWIND if rewind else Step.AHEAD


def to_write(lines: Iterable[RestoreGroupLine]) -> dict[str, dict[Partition, Commit]]:
    """Group to the commits that shall be made."""
    found: dict[str, dict[Partition, Commit]] = {}
    for line in lines:
        if line.action in WRITTEN:
            found.setdefault(line.group, {})[line.topic, line.partition] = Commit(line.would_get, line.metadata)
    return found


def restored_groups_in_plan(lines: Sequence[RestoreGroupLine], artifact: str | None = None) -> PlannedGroups:
    """What plan.json says of the table.

    :param artifact: where all lines stand, when these are not all.
    """
    counts = {step: sum(line.action is step for line in lines) for step in Step}
    return PlannedGroups(
        lines=len(lines),
        actions=[PlannedAction(action=step, lines=n, meaning=MEANING[step]) for step, n in counts.items() if n],
        active_groups=sorted({line.group for line in lines if line.action is Step.ACTIVE}),
        first=[PlannedCommit(**_without_metadata(line)) for line in lines[:KEPT]],
        more=max(0, len(lines) - KEPT),
        artifact=artifact,
    )


def _without_metadata(line: RestoreGroupLine) -> dict[str, Any]:
    return {key: value for key, value in line.to_json().items() if key != "metadata"}
