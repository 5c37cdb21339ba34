"""Take the engine away again, and whatever it and we left on the way."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from kafka_ferry.exceptions import FerryError, NotAuthorized
from kafka_ferry.jobs.common.by_hand import delete_on_brokers
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.canary import delete_canary
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.retention import Others, held_topics, put_limits_back

log = logging.getLogger(__name__)

_GONE_SECONDS = 15


@dataclass(frozen=True)
class Removed:
    """What was there and is gone, and what should be gone and may not be.

    :param unanswered: the engine could not be asked: a retry may end it.
    """

    stopped: list[str]
    topics: list[str]
    left: list[str]
    unanswered: bool = False


def remove(migration: Migration, *, keep_topics: bool = False, others: Others = lambda topics: {}) -> Removed:
    """End the engine; delete its own topics, its traces and the canary; end a hold of limits.

    Asks neither source nor target for anything it can know without them: it must work when they are dead.

    :param keep_topics: its own topics have become another migration's.
    :param others: for whom limits have to stay off.
    """
    engine = engine_of(migration)
    # One step that fails must not keep the others from being done: each says what it may have left.
    try:
        stopped = engine.stop()
    except FerryError as error:
        at_work = [f"{', '.join(engine.names)}, perhaps still at work: {error}"]
        left = [*at_work, *_put_back(migration, others), *remove_canary(migration)]
        return Removed([], [], left, unanswered=error.retriable)
    own = () if keep_topics else engine.own_topics()
    left = [*_put_back(migration, others), *remove_canary(migration)]
    topics: list[str] = []
    try:
        topics = migration.target.admin.delete_topics(own)
        topics += [] if keep_topics else engine.forget()
    except FerryError as error:
        left.append(f"topics {', '.join(own) or 'none'}: {error}")
    log.info("ended: %s; deleted: %s", stopped or "nothing", topics or "nothing")
    return Removed(stopped, topics, [*left, *_still_there(migration, own)])


def _still_there(migration: Migration, topics: Sequence[str]) -> list[str]:
    """Deletions are asynchronous, and another broker or worker may answer: look until all is gone, bounded."""
    deadline = time.monotonic() + _GONE_SECONDS
    while left := _left(migration, topics):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return left


def _left(migration: Migration, topics: Sequence[str]) -> list[str]:
    there = migration.target.admin.topic_ids(topics)
    return engine_of(migration).left() + [f"topic {name} on {migration.spec.target_conn_id}" for name in there]


def _put_back(migration: Migration, others: Others) -> list[str]:
    """End a hold that the checks did not come to end. Returns what may be left of it.

    Only a hold needs the source, which may be dead.
    """
    if not migration.spec.hold_retention:
        return []
    held: list[str] = []
    try:
        held = held_topics(migration)
        if held:
            put_limits_back(migration, others)
    except FerryError as error:
        return [f"limits that are lifted during a copy, on {_own_first(migration, held)}: {error}"]
    return []


def _own_first(migration: Migration, held: Sequence[str]) -> str:
    """Without the source only topics that the params name are known to be this migration's; those it would name."""
    if not held:
        return "target topics, perhaps"
    own = {migration.spec.target_topic(topic) for topic in migration.spec.topics}
    shown = sorted(held, key=lambda topic: topic not in own)[:10]
    return ", ".join(shown) + (f" and {len(held) - len(shown)} more" if len(held) > len(shown) else "")


def remove_canary(migration: Migration) -> list[str]:
    """Returns what may be left: the source may be dead, and that must not keep the rest from being removed."""
    if not migration.spec.canary:
        return []
    try:
        delete_canary(migration)
    except NotAuthorized:
        return []  # it is deleted before it is made: then it was never made
    except FerryError as fault:
        return [f"topic {migration.canary}, perhaps: {fault}"]
    return []


def how_to_stop(migration: Migration) -> str:
    """For ``keep_replicating``: what goes on, and how to end it."""
    return (
        f"keep_replicating: replication continues with {', '.join(engine_of(migration).names)}. To stop it and clean "
        "up, trigger this DAG again with the same params and keep_replicating off. Once a cutover has handed topics of "
        "it over, that is refused: stop it by hand then, which leaves the topics that were copied alone:\n"
        f"{by_hand(migration)}"
    )


def by_hand(migration: Migration) -> str:
    """Commands that end the engine and delete its own topics, and none that were copied."""
    engine = engine_of(migration)
    topics = engine.own_topics()
    own = delete_on_brokers("topic", migration.target, topics)
    then = f"\n# then, on {migration.spec.target_conn_id}\n{own}" if topics else ""
    return f"{engine.how_to_stop()}{then}"
