"""Compare a topic whose records may arrive in other partitions, as with MirrorMaker 1, which rehashes keys: as a
multiset of records over all partitions, and per key in order.

Both sides are sorted by key, and within a key by place. Then what holds for a partition holds for the whole: the
longest common subsequence tells lost, duplicated and reordered records apart (``alignment.py``), for records of
different keys never match. Where Kafka knows no order there is none to compare: records without a key, and keys whose
records stand in more than one source partition. These are sorted by hash, and only counted.

A changed record is ``altered`` when its key is unchanged and has an order: then the missing and the strange record
stand between the same two others of their key. In all other cases it is one lost and one unexpected record: nothing
ties the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kafka_ferry.records.alignment import Alignment, align, pair_occurrences
from kafka_ferry.records.compare import (
    NAMED,
    Difference,
    Kind,
    PartitionComparison,
    factor_of,
    first_position,
    status_of,
)
from kafka_ferry.records.content import Hashes, Index
from kafka_ferry.records.record_hash import NULL_KEY
from kafka_ferry.records.topic_content import Flags, TopicContent

_NEVER = np.iinfo(np.int64).max
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Unordered:
    """What could be counted but not put in order.

    :param keyless: source records without a key.
    :param apart: keys in more than one source partition.
    :param scattered: keys of one source partition that stand in more than one target partition.
    """

    keyless: int = 0
    apart: int = 0
    scattered: int = 0

    def __add__(self, other: Unordered) -> Unordered:
        return Unordered(self.keyless + other.keyless, self.apart + other.apart, self.scattered + other.scattered)

    def notes(self) -> list[str]:
        """For people."""
        said = {
            "records without a key: they have no order": self.keyless,
            "keys in several source partitions: no order between these": self.apart,
            "keys spread over several target partitions: their order is lost": self.scattered,
        }
        return [f"{count:,} {text}" for text, count in said.items() if count]


def compare_topic(
    source: TopicContent,
    target: TopicContent,
    frozen_ends: Mapping[int, int],
    duplicates: Literal["fail", "explain"] = "fail",
    named: int = NAMED,
) -> tuple[PartitionComparison, Unordered]:
    """Compare a whole topic on the target with the source; the comparison's ``detail`` is left empty.

    Take the target's ends *before* the source's: then each target record is a source record that was read here. Every
    source record below its partition's ``frozen_ends`` must be on the target, and every later one that is followed, on
    the target, by a record of its key.

    Target records that the source does not have are ``expired`` when they may be: a source partition's log start is
    above 0, and they stand before all that the target holds of what is left of it, and of their own key.
    """
    keys = _Keys.of(source, target)
    at_source, at_target = keys.arranged(source), keys.arranged(target)
    found = align(source.hashes[at_source], target.hashes[at_target], len(source))

    late = ~source.below(frozen_ends)[at_source[found.lost]] & ~_overtaken(
        source.keys[at_source], found, keys.unordered
    )
    lost, in_flight = found.lost[~late], int(late.sum())
    repeats_of = first_position(source.hashes, target.hashes[at_target[found.extra]])
    known = repeats_of >= 0
    repeats, repeats_of, strange = at_target[found.extra[known]], repeats_of[known], found.extra[~known]
    left, right = _same_place(source.keys[at_source], target.keys[at_target], found, lost, strange, keys.unordered)
    altered_source, altered_target = at_source[left], at_target[right]
    lost, strange = at_source[np.setdiff1d(lost, left)], at_target[np.setdiff1d(strange, right)]
    expired = _expired(source, target, at_source, at_target, found, strange)
    strange = np.setdiff1d(strange, expired)
    strays = _strays(target, np.setdiff1d(keys.scattered, target.keys[at_target[found.extra]]))

    sides: list[tuple[Kind, Index | None, Index | None]] = [
        ("lost", lost, None),
        ("altered", altered_source, altered_target),
        ("reordered", at_source[found.moved_source], at_target[found.moved_target]),
        ("reordered", None, strays),
        ("unexpected", None, strange),
        ("duplicated", repeats_of, repeats),
        ("expired", None, expired),
    ]
    counts: dict[str, int] = {}
    for kind, here, there in sides:
        counts[kind] = counts.get(kind, 0) + len(here if here is not None else there if there is not None else ())
    required = source.hashes if not in_flight else np.delete(source.hashes, at_source[found.lost[late]])
    comparison = PartitionComparison(
        status=status_of(counts, duplicates),
        source_records=len(source) - in_flight,
        target_records=len(target),
        in_flight=in_flight,
        factor=factor_of(required, target.hashes, counts),
        accounted=len(source) - in_flight,
        detail="",
        differences=tuple(
            one for kind, here, there in sides for one in _runs(kind, (source, here), (target, there), named)
        ),
        **counts,
    )
    keyless = int(np.count_nonzero(source.keys == NULL_KEY))
    return comparison, Unordered(keyless, len(keys.apart), len(keys.scattered))


@dataclass(frozen=True, eq=False)
class _Keys:
    """Keys whose records have no order, on the source, or on the target alone."""

    apart: Hashes
    scattered: Hashes
    unordered: Hashes

    @classmethod
    def of(cls, source: TopicContent, target: TopicContent) -> _Keys:
        apart = source.keys_in_several_partitions
        scattered = np.setdiff1d(np.intersect1d(target.keys_in_several_partitions, source.keys), apart)
        none = np.array([NULL_KEY], dtype=np.uint64)
        return cls(apart, scattered, np.concatenate((none, apart, target.keys_in_several_partitions)))

    def arranged(self, side: TopicContent) -> Index:
        """Places sorted by key; within a key by place where that is an order, else by hash."""
        within = np.arange(len(side), dtype=np.uint64)
        free = np.isin(side.keys, self.unordered)
        within[free] = side.hashes[free]
        return np.lexsort((within, side.keys)).astype(np.int64, copy=False)


def _overtaken(keys: Hashes, found: Alignment, unordered: Hashes) -> Flags:
    """Which missing records are followed, on the target, by a record of their key: they will not come any more.

    :param keys: of the source, sorted.
    """
    there = np.union1d(found.chain_source, found.moved_source)
    following = np.searchsorted(there, found.lost)
    passed = following < len(there)
    passed[passed] = keys[there[following[passed]]] == keys[found.lost[passed]]
    return passed & ~np.isin(keys[found.lost], unordered)


def _same_place(
    ours: Hashes, theirs: Hashes, found: Alignment, lost: Index, strange: Index, unordered: Hashes
) -> tuple[Index, Index]:
    """Pair lost with strange records of one key that stand between the same two matched ones: altered on the way.

    :param ours, theirs: keys of both sides, sorted.
    """
    lost, strange = lost[~np.isin(ours[lost], unordered)], strange[~np.isin(theirs[strange], unordered)]
    # One number for key and gap, as good as a hash of both.
    mixed_lost = ours[lost] + np.searchsorted(found.chain_source, lost).astype(np.uint64) * _ODD
    mixed_strange = theirs[strange] + np.searchsorted(found.chain_target, strange).astype(np.uint64) * _ODD
    left, right = pair_occurrences(mixed_lost, mixed_strange)
    return lost[left], strange[right]


def _expired(
    source: TopicContent, target: TopicContent, at_source: Index, at_target: Index, found: Alignment, strange: Index
) -> Index:
    shortened = [partition for partition, begin in source.begins.items() if begin > 0]
    if not len(strange) or not shortened:
        return strange[:0]
    here = at_source[np.concatenate((found.chain_source, found.moved_source))]
    there = at_target[np.concatenate((found.chain_target, found.moved_target))]
    of_key = first_position(target.keys[np.sort(there)], target.keys[strange])
    followed = np.where(of_key < 0, _NEVER, np.sort(there)[of_key] if len(there) else _NEVER)
    earliest = np.full((max(target.begins) + 1, max(source.begins) + 1), _NEVER, dtype=np.int64)
    np.minimum.at(earliest, (target.partitions[there], source.partitions[here]), target.offsets[there])
    limits = earliest[:, shortened].max(axis=1)
    keyless = target.keys[strange] == NULL_KEY
    first = target.offsets[strange] < limits[target.partitions[strange]]
    expired: Index = strange[first & (keyless | (strange < followed))]
    return expired


def _strays(target: TopicContent, scattered: Hashes) -> Index:
    """Records of scattered keys outside the partition where their key comes first. Those of keys with records too many
    are left out: a second copy, in the partitions of another engine, is named as such."""
    mine = np.flatnonzero(np.isin(target.keys, scattered))
    home = target.partitions[mine][first_position(target.keys[mine], target.keys[mine])]
    strays: Index = mine[target.partitions[mine] != home]
    return strays


def _runs(
    kind: Kind, left: tuple[TopicContent, Index | None], right: tuple[TopicContent, Index | None], named: int
) -> list[Difference]:
    """The first ``named`` runs of records that stand next to each other on each side; altered ones one by one."""
    sides = [(content, places) for content, places in (left, right) if places is not None]
    order = np.argsort(sides[-1][1], kind="stable")
    size = len(order)
    if not size:
        return []
    breaks = np.ones(size, dtype=np.bool_)
    if kind != "altered":
        apart = [
            (np.diff(places[order]) != 1) | (np.diff(content.partitions[places[order]]) != 0)
            for content, places in sides
        ]
        breaks[1:] = np.any(apart, axis=0)
    starts = np.flatnonzero(breaks)[: named + 1]
    ends = np.append(starts[1:], size)[:named]

    def span(side: tuple[TopicContent, Index | None], start: int, end: int) -> tuple[int, tuple[int, int]] | None:
        content, places = side
        if places is None:
            return None
        first, last = places[order[start]], places[order[end - 1]]
        return int(content.partitions[first]), (int(content.offsets[first]), int(content.offsets[last]))

    differences = []
    for start, end in zip(starts[:named], ends, strict=True):
        ours, theirs = span(left, start, end), span(right, start, end)
        differences.append(
            Difference(
                kind,
                int(end - start),
                source=ours[1] if ours else None,
                target=theirs[1] if theirs else None,
                source_partition=ours[0] if ours else None,
                target_partition=theirs[0] if theirs else None,
            )
        )
    return differences
