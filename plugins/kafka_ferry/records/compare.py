"""Compare one partition on both sides and name every difference: lost, duplicated, reordered, altered, unexpected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from kafka_ferry.records.alignment import Alignment, align, pair_occurrences
from kafka_ferry.records.content import Hashes, Index, PartitionContent

NAMED = 20
"""How many runs of each kind are named; the counts are always exact."""

Kind = Literal["lost", "duplicated", "reordered", "altered", "unexpected", "expired", "stale"]
Status = Literal["pass", "explained", "fail"]


@dataclass(frozen=True)
class Difference:
    """A run of records of one kind, standing next to each other.

    :param source: first and last source offset (both inclusive); ``None`` where the source has no such record. For a
        duplicated run: the records it repeats.
    :param target: first and last target offset; ``None`` for lost records.
    :param parts: for altered records, which parts differ ("key", "value", "header", "timestamp").
    :param source_partition, target_partition: only where a whole topic was compared, for there both can be any.
    """

    kind: Kind
    records: int
    source: tuple[int, int] | None = None
    target: tuple[int, int] | None = None
    parts: tuple[str, ...] = ()
    source_partition: int | None = None
    target_partition: int | None = None

    def __str__(self) -> str:
        places = (("source", self.source_partition, self.source), ("target", self.target_partition, self.target))
        sides = [
            f"{side}{'' if partition is None else f' partition {partition}'} "
            + (f"offset {span[0]}" if span[0] == span[1] else f"offsets {span[0]}-{span[1]}")
            for side, partition, span in places
            if span
        ]
        parts = f" ({', '.join(self.parts)})" if self.parts else ""
        return f"{self.records} {self.kind}{parts}: {', '.join(sides)}"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Difference:
        spans = {side: tuple(data[side]) if data[side] else None for side in ("source", "target")}
        return cls(**{**data, **spans, "parts": tuple(data["parts"])})


@dataclass(frozen=True)
class PartitionComparison:
    """The outcome for one partition. Counts are in records and exact; ``differences`` names the first of each kind.

    :param source_records: source records that had to be on the target (for compacted topics: keys).
    :param target_records: target records that were read (for compacted topics: keys).
    :param in_flight: newer source records that are not on the target yet: live traffic, no fault.
    :param reordered: the fewest records that would have to move to restore the order: 1 for two swapped neighbours.
    :param expired: target records older than all that the source still holds.
    :param stale: compacted topics only: keys whose newest value on the target is an older one.
    :param factor: n when the target holds each record exactly n times.
    :param accounted: how many first source records the target was compared with (translate.py needs it).
    """

    status: Status
    source_records: int
    target_records: int
    in_flight: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    altered: int = 0
    unexpected: int = 0
    expired: int = 0
    stale: int = 0
    factor: int = 1
    accounted: int = 0
    detail: str = ""
    differences: tuple[Difference, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PartitionComparison:
        return cls(**{**data, "differences": tuple(map(Difference.from_json, data["differences"]))})


def compare(
    source: PartitionContent,
    target: PartitionContent,
    frozen_end: int,
    duplicates: Literal["fail", "explain"] = "fail",
    named: int = NAMED,
) -> PartitionComparison:
    """Compare the target with the source, record by record and in order.

    The target's end must have been taken *before* the source's end: then each target record is a source record that was
    read here. Every source record below ``frozen_end`` must be on the target; further target records must be the
    source's next ones, without holes.

    A target that starts with records which the source no longer has is explained, as ``expired``, when the source's log
    start (``source.begin``) is above 0: then retention may have removed them after they were copied.
    """
    required = int(np.searchsorted(source.offsets, frozen_end))
    if required <= len(target) <= len(source) and np.array_equal(source.hashes[: len(target)], target.hashes):
        return PartitionComparison(
            "pass", len(target), len(target), in_flight=len(source) - len(target), accounted=len(target)
        )
    found = align(source.hashes, target.hashes, required)
    runs = _Runs(source.offsets, target.offsets, named)

    repeats_of = first_position(source.hashes, target.hashes[found.extra])
    known = repeats_of >= 0
    repeats, repeats_of, strange = found.extra[known], repeats_of[known], found.extra[~known]
    expired, strange, repeats_of_expired = _expired(source, target, found, strange)
    altered_source, altered_target = _same_place(found, found.lost, strange)
    lost, strange = np.setdiff1d(found.lost, altered_source), np.setdiff1d(strange, altered_target)

    counts: dict[str, int] = {
        "lost": len(lost),
        "duplicated": len(repeats) + len(repeats_of_expired),
        "reordered": len(found.moved_source),
        "altered": len(altered_source),
        "unexpected": len(strange),
        "expired": len(expired),
    }
    factor = factor_of(source.hashes[: found.required], target.hashes, counts)
    differences = (
        *runs.of("lost", lost, None),
        *runs.of("altered", altered_source, altered_target, single=True),
        *runs.of("reordered", found.moved_source, found.moved_target),
        *runs.of("unexpected", None, strange),
        *runs.of("duplicated", repeats_of, repeats),
        *runs.of("duplicated", None, repeats_of_expired),
        *runs.of("expired", None, expired),
    )
    return PartitionComparison(
        status=status_of(counts, duplicates),
        source_records=found.required,
        target_records=len(target),
        in_flight=len(source) - found.required,
        factor=factor,
        accounted=found.required,
        detail=_detail(counts, factor, source, target, found),
        differences=differences,
        **counts,
    )


def status_of(counts: Mapping[str, int], duplicates: str) -> Status:
    if any(counts[kind] for kind in ("lost", "reordered", "altered", "unexpected")):
        return "fail"
    if counts["duplicated"]:
        return "explained" if duplicates == "explain" else "fail"
    return "explained" if counts["expired"] else "pass"


def _detail(
    counts: Mapping[str, int], factor: int, source: PartitionContent, target: PartitionContent, found: Alignment
) -> str:
    said = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    if factor > 1:
        said.append(f"the target holds each record {factor} times")
    if counts["expired"]:
        said.append(f"the source's log start moved on to {source.begin:,} after they were copied")
    if len(found.lost) and found.lost[0] == 0 and target.begin > 0:
        said.append(f"the target's log start is {target.begin:,}: its head was deleted there by retention or by hand")
    return "; ".join(said)


def first_position(hashes: Hashes, wanted: Hashes) -> Index:
    """Return for each wanted hash the first position in ``hashes``, -1 where there is none."""
    if not len(hashes) or not len(wanted):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(hashes, kind="stable")
    at = np.minimum(np.searchsorted(hashes, wanted, sorter=order), len(hashes) - 1)
    return np.where(hashes[order[at]] == wanted, order[at], -1)


def _expired(
    source: PartitionContent, target: PartitionContent, found: Alignment, strange: Index
) -> tuple[Index, Index, Index]:
    """Split strange target records: older than what the source still has, really strange, repeats of the first kind."""
    nothing = strange[:0]
    if source.begin == 0 or not len(strange):
        return nothing, strange, nothing
    ahead = strange[strange < found.chain_target[0]] if len(found.chain_target) else strange
    altered = 0 if not len(found.chain_source) else int(np.searchsorted(found.lost, found.chain_source[0]))
    expired = ahead[: max(0, len(ahead) - altered)]
    rest = strange[len(expired) :]
    repeats = np.isin(target.hashes[rest], target.hashes[expired])
    return expired, rest[~repeats], rest[repeats]


def _same_place(found: Alignment, lost: Index, strange: Index) -> tuple[Index, Index]:
    """Pair lost with strange records that stand between the same two matched ones: altered on the way."""
    left, right = pair_occurrences(
        np.searchsorted(found.chain_source, lost), np.searchsorted(found.chain_target, strange)
    )
    return lost[left], strange[right]


def factor_of(source: Hashes, target: Hashes, counts: Mapping[str, int]) -> int:
    clean = not any(counts[kind] for kind in ("lost", "altered", "unexpected", "expired"))
    if not clean or not len(source) or len(target) % len(source) or len(target) == len(source):
        return 1
    factor = len(target) // len(source)
    return factor if np.array_equal(np.repeat(np.sort(source), factor), np.sort(target)) else 1


@dataclass(frozen=True)
class _Runs:
    """Turns positions into named runs of offsets."""

    source: Index
    target: Index
    named: int

    def of(self, kind: Kind, source: Index | None, target: Index | None, single: bool = False) -> list[Difference]:
        sides = [side for side in (source, target) if side is not None]
        size = len(sides[0])
        if not size:
            return []
        breaks = np.ones(size, dtype=np.bool_)
        if not single:
            breaks[1:] = np.any([np.diff(side) != 1 for side in sides], axis=0)
        starts = np.flatnonzero(breaks)[: self.named + 1]
        ends = np.append(starts[1:], size)[: self.named]
        return [
            Difference(kind, int(end - start), self._span(self.source, source, start, end),
                       self._span(self.target, target, start, end))
            for start, end in zip(starts[: self.named], ends, strict=True)
        ]  # fmt: skip

    @staticmethod
    def _span(offsets: Index, positions: Index | None, start: int, end: int) -> tuple[int, int] | None:
        return None if positions is None else (int(offsets[positions[start]]), int(offsets[positions[end - 1]]))
