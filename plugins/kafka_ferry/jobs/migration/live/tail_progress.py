"""How far a copy has come of which nobody tells: read off the target's last records."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.resume import resume_of


class TailProgress:
    """``Progress`` by content: the source record that the target's last one is, and what comes next.

    Needs no help from the engine and believes nothing it says. A poll reads the last records of those target partitions
    that have grown since the poll before, and as many of the source; where offsets of both sides are not equal
    (transactions, compaction, a second start), also the source's records from the last place on.

    :param check: raises when the engine has failed for good.
    """

    def __init__(self, migration: Migration, check: Callable[[], None]) -> None:
        self._migration, self._check = migration, check
        self._ends: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}

    def next_offsets(self) -> Mapping[Partition, int]:
        """:raises ForeignData: the target holds what the source does not have."""
        there, spec = self._migration.target_topics(), self._migration.spec
        mine = {
            (name, p): (target, p)
            for name, target in self._migration.topics.targets(spec).items()
            if target in there
            for p in range(there[target].partitions)
        }
        ends = self._migration.target.admin.offsets(mine.values(), "latest", "read_committed")
        grown = {tp for tp, at in mine.items() if ends[at] != self._ends.get(at)}
        if grown:
            self._next |= resume_of(self._migration, there, self._next, grown)
        self._ends = ends
        return dict(self._next)

    def check(self) -> None:
        """Look at the engine."""
        self._check()
