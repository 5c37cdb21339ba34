"""MirrorMaker 2's connectors of one migration, whatever runs them: up to date, resuming where the target stands."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property

from kafka_ferry.core.changes import Change
from kafka_ferry.core.config_diff import config_diff
from kafka_ferry.core.mirror_offsets import next_offsets, offset_changes
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topic_rename import POLICY_KEY, RENAME_POLICY
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import Offsets, ValidationResult
from kafka_ferry.hooks.connect.states import Readiness
from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.mirror_intent import heartbeats_are_ours, mirror_intent
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import (
    MirrorIntent,
    configs,
    residue_topics,
)
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.progress import ConnectorProgress
from kafka_ferry.jobs.migration.live.resume import resume_of
from kafka_ferry.jobs.migration.live.retention import hold_limits
from kafka_ferry.jobs.runtimes.connectors import ConnectorRuntime
from kafka_ferry.jobs.runtimes.kafka_connect import refused

log = logging.getLogger(__name__)


class MirrorConnectors:
    """The connectors that one migration wants on a runtime.

    :param settings: Airflow connection id of a Kafka cluster to the Java client settings that connectors get.
    """

    def __init__(
        self, migration: Migration, runtime: ConnectorRuntime, settings: Callable[[str], dict[str, str]]
    ) -> None:
        self._migration, self.runtime, self._settings = migration, runtime, settings

    @property
    def names(self) -> list[str]:
        """All connectors this migration may have made: source, checkpoint, heartbeat; known without asking anyone."""
        return [f"{self._migration.name}.Mirror{kind}Connector" for kind in ("Source", "Checkpoint", "Heartbeat")]

    @property
    def wanted(self) -> list[str]:
        """Those of ``names`` that the spec asks for."""
        (source, checkpoint, heartbeat), spec = self.names, self._migration.spec
        return [source] + [checkpoint] * bool(spec.groups) + [heartbeat] * spec.heartbeats

    @cached_property
    def intent(self) -> MirrorIntent:
        """What they shall do."""
        return mirror_intent(self._migration, self._settings)

    @cached_property
    def configs(self) -> dict[str, dict[str, str]]:
        """Connector to its configuration; they may hold secrets."""
        return configs(self.intent)

    def tasks(self, name: str) -> int:
        """How many tasks of a connector must run."""
        migration, (source, checkpoint, _) = self._migration, self.names
        spec = migration.spec
        if name == source:
            return min(PROFILES[spec.throughput].tasks(spec.tasks_max), len(migration.topics.partitions))
        if name == checkpoint:
            return min(spec.tasks_max, len(migration.groups.consumers))
        return 1

    def changes(self) -> list[Change]:
        """What ``deploy`` would change.

        :raises BadParam: a configuration is refused.
        """
        return self.runtime.changes(self.configs)

    def deploy(self, before: Callable[[], None] = lambda: None) -> None:
        """Create or adopt the connectors; change only what differs.

        A new source connector is told where to resume from what the target already holds: so a deploy after a removal
        copies nothing twice. Safe to repeat at any time.

        :param before: called before a source connector is made; it may refuse.
        """
        source, begin = self.names[0], {}
        if source in self.runtime.make_way(self.wanted):
            before()
            # Before anything is made: it may refuse.
            places = self.places()
            begin[source] = lambda kept: self._aligned(places, self._stored(kept))
        elif selects_otherwise(self.configs[source], self.runtime.config(source)):
            # Topics are added to a connector that runs: of some the target may hold records already.
            begin[source] = self._with_places_of_others
        hold_limits(self._migration)
        self.runtime.deploy(self.configs, begin)

    def places(self) -> dict[Partition, int]:
        """Next source offset of each partition of which the target holds records."""
        return resume_of(self._migration, self._migration.target_topics())

    def readiness(self) -> Readiness:
        """The worst verdict on the wanted connectors."""
        return self.runtime.readiness(self.wanted, self.tasks)

    def progress(self) -> ConnectorProgress:
        return ConnectorProgress(self.runtime, self.names[0], self._migration.spec.alias, self.wanted)

    def _stored(self, kept: Offsets) -> dict[Partition, int]:
        """Next source offset by the connector's own account."""
        return next_offsets(kept, self._migration.spec.alias)

    def _with_places_of_others(self, kept: Offsets) -> Offsets:
        """Also where topics go on of which the connector knows no offset, though the target holds records of them."""
        stored = self._stored(kept)
        known = {self._migration.spec.target_topic(topic) for topic, _ in stored}
        there = self._migration.target_topics()
        others = resume_of(self._migration, {name: topic for name, topic in there.items() if name not in known})
        return self._aligned({**stored, **others}, stored)

    def _aligned(self, wanted: Mapping[Partition, int], stored: Mapping[Partition, int]) -> Offsets:
        changes = offset_changes(wanted, stored, self._migration.spec.alias)
        if changes:
            log.info("%d partitions resume after the last record that the target already holds", len(wanted))
        return changes


