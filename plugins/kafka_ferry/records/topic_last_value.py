"""Compare a compacted topic whose keys may arrive in other partitions: the last value of each key over the topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from kafka_ferry.records.compare import NAMED, Difference, PartitionComparison
from kafka_ferry.records.content import Index, KeyColumns, PartitionContent
from kafka_ferry.records.last_value import compare_last_values
from kafka_ferry.records.multiset import Unordered
from kafka_ferry.records.topic_content import Flags, TopicContent


def compare_topic_last_values(
    source: TopicContent, target: TopicContent, frozen_ends: Mapping[int, int], named: int = NAMED
) -> tuple[PartitionComparison, Unordered]:
    """As ``compare_last_values``, over all partitions; the ``detail`` is left empty.

    Both sides are laid out as one log each, keeping the order within partitions, which is all that counts for a key.
    A key in several source partitions has no last value: any of its last ones in the order of partitions is taken for
    it, and the number of such keys is told.
    """
    required = source.below(frozen_ends)
    ours = np.argsort(~required, kind="stable")
    heads = _before_the_first_common(target, source)
    theirs = np.argsort(~heads, kind="stable")
    found = compare_last_values(
        _as_one_log(source, ours, max(source.begins.values(), default=0)),
        _as_one_log(target, theirs, 0),
        int(np.count_nonzero(required)),
        named,
    )
    apart = source.keys_in_several_partitions
    scattered = np.setdiff1d(np.intersect1d(target.keys_in_several_partitions, source.keys), apart)
    placed = tuple(_placed(one, source, ours, target, theirs) for one in found.differences)
    return replace(found, differences=placed, detail=""), Unordered(0, len(apart), len(scattered))


def _before_the_first_common(target: TopicContent, source: TopicContent) -> Flags:
    """Target records older, in their partition, than all the source still has: only these may have expired there."""
    common = np.flatnonzero(np.isin(target.hashes, source.hashes))
    first = np.full(max(target.begins, default=-1) + 1, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(first, target.partitions[common], target.offsets[common])
    before: Flags = target.offsets < first[target.partitions]
    return before


def _as_one_log(side: TopicContent, order: Index, begin: int) -> PartitionContent:
    places = np.arange(len(side), dtype=np.int64)
    keys = KeyColumns(side.keys[order], side.tombstones[order])
    return PartitionContent(places, side.hashes[order], side.bytes, begin, len(side), keys)


def _placed(one: Difference, source: TopicContent, ours: Index, target: TopicContent, theirs: Index) -> Difference:
    def place(side: TopicContent, order: Index, span: tuple[int, int] | None) -> tuple[int, tuple[int, int]] | None:
        if span is None:
            return None
        at = order[span[0]]
        return int(side.partitions[at]), (int(side.offsets[at]), int(side.offsets[at]))

    here, there = place(source, ours, one.source), place(target, theirs, one.target)
    return replace(
        one,
        source=here[1] if here else None,
        source_partition=here[0] if here else None,
        target=there[1] if there else None,
        target_partition=there[0] if there else None,
    )
