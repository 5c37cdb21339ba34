"""What every engine must be able to do; all the rest of a migration is the same code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.largest_record import Limit, producer_limits
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.record_sizes import producer_settings, without_prefix
from kafka_ferry.core.topics import TopicState
from kafka_ferry.hooks.connect.states import Readiness
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.resume import resume_of
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.rules.watch import Progress


class Engine(ABC):
    """What moves the records of one migration. It holds no state: each call looks at the live systems.

    :cvar title: what people call it.
    :cvar carries_groups: whether group offsets can be right on the target, by its doing or ours.
    :cvar keeps_partitions: a record arrives in the partition of the same number, in the same order.
    :cvar creates_topics: a topic made later on the source is made on the target too.
    :cvar writes_idempotently: its producers ask for an id, which takes a right of its own on old brokers. Those of
        Kafka Connect do not, unless they write in transactions.
    :cvar may_be_kafka_4: its clients may be Kafka 4's, which cannot talk to brokers before 2.1 (KIP-896).
    :cvar logs_in_to: ends whose Airflow connection says how its Java clients log in; it has other ways to the rest.
    """

    title: ClassVar[str] = "MirrorMaker 2"
    carries_groups: ClassVar[bool] = True
    keeps_partitions: ClassVar[bool] = True
    creates_topics: ClassVar[bool] = True
    writes_idempotently: ClassVar[bool] = False
    may_be_kafka_4: ClassVar[bool] = True
    logs_in_to: ClassVar[tuple[str, ...]] = ("source_conn_id", "target_conn_id")

    #: What an estimate of the time must be told beside figures that were measured with MirrorMaker 2.
    estimate_note: ClassVar[str] = ""

    def __init__(self, migration: Migration) -> None:
        self.migration = migration

    @classmethod
    def refresh_seconds(cls, spec: MigrationSpec) -> int:
        """How often it looks for new topics, at the latest."""
        return PROFILES[spec.throughput.value].refresh_seconds

    # -- plan ----------------------------------------------------------------------------------------------------------

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What the plan says about where it will run (JSON).

        :raises BadParam: it cannot work there.
        """

    def findings(self) -> list[Finding]:
        """What is wrong with where it will run, beside what :meth:`about` refuses."""
        return []

    @property
    def sends_with(self) -> dict[str, str]:
        """Settings in force of the Java producer that writes the records, as far as they limit a record's size."""
        sizes = [int(topic.effective.get("max.message.bytes", 0)) for topic in self.migration.topics.topics.values()]
        profile = PROFILES[self.migration.spec.throughput.value].settings
        own = {**producer_settings(max(sizes, default=0)), **without_prefix(profile, "producer.override.")}
        return {**own, **self.producer_overrides()}

    def producer_overrides(self) -> dict[str, str]:
        """What params set of that producer."""
        return {}

    @property
    def codec(self) -> str:
        """``compression.type`` of what it writes."""
        return self.sends_with.get("compression.type", "none")

    def size_limits(self) -> list[Limit]:
        """What it checks a record against, beside what brokers do."""
        return producer_limits(self.sends_with)

    @abstractmethod
    def changes(self) -> list[Change]:
        """What ``deploy`` would do. Changes nothing."""

    def resume(self, target_topics: Mapping[str, TopicState]) -> dict[Partition, int]:
        """Next source offset per partition that already has records on the target."""
        return resume_of(self.migration, target_topics)

    # -- run -----------------------------------------------------------------------------------------------------------

    @abstractmethod
    def deploy(self) -> None:
        """Make it run as the spec says, resuming where the target stands. Safe to repeat at any time."""

    @abstractmethod
    def readiness(self) -> Readiness:
        """Whether it runs now. RUNNING says nothing about records moving."""

    def restart_ended(self) -> str:
        """Start again what ended by itself; what that was, empty where nothing did or somebody else looks after it."""
        return ""

    @abstractmethod
    def progress(self) -> Progress:
        """A reader of how far it has come."""

    # -- traces --------------------------------------------------------------------------------------------------------

    @property
    def runs_as(self) -> str:
        """What all it runs as is called after: who gives another engine the same would share it."""
        return self.migration.name

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """What it runs as, for people: ``connector …``, ``process … on host …``."""

    @property
    def connectors(self) -> Sequence[str]:
        """Connectors that this migration may have on the Connect cluster of ``connect_conn_id``."""
        return ()

    @property
    def groups(self) -> Sequence[str]:
        """Consumer groups of its own on the source."""
        return ()

    @abstractmethod
    def is_there(self) -> bool:
        """Whether anything of it is there now, dead or alive: what it wrote is no trace of somebody else."""

    # -- removal -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def stop(self) -> list[str]:
        """End it and delete what it keeps outside the clusters. Returns what was there.

        Asks neither source nor target: it must work when they are dead.
        """

    def own_topics(self) -> tuple[str, ...]:
        """Topics of its own that it leaves on the target; known without asking anyone."""
        return ()

    def forget(self) -> list[str]:
        """Delete what else of its own it left on the clusters, beyond ``own_topics``. Returns what was there."""
        return []

    @abstractmethod
    def left(self) -> list[str]:
        """What ``stop`` should have ended and is there still."""

    @abstractmethod
    def how_to_stop(self) -> str:
        """Commands that stop it by hand."""