class ConnectorEngine(Engine):
    """MirrorMaker 2 as connectors, whatever runs them."""

    @property
    @abstractmethod
    def mirror(self) -> MirrorConnectors:
        """Its connectors."""

    def changes(self) -> list[Change]:
        return self.mirror.changes()

    def deploy(self) -> None:
        self.mirror.deploy()

    def readiness(self) -> Readiness:
        return self.mirror.readiness()

    def progress(self) -> ConnectorProgress:
        return self.mirror.progress()

    @property
    def names(self) -> list[str]:
        return [f"connector {name}" for name in self.mirror.wanted]

    def is_there(self) -> bool:
        return bool(self.mirror.runtime.existing(self.mirror.names))

    def stop(self) -> list[str]:
        return self.mirror.runtime.remove(self.mirror.names, forget=True)

    def own_topics(self) -> tuple[str, ...]:
        return (*residue_topics(self.migration.spec.alias), *self.mirror.runtime.own_topics)

    def forget(self) -> list[str]:
        return self.mirror.runtime.forget_internal(self.mirror.names) + forget_heartbeats(self.migration)

    def left(self) -> list[str]:
        return self.mirror.runtime.left(self.mirror.names)

    def how_to_stop(self) -> str:
        return self.mirror.runtime.how_to_stop(self.mirror.wanted)


def selects_otherwise(config: Mapping[str, str], actual: Mapping[str, str] | None) -> bool:
    """Whether an update would change which topics a connector copies."""
    return any(change.key in ("topics", "topics.exclude") for change in config_diff(dict(config), actual))


def forget_heartbeats(migration: Migration) -> list[str]:
    """Delete the topic ``heartbeats`` when nobody but this migration's MirrorMaker 2 wrote it."""
    if not migration.spec.heartbeats or not heartbeats_are_ours(migration):
        return []
    return migration.target.admin.delete_topics(["heartbeats"])


def refusal(name: str, problems: ValidationResult) -> BadParam:
    """A configuration that the worker does not take, in the words of the params."""
    # Measured on 4.3.1: 200 with "Class … could not be found." at this key, before anything is created. Only the worker
    # that was asked looks; where another one lacks the class, its task fails and the wait until it runs shows why.
    of_policy = " ".join(problems.errors.get(POLICY_KEY, ()))
    if RENAME_POLICY in of_policy and "could not be found" in of_policy:
        return BadParam(
            "naming",
            f"is rename, but the worker has no class {RENAME_POLICY}",
            "put kafka-ferry-connect-plugins.jar (make plugins) on the class path of every worker and restart it, see "
            "docs/connect_plugins.md; or naming: prefix",
        )
    # Measured on 4.3.1: "This worker does not have exactly-once source support enabled." at this key.
    if "exactly.once.support" in problems.errors:
        return BadParam(
            "exactly_once",
            f"is on, but the worker refuses it: {' '.join(problems.errors['exactly.once.support'])}",
            "exactly.once.source.support=preparing on every worker, restart them all, then enabled (KIP-618); or "
            "exactly_once off, and duplicates: explain",
        )
    return refused(name, problems)
