"""Translate committed offsets of groups, and starts of share groups, by record identity.

A group that committed ``c`` on the source still has to get the source records at offset >= c. Its exact offset on the
target is the **largest** one from which all of these that are on the target are still ahead: no record skipped, as few
as possible delivered again. That rule holds under transactions (markers shift offsets), records sent twice, cut heads
and reordering; where the target is a plain copy it is position arithmetic.

Known limitation: on compacted topics only the records that survive on both sides can be matched. A record that the
target's cleaner removed is no longer waited for: a newer value of its key is ahead as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from kafka_ferry.records.content import Hashes, Index, PartitionContent

_FREE = np.iinfo(np.int64).max  # "no limit"

LineStatus = Literal["exact", "redelivered", "skipped", "missing", "before_start", "beyond_end"]


@dataclass(frozen=True)
class GroupMark:
    """Where a group stands: its committed offset on the source, and on the target (``None``: no commit there).

    :param metadata: what it noted beside its commit on the source; ``target_metadata`` on the target.
    :param kind: of what type it is where it is no consumer group: ``share`` or ``streams``.
    :param acknowledged: of a share group: source records behind its start that it is done with; None: not known.
    """

    group: str
    source_offset: int
    target_offset: int | None = None
    metadata: str = ""
    target_metadata: str = ""
    kind: str = ""
    acknowledged: int | None = None


@dataclass(frozen=True)
class GroupLine:
    """How a group's committed offset on the target compares with the exact one.

    :param expected_offset: the exact target offset.
    :param redelivered: target records that the group would get although it had committed past them.
    :param skipped: records the group has not had and would not get: LOSS.
    :param source_lag: records ahead of the group on the source; ``target_lag`` alike (``None`` without a commit).
    :param metadata, target_metadata, kind, acknowledged: as the mark has them.
    :param status: "missing": no commit on the target. "before_start" / "beyond_end": the committed offset is outside
        the target's log, so the consumer's ``auto.offset.reset`` decides where it resumes.
    """

    group: str
    source_offset: int
    target_offset: int | None
    expected_offset: int
    redelivered: int
    skipped: int
    source_lag: int
    target_lag: int | None
    status: LineStatus
    metadata: str = ""
    target_metadata: str = ""
    kind: str = ""
    acknowledged: int | None = None

    @property
    def is_loss(self) -> bool:
        """True when records would be lost, or may be, depending on ``auto.offset.reset``."""
        return self.status in ("skipped", "before_start", "beyond_end")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GroupLine:
        return cls(**data)


def translate(
    source: PartitionContent, target: PartitionContent, marks: Iterable[GroupMark], accounted: int | None = None
) -> list[GroupLine]:
    """Return a line per mark, in the same order. Many marks cost little more than one.

    :param source: read from the log start; a mark before ``source.begin`` counts as standing there.
    :param target: read up to an end taken *after* the groups' commits on the target, else they seem beyond the end.
    :param accounted: ``PartitionComparison.accounted``: later source records are not on the target yet, so they bind
        no group; they will be appended behind ``target.end``.
    """
    known = len(source) if accounted is None else accounted
    limits = _limits(source.hashes[:known], target.hashes)
    tightest = np.append(np.minimum.accumulate(limits[::-1])[::-1], _FREE)
    return [_line(source, target, mark, limits, tightest) for mark in marks]


def _limits(source: Hashes, target: Hashes) -> Index:
    """Return for each source record the target position that a group which still needs it must not be past.

    A group that needs m records of one hash must have the last m of them ahead. So the record that is r-th from last of
    its hash on the source binds the group to the r-th from last on the target, if there are that many.
    """
    size = len(source)
    if np.array_equal(source, target):
        return np.arange(size, dtype=np.int64)
    limits = np.full(size, _FREE, dtype=np.int64)
    order = np.argsort(target, kind="stable")
    in_order = target[order]
    first, end = np.searchsorted(in_order, source, "left"), np.searchsorted(in_order, source, "right")
    at = end - 1 - _rank_from_last(source)
    bound = at >= first
    limits[bound] = order[at[bound]]
    return limits


def _rank_from_last(hashes: Hashes) -> Index:
    """Return for each element how many equal ones come after it."""
    order = np.argsort(hashes[::-1], kind="stable")
    in_order = hashes[::-1][order]
    fresh = np.ones(len(hashes), dtype=np.bool_)
    fresh[1:] = in_order[1:] != in_order[:-1]
    starts = np.flatnonzero(fresh)
    ranks = np.empty(len(hashes), dtype=np.int64)
    ranks[order] = np.arange(len(hashes)) - np.repeat(starts, np.diff(np.append(starts, len(hashes))))
    return ranks[::-1]


def _line(
    source: PartitionContent, target: PartitionContent, mark: GroupMark, limits: Index, tightest: Index
) -> GroupLine:
    start = int(np.searchsorted(source.offsets, mark.source_offset))
    expected = min(int(tightest[min(start, len(limits))]), len(target))
    expected_offset = int(target.offsets[expected]) if expected < len(target) else target.end
    redelivered = skipped = 0
    target_lag = None
    status: LineStatus = "missing"
    if mark.target_offset is not None:
        reached = int(np.searchsorted(target.offsets, mark.target_offset))
        redelivered = max(0, expected - reached)
        if reached > expected:
            skipped = int(np.count_nonzero(limits[start:] < reached))
        target_lag = len(target) - reached
        status = _status(mark.target_offset, target, redelivered, skipped)
    return GroupLine(
        group=mark.group,
        source_offset=mark.source_offset,
        target_offset=mark.target_offset,
        expected_offset=expected_offset,
        redelivered=redelivered,
        skipped=skipped,
        source_lag=len(source) - start,
        target_lag=target_lag,
        status=status,
        metadata=mark.metadata,
        target_metadata=mark.target_metadata,
        kind=mark.kind,
        acknowledged=mark.acknowledged,
    )


def _status(committed: int, target: PartitionContent, redelivered: int, skipped: int) -> LineStatus:
    if skipped:
        return "skipped"
    if committed > target.end:
        return "beyond_end"
    if committed < target.begin:
        return "before_start"
    return "redelivered" if redelivered else "exact"
