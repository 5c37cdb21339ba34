"""One poll of a running replication, whatever moves the records. Pure: it is handed what reads the clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.migration.rules.convergence import ConvergenceTracker, Frozen, PollResult, Reading

#: How often an engine's process that ended by itself is started again in one wait.
RESTARTS = 5


class Progress(Protocol):
    """How far an engine has come. Each engine brings one."""

    def next_offsets(self) -> Mapping[Partition, int]:
        """Per source topic and partition, the next source offset to be replicated."""

    def check(self) -> None:
        """Raise ``FerryError`` with the engine's own words when it has failed for good."""


class Cluster(Protocol):
    """The admin calls a poll needs; ``hooks.kafka.admin.KafkaAdmin`` has them."""

    def offsets(self, partitions: Iterable[Partition], which: str, isolation_level: str) -> dict[Partition, int]: ...

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]: ...


#: Takes ranges [begin, end) and returns the partitions that provably hold no record there.
Prober = Callable[[Mapping[Partition, tuple[int, int]]], set[Partition]]


def freeze(
    source: Cluster,
    target: Cluster,
    partitions: Iterable[Partition],
    target_topic: Mapping[str, str],
    isolation_level: str,
    record_bytes: Mapping[str, float],
) -> Frozen:
    """What must arrive: everything below the source's ends as they are now.

    :param target_topic: source topic to target topic.
    """
    wanted = list(partitions)
    ends = source.offsets(wanted, "latest", isolation_level)
    high = source.offsets(wanted, "latest", "read_uncommitted") if isolation_level == "read_committed" else ends
    return Frozen(
        begins=source.offsets(wanted, "earliest", isolation_level),
        ends=ends,
        source_ids=source.topic_ids(target_topic),
        target_ids=target.topic_ids(target_topic.values()),
        record_bytes=record_bytes,
        held_back={tp: offset for tp, offset in high.items() if offset > ends[tp]},
    )


class ConvergenceWatch:
    """Polls both clusters and the engine; a handful of calls whatever the number of partitions.

    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        frozen: Frozen,
        source: Cluster,
        target: Cluster,
        progress: Progress,
        probe: Prober,
        no_progress_timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._frozen = frozen
        self._source, self._target, self._progress, self._probe = source, target, progress, probe
        self._clock = clock
        self._tracker = ConvergenceTracker(frozen, no_progress_timeout)

    def poll(self) -> PollResult:
        """Look once.

        :raises FerryError: as ``ConvergenceTracker.update`` and ``Progress.check`` do; ``TransientError`` when a side
            did not answer, which is no verdict.
        """
        self._progress.check()
        frozen = self._frozen
        reading = Reading(
            at=self._clock(),
            next_offsets=self._progress.next_offsets(),
            log_starts=self._source.offsets(frozen.ends, "earliest", "read_uncommitted"),
            source_ids=self._source.topic_ids(frozen.source_ids),
            target_ids=self._target.topic_ids(frozen.target_ids),
            log_ends=self._source.offsets(frozen.ends, "latest", "read_uncommitted"),
        )
        result = self._tracker.update(reading)
        if result.undecided:
            result = self._tracker.prove(self._probe(result.undecided))
        return result
