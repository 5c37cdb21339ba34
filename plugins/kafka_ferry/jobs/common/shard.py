"""Mapped tasks, each with a share of the work that a task before them noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import SHARDS, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


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
