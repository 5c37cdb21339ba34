"""What came since contents were compared: positions that are equal on both sides, and how comparisons add up. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kafka_ferry.records.compare import Kind, PartitionComparison, status_of
from kafka_ferry.records.content import PartitionContent

Anchors = tuple[tuple[int, int], ...]
_NAMED = 20


@dataclass(frozen=True)
class Segment:
    """Between two anchors: source offsets ``source[0] <= offset < source[1]`` are these of the target."""

    source: tuple[int, int]
    target: tuple[int, int]


def segments_of(anchors: Anchors, offsets: Iterable[int]) -> list[Segment]:
    """The segments in which these source offsets stand, each once. An offset before the first anchor stands in the
    first segment, one behind the last in the last.

    :param anchors: two at least, ascending.
    """
    starts = [source for source, _ in anchors[:-1]]
    places = {max(0, bisect_right(starts, offset) - 1) for offset in offsets}
    return [
        Segment((anchors[at][0], anchors[at + 1][0]), (anchors[at][1], anchors[at + 1][1])) for at in sorted(places)
    ]


def grown(anchors: Anchors, source: int, target: int) -> Anchors:
    """With a place that was found to be equal; nothing is added where nothing moved."""
    return anchors if (source, target) == anchors[-1] else (*anchors, (source, target))


def summed(base: PartitionComparison, tail: PartitionComparison) -> PartitionComparison:
    """The comparison of all from that of what was there before and that of what came since."""
    order = ("pass", "explained", "fail")
    kinds = ("source_records", "target_records", "lost", "duplicated", "reordered", "altered", "unexpected", "stale")
    counts = {kind: getattr(base, kind) + getattr(tail, kind) for kind in kinds}
    return replace(
        base,
        status=max(base.status, tail.status, key=order.index),
        in_flight=tail.in_flight,
        accounted=base.accounted + tail.accounted,
        detail="; ".join(filter(None, (base.detail, tail.detail))),
        differences=(*base.differences, *tail.differences)[:_NAMED],
        **counts,
    )


def sent_again(
    found: PartitionComparison, source: PartitionContent, target: PartitionContent, before: PartitionContent,
    duplicates: Literal["fail", "explain"],
) -> PartitionComparison:  # fmt: skip
    """The comparison of a tail in which target records stand before its first: copies of what was compared earlier,
    which a replication sends again that broke off, or somebody else's.

    :param before: source records right before the tail.
    """
    unknown = target.hashes[~np.isin(target.hashes, source.hashes)]
    others = min(found.expired, int((~np.isin(unknown, before.hashes)).sum()))
    kind: Kind = "unexpected" if others else "duplicated"
    counts = {name: getattr(found, name) for name in ("lost", "duplicated", "reordered", "altered", "unexpected")}
    counts["duplicated"] += found.expired - others
    counts["unexpected"] += others
    return replace(
        found,
        **counts,
        expired=0,
        status=status_of({**counts, "expired": 0}, duplicates),
        detail="; ".join(f"{count:,} {name}" for name, count in counts.items() if count),
        differences=tuple(replace(one, kind=kind) if one.kind == "expired" else one for one in found.differences),
    )


def most_behind(behind: dict[tuple[str, int], int], named: int = 5) -> str:
    """Partitions with most left, for people."""
    worst: Sequence[tuple[tuple[str, int], int]] = sorted(behind.items(), key=lambda item: (-item[1], item[0]))
    left = [f"{topic}-{partition}: {count:,} records" for (topic, partition), count in worst if count][:named]
    more = sum(1 for _, count in worst if count) - len(left)
    return ", ".join(left) + f" and {more} more partitions" * (more > 0)
