"""Spread partitions over shards of about equal weight: one mapped Airflow task, or one process, per shard."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")

MAX_SHARDS = 64  # a mapped task costs about a second of scheduling; above 64 that outweighs the gain (measured)
MIN_SHARD_BYTES = 256 * 1024 * 1024
PARTITION_OVERHEAD_BYTES = 256 * 1024  # an empty partition costs requests too


def shard(
    weighted: Iterable[tuple[Item, int]],
    max_shards: int = MAX_SHARDS,
    min_shard_weight: int = MIN_SHARD_BYTES,
    overhead: int = PARTITION_OVERHEAD_BYTES,
) -> list[list[Item]]:
    """Bin-pack items, largest first onto the lightest shard (LPT: at most 4/3 of the best possible).

    Deterministic: the same input in the same order gives the same shards, so a cleared task finds its own again.

    :param weighted: pairs of item and weight, in bytes, or records with the next two params to match.
    :return: 1 to ``max_shards`` non-empty shards, items in input order within each; no items, no shards.
    """
    if max_shards < 1:
        raise ValueError(f"max_shards must be at least 1, not {max_shards}")
    items = [(item, max(0, weight) + overhead) for item, weight in weighted]
    if not items:
        return []
    total = sum(weight for _, weight in items)
    count = min(max_shards, len(items), max(1, -(-total // max(1, min_shard_weight))))
    heap = [(0, index) for index in range(count)]
    members: list[list[int]] = [[] for _ in range(count)]
    for position in sorted(range(len(items)), key=lambda at: -items[at][1]):
        load, index = heapq.heappop(heap)
        members[index].append(position)
        heapq.heappush(heap, (load + items[position][1], index))
    return [[items[position][0] for position in sorted(positions)] for positions in members]
