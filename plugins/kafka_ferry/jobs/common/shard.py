"""Mapped tasks, each with a share of the work that a task before them notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import DONE, SHARDS, STAGES, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


def write_shards(artifacts: RunArtifacts, shards: list[list[Any]], *tasks: str, stale: Iterable[str] = ()) -> list[int]:
    """Note who does what, and forget what earlier tries of these mapped tasks left, which may have had other shards.

    :param stale: what else they, or those after them, left.
    :return: the shards' numbers; one at least: none would skip the rest.
    """
    mapped = tuple(f"{STAGES}/{task}." for task in tasks)
    old = [name for name in artifacts.names(STAGES) if name.startswith(mapped)]
    for name in [*old, *(name for task in tasks for name in artifacts.names(f"{DONE}/{task}")), *stale]:
        artifacts.delete(name)
    artifacts.write_json(SHARDS, shards or [[]])
    return list(range(max(1, len(shards))))


class ShardOperator(FerryOperator):
    """One shard's work.

    :param shard: index into the run's shards. (mapped)
    """

    template_fields = ("shard",)

    def __init__(self, *, shard: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    @property
    def number(self) -> int:
        """It comes as text when it was rendered."""
        return int(self.shard)

    def share(self, context: Context) -> list[Any]:
        """What this task is to do, as it was noted."""
        share: list[Any] = (RunArtifacts.of(context).read_json(SHARDS) or [])[self.number]
        return share

    def partitions(self, context: Context) -> list[tuple[str, int]]:
        """The same, where shards are partitions."""
        return [(topic, partition) for topic, partition in self.share(context)]
