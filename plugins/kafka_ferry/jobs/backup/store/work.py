"""Spread a task's partitions over processes, and give each its order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kafka_ferry.jobs.backup.store.process import run
from kafka_ferry.records.sharding import shard

Item = TypeVar("Item")

_MIN_BYTES = 4 * 1024 * 1024  # below that, the start of a process (0.5 s) costs more than it saves


def in_processes(
    items: Sequence[Item],
    weight: Callable[[Item], int],
    order: Callable[[Sequence[Item]], Mapping[str, Any]],
    cores: int = 1,
    runner: Callable[[Sequence[Mapping[str, Any]]], list[dict[str, Any]]] | None = None,
) -> list[dict[str, Any]]:
    """The answers of the processes, one a portion of the items.

    :param weight: bytes of an item. ``order``: of a portion, see ``process.run``.
    :param cores: how many one process keeps busy, see ``native_stream.cores_kept_busy``.
    :param runner: does the orders; default: ``process.run``.
    """
    portions = shard([(one, weight(one)) for one in items], max_shards=processes(cores), min_shard_weight=_MIN_BYTES)
    return (runner or run)([order(portion) for portion in portions])


def processes(cores: int = 1) -> int:
    """How many processes a task uses that keep so many cores busy each: as the machine has, at most 4."""
    return max(1, min(4, (os.cpu_count() or 1) // cores))


def added(answers: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The sums of what processes counted; of seconds the longest."""
    total: dict[str, float] = {}
    for answer in answers:
        for name, value in answer.items():
            total[name] = max(total.get(name, 0), value) if name == "seconds" else total.get(name, 0) + value
    return total
