"""MirrorMaker 1 on hosts, for clusters that still run it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import javaproperties

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.record_sizes import without_prefix
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.hosts.host import Host
from kafka_ferry.hooks.kafka.groups import KafkaGroups
from kafka_ferry.jobs.common.by_hand import delete_on_brokers
from kafka_ferry.jobs.migration.engines.host_engine import HostEngine, SupervisedProgress
from kafka_ferry.jobs.migration.engines.mirror_maker1_config import (
    MAIN_CLASS,
    MirrorMaker1Intent,
    arguments,
    consumer_properties,
    producer_properties,
)
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.resume import resume_topics_of
from kafka_ferry.jobs.migration.live.retention import hold_limits
from kafka_ferry.jobs.migration.rules.watch import Progress

_AT_WORK = "STABLE"


class MirrorMaker1(HostEngine):
    """One process on each host, all in one consumer group whose committed offsets on the source are the progress.

    It rehashes keys, so whole topics are compared; it makes no topics, and carries no groups.
    """

    title: ClassVar[str] = "MirrorMaker 1"
    may_be_kafka_4 = False
    carries_groups: ClassVar[bool] = False
    keeps_partitions: ClassVar[bool] = False
    creates_topics: ClassVar[bool] = False
    writes_idempotently: ClassVar[bool] = True

    jar: ClassVar[str] = "kafka-clients"
    oldest: ClassVar[tuple[int, int]] = (2, 4)
    too_new: ClassVar[tuple[int, int] | None] = (4, 0)

    def __init__(self, migration: Migration) -> None:
        super().__init__(migration)
        self._admin = KafkaGroups.of(migration.source)

    # -- the process ---------------------------------------------------------------------------------------------------

    def producer_overrides(self) -> dict[str, str]:
        return without_prefix(self.spec.overrides, "producer.")

    @property
    def main_class(self) -> str:
        return MAIN_CLASS

    @cached_property
    def intent(self) -> MirrorMaker1Intent:
        spec, topics = self.spec, self.migration.topics
        sizes = [int(topic.effective.get("max.message.bytes", 0)) for topic in topics.topics.values()]
        # Only what is on the target now: on the first record of another topic the process would end.
        there = self.migration.target_topics()
        names = [name for name in topics.topics if spec.target_topic(name) in there]
        return MirrorMaker1Intent(
            name=self.group,
            source=self.literal_settings(spec.source_conn_id),
            target=self.literal_settings(spec.target_conn_id),
            topics=[*names, *([self.migration.canary] * spec.canary)],
            streams=PROFILES[spec.throughput].tasks(spec.tasks_max),
            throughput=spec.throughput.value,
            isolation_level=spec.isolation_level,
            max_record_bytes=max(sizes, default=0),
            overrides=spec.overrides,
        )

    def arguments(self, host: Host, folder: str) -> list[str]:
        return arguments(self.intent, folder)

    def files(self, host: Host, folder: str) -> dict[str, bytes]:
        return {
            "consumer.properties": _text(consumer_properties(self.intent)),
            "producer.properties": _text(producer_properties(self.intent)),
        }

    # -- plan and run --------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        self.processes  # noqa: B018  # refuses overrides that cannot be, and too many topics
        state = self._admin.consumer_groups().get(self.group)
        if state == _AT_WORK and not self.is_there():
            raise BadParam(
                "migration",
                f"consumer group {self.group!r} has members on the source, but no process of this migration runs "
                "on the hosts",
                "stop its consumer, name the hosts it runs on, or use another migration name",
            )
        return {**super().about(), "group": self.group}

    def resume(self, target_topics: Mapping[str, TopicState]) -> dict[Partition, int]:
        """By the group's commits; where there are none by content, for which these topics are read on both sides."""
        committed = self._committed()
        return committed | self._by_content(committed, target_topics)

    def deploy(self) -> None:
        hold_limits(self.migration)
        self.start()

    def prepare(self) -> None:
        """Commit for the group where it has no offsets, though the target holds records.

        Its own commits are believed: they are written after the records are on the target, and by nobody else.
        """
        places = self._by_content(self._committed(), self.migration.target_topics())
        if places:
            self._admin.set_offsets(self.group, places)

    def readiness(self) -> Readiness:
        state = self.lives()
        if state.verdict is not Verdict.RUNNING:
            return state
        group = self._admin.consumer_groups().get(self.group, "not there yet")
        verdict = Verdict.RUNNING if group == _AT_WORK else Verdict.WAITING
        return Readiness(verdict, f"{state.reason}, consumer group {self.group} is {group}")

    def progress(self) -> Progress:
        return SupervisedProgress(self, _GroupProgress(self))

    def _committed(self) -> dict[Partition, int]:
        return self._admin.committed([self.group])[self.group]

    def _by_content(
        self, committed: Mapping[Partition, int], target_topics: Mapping[str, TopicState]
    ) -> dict[Partition, int]:
        """Next offsets of partitions without a commit that hold records."""
        level = self.spec.isolation_level
        unknown = [tp for tp in self.migration.topics.partitions if tp not in committed]
        begins = self.migration.source.admin.offsets(unknown, "earliest", level)
        ends = self.migration.source.admin.offsets(unknown, "latest", level)
        wanted = {tp for tp in unknown if begins[tp] < ends[tp]}
        names = {self.spec.target_topic(topic) for topic, _ in wanted}
        chosen = {name: topic for name, topic in target_topics.items() if name in names}
        found = resume_topics_of(self.migration, chosen)
        return {tp: offset for tp, offset in found.items() if tp in wanted}

    # -- traces --------------------------------------------------------------------------------------------------------

    @property
    def group(self) -> str:
        """Its consumer group on the source."""
        return self.migration.name

    @property
    def groups(self) -> list[str]:
        return [self.group]

    def forget(self) -> list[str]:
        return [f"group {self.group} on the source"] if self._admin.delete_group(self.group) else []

    def how_to_stop(self) -> str:
        group = delete_on_brokers("group", self.migration.source, [self.group])
        return f"{super().how_to_stop()}\n# then, on {self.migration.spec.source_conn_id}\n{group}"


class _GroupProgress:
    """A committed offset is that of the next record to be copied."""

    def __init__(self, engine: MirrorMaker1) -> None:
        self._engine = engine

    def next_offsets(self) -> Mapping[Partition, int]:
        return self._engine._committed()

    def check(self) -> None:
        """All it has to say is whether it lives, which ``SupervisedProgress`` looks at."""


def _text(keys: Mapping[str, str]) -> bytes:
    return javaproperties.dumps(keys, timestamp=False, ensure_ascii=True).encode()
