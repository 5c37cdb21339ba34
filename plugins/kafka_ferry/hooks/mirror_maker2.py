"""MirrorMaker 2's connectors of one migration on a Connect cluster: as wished, going on where the target stands."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from kafka_ferry.connectors.config_diff import config_diff
from kafka_ferry.hooks.connect import ConnectorNotFound, ConnectorState
from kafka_ferry.hooks.migration import Migration
from kafka_ferry.hooks.resume import resume_of
from kafka_ferry.hooks.retention import hold_limits
from kafka_ferry.migration.convergence import Partition

log = logging.getLogger(__name__)


def deploy(migration: Migration) -> dict[str, int]:
    """Create or adopt the connectors; change only what differs. Returns connector to the tasks to expect.

    A new source connector is created STOPPED, told where to go on from what the target already holds, and only then
    resumed: so a deploy after a removal copies nothing twice. Safe to repeat at any time.
    """
    connect, source_connector = migration.connect, migration.connector_names[0]
    states = {name: _state(migration, name) for name in migration.wanted_connectors}
    fresh = states[source_connector] in (None, ConnectorState.STOPPED)
    configs = migration.connector_configs()
    # Before anything is made: it may refuse.
    places = resume_of(migration, migration.target_topics()) if fresh else {}
    hold_limits(migration)
    if not fresh and _selects_otherwise(migration, source_connector, configs[source_connector]):
        # Topics are added to a connector that runs: of some the target may hold records already.
        connect.stop(source_connector)
        states[source_connector] = ConnectorState.STOPPED
        stored = _stored(migration, source_connector)
        places = {**stored, **_places_of_others(migration, stored)}
    for name, config in configs.items():
        state = states[name]
        if state is None:
            connect.create(name, config, initial_state=ConnectorState.STOPPED)
            log.info("create connector %s", name)
            state = ConnectorState.STOPPED
        else:
            connect.apply(name, config)
        if state is ConnectorState.STOPPED and name == source_connector:
            _align(migration, name, places, _stored(migration, name))
        if state in (ConnectorState.STOPPED, ConnectorState.PAUSED):
            connect.resume(name)
    return migration.expected_tasks()


def _state(migration: Migration, name: str) -> ConnectorState | None:
    if migration.connect.find_config(name) is None:
        return None
    try:
        return migration.connect.status(name).state
    except ConnectorNotFound:
        return ConnectorState.UNASSIGNED  # just created: the status comes a moment after the config


def _selects_otherwise(migration: Migration, name: str, desired: Mapping[str, str]) -> bool:
    changes = config_diff(desired, migration.connect.find_config(name))
    return any(change.key in ("topics", "topics.exclude") for change in changes)


def _places_of_others(migration: Migration, stored: Mapping[Partition, int]) -> dict[Partition, int]:
    """Where topics go on of which the connector knows no offset, though the target holds records of them."""
    known = {migration.spec.target_topic(topic) for topic, _ in stored}
    there = migration.target_topics()
    return resume_of(migration, {name: topic for name, topic in there.items() if name not in known})


def _stored(migration: Migration, name: str) -> dict[Partition, int]:
    """Next source offset by the connector's own account."""
    return {
        (entry["partition"]["topic"], int(entry["partition"]["partition"])): int(entry["offset"]["offset"]) + 1
        for entry in migration.connect.offsets(name)
        if entry["partition"].get("cluster") == migration.spec.alias and entry["offset"]
    }


def _align(migration: Migration, name: str, wanted: Mapping[Partition, int], actual: Mapping[Partition, int]) -> None:
    changes = offset_changes(wanted, actual, migration.spec.alias)
    if changes:
        log.info("%d partitions go on after what the target already holds", len(wanted))
        migration.connect.alter_offsets(name, changes)


def offset_changes(
    wanted: Mapping[Partition, int], actual: Mapping[Partition, int], alias: str
) -> list[dict[str, Any]]:
    """Entries for ``PATCH /connectors/{name}/offsets`` that make the next offsets ``wanted``.

    :param wanted, actual: next source offset; the connector stores the last replicated one, which is one less.
    """
    return [
        {
            "partition": {"cluster": alias, "topic": topic, "partition": partition},
            "offset": {"offset": wanted[topic, partition] - 1} if (topic, partition) in wanted else None,
        }
        for topic, partition in sorted(wanted.keys() | actual.keys())
        if wanted.get((topic, partition)) != actual.get((topic, partition))
    ]
