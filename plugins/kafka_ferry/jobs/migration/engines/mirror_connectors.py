"""MirrorMaker 2's connectors of one migration on a Connect worker: as wished, going on where the target stands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.config_diff import config_diff
from kafka_ferry.core.mirror_offsets import kept_key, kept_offset, next_offsets
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import (
    ConnectHook,
    ConnectorNotFound,
    ConnectorState,
    Readiness,
    ValidationResult,
    Verdict,
)
from kafka_ferry.jobs.migration.engines.mirror_intent import mirror_intent
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import POLICY_KEY, RENAME_POLICY, configs
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.progress import ConnectProgress
from kafka_ferry.jobs.migration.live.resume import resume_of
from kafka_ferry.jobs.migration.live.retention import hold_limits

log = logging.getLogger(__name__)


class MirrorConnectors:
    """The connectors that one migration wants on one worker, or cluster of workers, with the REST API.

    :param settings: Airflow connection id of a Kafka cluster to the Java client settings that connectors get.
    """

    def __init__(self, migration: Migration, connect: ConnectHook, settings: Callable[[str], dict[str, str]]) -> None:
        self._migration, self._connect, self._settings = migration, connect, settings

    @property
    def names(self) -> list[str]:
        """All connectors this migration may have made; known without asking anyone."""
        return [f"{self._migration.name}.Mirror{kind}Connector" for kind in ("Source", "Checkpoint", "Heartbeat")]

    @property
    def wanted(self) -> list[str]:
        """Those of ``names`` that the spec asks for."""
        (source, checkpoint, heartbeat), spec = self.names, self._migration.spec
        return [source] + [checkpoint] * bool(spec.groups) + [heartbeat] * spec.heartbeats

    @cached_property
    def configs(self) -> dict[str, dict[str, str]]:
        """Connector to its configuration."""
        return configs(mirror_intent(self._migration, self._settings))

    def expected_tasks(self) -> dict[str, int]:
        """Connector to the number of tasks that must run."""
        spec = self._migration.spec
        source, checkpoint, heartbeat = self.names
        expected = {
            source: min(PROFILES[spec.throughput].tasks(spec.tasks_max), len(self._migration.topics.partitions)),
            # Without the empty id, which it is never given.
            checkpoint: min(spec.tasks_max, len([*filter(None, self._migration.groups.committed)])),
            heartbeat: 1,
        }
        return {name: expected[name] for name in self.wanted}

    def changes(self) -> list[Change]:
        """What ``deploy`` would change, as the worker's own validation lets it.

        :raises BadParam: the worker refuses a configuration.
        """
        changes = []
        for name, config in self.configs.items():
            problems = self._connect.validate({**config, "name": name})
            if not problems.ok:
                raise _refusal(name, problems)
            changes.append(self.change(name, self._connect.find_config(name)))
        return changes

    def change(self, name: str, actual: Mapping[str, str] | None) -> Change:
        """One connector, wished against actual."""
        config = self.configs[name]
        diff = config_diff(config, actual)
        action = Action.CREATE if actual is None else Action.UPDATE if diff else Action.NONE
        return Change(action, "connector", name, f"{len(config)} keys" if actual is None else "; ".join(map(str, diff)))

    def deploy(self) -> None:
        """Create or adopt the connectors; change only what differs.

        A new source connector is created STOPPED, told where to go on from what the target already holds, and only
        then resumed: so a deploy after a removal copies nothing twice. Safe to repeat at any time.
        """
        connect, source_connector = self._connect, self.names[0]
        states = {name: self._state(name) for name in self.wanted}
        fresh = states[source_connector] in (None, ConnectorState.STOPPED)
        # Before anything is made: it may refuse.
        places = resume_of(self._migration, self._migration.target_topics()) if fresh else {}
        hold_limits(self._migration)
        if not fresh and self._selects_otherwise(source_connector):
            # Topics are added to a connector that runs: of some the target may hold records already.
            connect.stop(source_connector)
            states[source_connector] = ConnectorState.STOPPED
            stored = self._stored(source_connector)
            places = {**stored, **self._places_of_others(stored)}
        for name, config in self.configs.items():
            state = states[name]
            if state is None:
                connect.create(name, config, initial_state=ConnectorState.STOPPED)
                log.info("create connector %s", name)
                state = ConnectorState.STOPPED
            else:
                connect.apply(name, config)
            if state is ConnectorState.STOPPED and name == source_connector:
                self._align(name, places)
            if state in (ConnectorState.STOPPED, ConnectorState.PAUSED):
                connect.resume(name)

    def readiness(self) -> Readiness:
        """The worst verdict on the wanted connectors, and the reasons of those that have it."""
        found = [self._connect.readiness(name, tasks) for name, tasks in self.expected_tasks().items()]
        for verdict in (Verdict.FAILED, Verdict.WAITING):
            if reasons := [one.reason for one in found if one.verdict is verdict]:
                return Readiness(verdict, "\n".join(reasons))
        return Readiness(Verdict.RUNNING, "\n".join(one.reason for one in found))

    def progress(self) -> ConnectProgress:
        return ConnectProgress(self._connect, self.names[0], self._migration.spec.alias, self.wanted)

    def existing(self) -> list[str]:
        """Those of ``names`` that exist now."""
        return [name for name in self.names if name in set(self._connect.connectors())]

    def delete(self) -> list[str]:
        """Delete the connectors with their offsets; returns those that were there."""
        return [name for name in self.names if self._connect.delete(name, reset_offsets=True)]

    def _state(self, name: str) -> ConnectorState | None:
        if self._connect.find_config(name) is None:
            return None
        try:
            return self._connect.status(name).state
        except ConnectorNotFound:
            return ConnectorState.UNASSIGNED  # just created: the status comes a moment after the config

    def _selects_otherwise(self, name: str) -> bool:
        changes = config_diff(self.configs[name], self._connect.find_config(name))
        return any(change.key in ("topics", "topics.exclude") for change in changes)

    def _places_of_others(self, stored: Mapping[Partition, int]) -> dict[Partition, int]:
        """Where topics go on of which the connector knows no offset, though the target holds records of them."""
        known = {self._migration.spec.target_topic(topic) for topic, _ in stored}
        there = self._migration.target_topics()
        return resume_of(self._migration, {name: topic for name, topic in there.items() if name not in known})

    def _stored(self, name: str) -> dict[Partition, int]:
        """Next source offset by the connector's own account."""
        return next_offsets(self._connect.offsets(name), self._migration.spec.alias)

    def _align(self, name: str, wanted: Mapping[Partition, int]) -> None:
        changes = offset_changes(wanted, self._stored(name), self._migration.spec.alias)
        if changes:
            log.info("%d partitions go on after what the target already holds", len(wanted))
            self._connect.alter_offsets(name, changes)


def _refusal(name: str, problems: ValidationResult) -> BadParam:
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
    return BadParam("connect_conn_id", f"the worker refuses connector {name}: {problems}", "see the keys named")


def offset_changes(
    wanted: Mapping[Partition, int], actual: Mapping[Partition, int], alias: str
) -> list[dict[str, Any]]:
    """Entries for ``PATCH /connectors/{name}/offsets`` that make the next offsets ``wanted``.

    :param wanted, actual: next source offset.
    """
    return [
        {
            "partition": kept_key(place, alias),
            "offset": kept_offset(wanted[place]) if place in wanted else None,
        }
        for place in sorted(wanted.keys() | actual.keys())
        if wanted.get(place) != actual.get(place)
    ]
