"""The wave of one run: what every task derives its truth from."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.producers import ProducerState
from kafka_ferry.exceptions import DataLossError, TransientError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.producer_wire import ProducerWire
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows
from kafka_ferry.jobs.common.run_lock import SharedName
from kafka_ferry.jobs.common.wave_journals import Journals
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec
from kafka_ferry.jobs.cutover.rules.standstill import Look
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.convergence import Frozen


class Wave:
    """Topics, groups and clusters of a cutover.

    :ivar migration: both clusters, and what the params mean on them.
    """

    def __init__(self, dag_id: str, run_id: str, spec: CutoverSpec) -> None:
        self.dag_id, self.run_id, self.spec = dag_id, run_id, spec
        self.migration = Migration(dag_id, spec)
        self.source, self.target = self.migration.source, self.migration.target

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Wave:
        """Of a task's run.

        :raises BadParam: its params cannot work.
        """
        run = context["dag_run"]
        return cls(run.dag_id, run.run_id, CutoverSpec.from_params(context["params"]))

    @cached_property
    def source_cluster(self) -> str:
        return self.source.admin.describe_cluster().cluster_id

    @cached_property
    def target_cluster(self) -> str:
        return self.target.admin.describe_cluster().cluster_id

    @cached_property
    def journals(self) -> Journals:
        return Journals(self.source_cluster)

    @property
    def shared_name(self) -> SharedName:
        """Only one run may work on a wave at a time."""
        return SharedName("migration", self.spec.wave, f"cutover/{self.source_cluster}/{self.spec.wave}")

    @cached_property
    def targets(self) -> dict[str, str]:
        """Source topic to target topic."""
        return self.migration.topics.targets(self.spec)

    @cached_property
    def names(self) -> dict[Partition, Partition]:
        """Source partition to target partition."""
        return {tp: (self.targets[tp[0]], tp[1]) for tp in self.migration.topics.partitions}

    @cached_property
    def _producers(self) -> ProducerWire | None:
        return _producers(self.source)

    @property
    def tells_producers(self) -> bool:
        """Whether the source's brokers tell who writes."""
        return self._producers is not None

    def producers(self, partitions: Iterable[Partition]) -> dict[Partition, list[ProducerState]]:
        """Who is known to write to each; nothing where the brokers do not tell."""
        return self._producers.producers(partitions) if self._producers else {}

    def look(self, clock: float, partitions: Iterable[Partition] | None = None) -> Look:
        """Who writes now.

        :param clock: monotonic seconds. ``partitions``: default: those of the wave.
        """
        places, begun = list(self.names if partitions is None else partitions), time.monotonic()
        ends = self.source.admin.offsets(places, "latest", "read_uncommitted")
        known = self._producers.producers(places) if self._producers else None
        return Look(clock, ends, known, time.monotonic() - begun)

    def transactional_ids(self) -> dict[int, str]:
        """Producer id to transactional id, as far as they may be seen: names for people."""
        return _transactional_ids(self._producers)

    def target_transactional_ids(self) -> dict[int, str]:
        """The same of the target."""
        return _transactional_ids(_producers(self.target))

    def guard(self, frozen: Frozen) -> None:
        """:raises DataLossError: a topic was deleted, made again or grew since contents were compared."""
        for kind, known, cluster in (
            ("source", frozen.source_ids, self.source), ("target", frozen.target_ids, self.target)
        ):  # fmt: skip
            now = cluster.admin.topic_ids(known)
            for topic, number in known.items():
                if now.get(topic) != number:
                    what = "deleted" if topic not in now else "deleted and made again"
                    raise DataLossError(f"{kind} topic {topic!r} was {what} since it was compared. Fix: a new run")
        if more := sorted(set(self.names) - frozen.ends.keys()):
            raise DataLossError(
                f"{more[0][0]}-{more[0][1]} is new on the source since contents were compared. Fix: a new run"
            )


def _producers(cluster: KafkaClusterHook) -> ProducerWire | None:
    config = client_config(cluster.extra)
    if only_librdkafka_knows(config) or not cluster.admin.capabilities.tells_producers:
        return None
    return ProducerWire(config, cluster.conn_id)


def _transactional_ids(wire: ProducerWire | None) -> dict[int, str]:
    try:
        return wire.transactional_ids() if wire else {}
    except TransientError:
        return {}
