"""Lift the target's limits by age and size during the copy, and put them back. Both are safe to repeat at any time."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from kafka_ferry.exceptions import OutsideFault
from kafka_ferry.hooks.kafka_survey import KafkaSurvey
from kafka_ferry.hooks.migration import Migration
from kafka_ferry.hooks.preflight import Preflight
from kafka_ferry.migration.provision import desired_topics
from kafka_ferry.migration.retention import HELD, to_hold, to_put_back

log = logging.getLogger(__name__)

_VISIBLE_SECONDS = 30  # a changed config reaches the broker that is asked a moment later


def hold_limits(migration: Migration) -> dict[str, list[str]]:
    """Lift the limits that would act on records of these topics. Returns target topic to the configs held now.

    Nothing is held with ``keep_replicating``: MirrorMaker 2 then carries the source's configs over itself.
    """
    spec = migration.spec
    if not spec.hold_retention or spec.keep_replicating:
        return {}
    changes = {
        facts.desired.name: held
        for facts in Preflight(migration).topic_facts(with_keys=False)
        if facts.existing and (held := to_hold(facts.desired, facts.existing, facts.at_risk()))
    }
    _alter(migration, changes)
    for topic, held in changes.items():
        log.info("topic %s: %s off during the copy", topic, ", ".join(held))
    return {topic: list(held) for topic, held in changes.items()}


def held_topics(migration: Migration) -> list[str]:
    """Topics of the target, anyone's, that have a limit on hold. Asks the target only: the source may be dead."""
    admin = migration.target.admin
    states = admin.topics(name for name in admin.topic_names() if not name.startswith("__"))
    return [name for name, state in states.items() if HELD in state.configs.values()]


def put_limits_back(migration: Migration) -> dict[str, dict[str, str | None]]:
    """End every hold on the migration's target topics, whoever began it. Returns what was set; None is the default."""
    desired = desired_topics(migration.spec, migration.topics.topics.values())
    changes = to_put_back(desired, migration.target_topics())
    _alter(migration, changes)
    for topic, back in changes.items():
        text = ", ".join(f"{key}={'the default' if value is None else value}" for key, value in back.items())
        log.info("topic %s: put back %s", topic, text)
    return changes


def _alter(migration: Migration, changes: Mapping[str, Mapping[str, str | None]]) -> None:
    if not changes:
        return
    KafkaSurvey.of(migration.target).set_configs(changes)
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while waiting := _not_visible(migration, changes):
        if time.monotonic() > deadline:
            raise OutsideFault(f"{migration.spec.target_conn_id}: configs set, but not in force: {', '.join(waiting)}")
        time.sleep(0.1)


def _not_visible(migration: Migration, changes: Mapping[str, Mapping[str, str | None]]) -> list[str]:
    states = migration.target.admin.topics(changes)
    return [
        name
        for name, entries in changes.items()
        if name in states and any(states[name].configs.get(key) != value for key, value in entries.items())
    ]
