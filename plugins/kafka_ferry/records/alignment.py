"""Match the records of two readings of a partition by hash, so that what does not match has a name.

The matched records that stand in the same order on both sides form a longest common subsequence, computed as a longest
increasing subsequence over the list of possible matches (Hunt and Szymanski, 1977). What matches outside of it was
moved. Common heads and tails are cut off first, and all but the disturbed stretches is done in numpy, so ten million
records with a few faults take seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kafka_ferry.records.content import Hashes, Index

# The disturbed stretch is walked in Python, about 1 us a match. Beyond this only the i-th occurrence of a hash on one
# side is matched with the i-th on the other: counts stay exact, and which copy counts as the repeat is less well told.
MAX_MATCHES = 8_000_000


@dataclass(frozen=True, eq=False)
class Alignment:
    """All index arrays are ascending positions in the source or target array.

    :param required: the first ``required`` source records were looked for on the target.
    :param chain_source: source records found on the target in order; ``chain_target``: where.
    :param moved_source: source records found out of order; ``moved_target``: where, pair by pair.
    :param lost: source records below ``required`` that are nowhere on the target.
    :param extra: target records that match no source record, or none that is still free.
    """

    required: int
    chain_source: Index
    chain_target: Index
    moved_source: Index
    moved_target: Index
    lost: Index
    extra: Index


def align(source: Hashes, target: Hashes, required: int) -> Alignment:
    """Match ``target`` with ``source``.

    :param required: how many of the first source records must be on the target. Later ones may be (live traffic): those
        up to the last one that is on the target become required too, for the order in a partition is kept.
    """
    head = common_head(source, target)
    if head < len(target) and required < len(source):
        later, _ = _pairs(source[head:], target[head:])
        required = max(required, head + (int(later.max()) + 1 if len(later) else 0))
    required = max(required, head)
    wanted = source[:required]
    tail = common_head(wanted[head:][::-1], target[head:][::-1])
    source_end, target_end = required - tail, len(target) - tail
    middle_source, middle_target = wanted[head:source_end], target[head:target_end]

    at_source, at_target = _in_order(middle_source, middle_target)
    free_source = _without(len(middle_source), at_source)
    free_target = _without(len(middle_target), at_target)
    left, right = _pairs(middle_source[free_source], middle_target[free_target])
    moved_source, moved_target = free_source[left], free_target[right]
    by_source = np.argsort(moved_source)
    both_ends = np.arange(head, dtype=np.int64), np.arange(tail, dtype=np.int64)
    return Alignment(
        required=required,
        chain_source=np.concatenate((both_ends[0], at_source + head, both_ends[1] + source_end)),
        chain_target=np.concatenate((both_ends[0], at_target + head, both_ends[1] + target_end)),
        moved_source=moved_source[by_source] + head,
        moved_target=moved_target[by_source] + head,
        lost=np.delete(free_source, left) + head,
        extra=np.delete(free_target, right) + head,
    )


def common_head(left: Hashes, right: Hashes) -> int:
    """Return how many first elements are equal."""
    length = min(len(left), len(right))
    differs = left[:length] != right[:length]
    return int(differs.argmax()) if differs.any() else length


def pair_occurrences(left: NDArray[np.generic], right: NDArray[np.generic]) -> tuple[Index, Index]:
    """Pair the i-th occurrence of each value in ``left`` with its i-th occurrence in ``right``; returns positions."""
    return _pairs(left, right)


def _groups(values: NDArray[np.generic]) -> tuple[Index, NDArray[np.generic], Index, Index]:
    """Return positions sorted by value (stable), the distinct values, and start and length of each one's group."""
    order = np.argsort(values, kind="stable").astype(np.int64, copy=False)
    in_order = values[order]
    first = np.ones(len(values), dtype=np.bool_)
    first[1:] = in_order[1:] != in_order[:-1]
    starts = np.flatnonzero(first)
    return order, in_order[starts], starts, np.diff(np.append(starts, len(values)))


def _pairs(left: NDArray[np.generic], right: NDArray[np.generic], every: bool = False) -> tuple[Index, Index]:
    """Return matching positions: occurrence by occurrence, or with ``every`` all combinations of rare values."""
    left_order, left_values, left_starts, left_counts = _groups(left)
    right_order, right_values, right_starts, right_counts = _groups(right)
    _, at_left, at_right = np.intersect1d(left_values, right_values, assume_unique=True, return_indices=True)
    many_left, many_right = left_counts[at_left], right_counts[at_right]
    sizes = np.minimum(many_left, many_right)
    if every:
        products = many_left * many_right
        wide = products <= 4 * (many_left + many_right)
        if int(np.where(wide, products, sizes).sum()) > MAX_MATCHES:
            wide[:] = False
        sizes = np.where(wide, products, sizes)
    step = np.arange(int(sizes.sum()), dtype=np.int64) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    step_left = step_right = step
    if every:
        spread, width = np.repeat(wide, sizes), np.repeat(many_right, sizes)
        step_left, step_right = np.where(spread, step // width, step), np.where(spread, step % width, step)
    return (
        left_order[np.repeat(left_starts[at_left], sizes) + step_left],
        right_order[np.repeat(right_starts[at_right], sizes) + step_right],
    )


def _in_order(source: Hashes, target: Hashes) -> tuple[Index, Index]:
    """Return the positions of a longest common subsequence."""
    at_source, at_target = _pairs(source, target, every=True)
    order = np.lexsort((-at_target, at_source))  # later targets first: a source record can enter the chain only once
    at_source, at_target = at_source[order], at_target[order]
    kept = increasing(at_target)
    return at_source[kept], at_target[kept]


def increasing(values: Index) -> Index:
    """Return the positions of a longest strictly increasing subsequence, ascending."""
    if len(values) < 2:
        return np.arange(len(values), dtype=np.int64)
    highest, lowest = np.maximum.accumulate(values), np.minimum.accumulate(values[::-1])[::-1]
    # Above all before it and below all after it: such an element is in every longest chain, and cuts the work in two.
    safe = np.ones(len(values), dtype=np.bool_)
    safe[1:] &= values[1:] > highest[:-1]
    safe[:-1] &= values[:-1] < lowest[1:]
    disturbed = np.flatnonzero(~safe)
    safe[disturbed[_patience(values[disturbed].tolist())]] = True
    return np.flatnonzero(safe)


def _patience(values: list[int]) -> list[int]:
    """Longest strictly increasing subsequence by patience sorting: its positions."""
    tops: list[int] = []
    top_at: list[int] = []
    before = [-1] * len(values)
    for position, value in enumerate(values):
        pile = bisect_left(tops, value)
        if pile:
            before[position] = top_at[pile - 1]
        if pile == len(tops):
            tops.append(value)
            top_at.append(position)
        else:
            tops[pile], top_at[pile] = value, position
    chain: list[int] = []
    position = top_at[-1] if top_at else -1
    while position >= 0:
        chain.append(position)
        position = before[position]
    return chain[::-1]


def _without(length: int, taken: Index) -> Index:
    free = np.ones(length, dtype=np.bool_)
    free[taken] = False
    return np.flatnonzero(free)
