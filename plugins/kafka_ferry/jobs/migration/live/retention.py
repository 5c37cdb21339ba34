"""Lift the target's limits by age and size during the copy, and put them back. Both are safe to repeat at any time."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping

from kafka_ferry.core.retention import HELD_AS, SIZES, is_held, to_hold, to_put_back
from kafka_ferry.exceptions import NotAuthorized, TransientError
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.preflight import Preflight

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
    _alter(migration, _only(changes, lambda key: key not in SIZES))
    # Without these only a record that is packed larger than it was stops the copy: the plan warned of it.
    refused = _alter(migration, _only(changes, SIZES.__contains__), may_fail=True)
    for topic, why in refused.items():
        log.warning("topic %s: size limits stay as they are: %s", topic, why)
    result = {}
    for topic, keys in changes.items():
        if done := [key for key in keys if topic not in refused or key not in SIZES]:
            log.info("topic %s: %s lifted during the copy", topic, ", ".join(done))
            result[topic] = done
    return result


def held_topics(migration: Migration) -> list[str]:
    """Topics of the target, anyone's, that have a limit on hold. Asks the target only: the source may be dead."""
    admin = migration.target.admin
    names = [name for name in admin.topic_names() if not name.startswith("__")]
    try:
        states = admin.topics(names)
    except NotAuthorized:  # on one of them, as after ``acls=copy`` of a DENY: the others are looked at all the same
        states = {}
        for name in names:
            with contextlib.suppress(NotAuthorized):
                states |= admin.topics([name])
    return [name for name, state in states.items() if any(is_held(*config) for config in state.configs.items())]


#: Of topics on the target those that have to stay on hold, for whom: ``Flows.held_for_others``.
Others = Callable[[Collection[str]], Mapping[str, str]]


def put_limits_back(migration: Migration, others: Others = lambda topics: {}) -> dict[str, dict[str, str | None]]:
    """End every hold on the migration's target topics, whoever began it. Returns what was set; None is the default.

    :param others: a topic that other migrations copy into stays on hold: the last of them ends it.
    """
    desired = migration.desired_topics(migration.topics.topics.values())
    changes = to_put_back(desired, migration.target_topics())
    _leave(changes, others(changes))
    _alter(migration, changes)
    # One may have begun meanwhile, and found all on hold already.
    again = _leave(changes.copy(), others(changes))
    _alter(migration, {topic: {key: HELD_AS[key] for key in changes.pop(topic)} for topic in again})
    for topic, back in changes.items():
        text = ", ".join(f"{key}={'the default' if value is None else value}" for key, value in back.items())
        log.info("topic %s: restored %s", topic, text)
    return changes


def _leave(changes: dict[str, dict[str, str | None]], needed: Mapping[str, str]) -> list[str]:
    """Take out what others need; what that is."""
    left = [topic for topic in needed if changes.pop(topic, None) is not None]
    for topic in left:
        log.info("topic %s: its limits stay lifted for %s, which also copies into it and restores them", topic,
                 needed[topic])  # fmt: skip
    return left


def _only(changes: Mapping[str, Mapping[str, str]], which: Callable[[str], bool]) -> dict[str, dict[str, str]]:
    kept = {topic: {key: value for key, value in held.items() if which(key)} for topic, held in changes.items()}
    return {topic: held for topic, held in kept.items() if held}


def _alter(
    migration: Migration, changes: Mapping[str, Mapping[str, str | None]], may_fail: bool = False
) -> dict[str, str]:
    """Set configs and wait until they are in force. Topic to why it was refused, where that ``may_fail``."""
    if not changes:
        return {}
    survey = KafkaSurvey.of(migration.target)
    refused = survey.try_configs(changes) if may_fail else {}
    if not may_fail:
        survey.set_configs(changes)
    taken = {topic: entries for topic, entries in changes.items() if topic not in refused}
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while taken and (waiting := _not_visible(migration, taken)):
        if time.monotonic() > deadline:
            raise TransientError(
                f"{migration.spec.target_conn_id}: configs set, but not yet in effect: {', '.join(waiting)}"
            )
        time.sleep(0.1)
    return refused


def _not_visible(migration: Migration, changes: Mapping[str, Mapping[str, str | None]]) -> list[str]:
    states = migration.target.admin.topics(changes)
    return [
        name
        for name, entries in changes.items()
        if name in states and any(states[name].configs.get(key) != value for key, value in entries.items())
    ]
