"""Send the canary over a live replication and look at it on the other side."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from confluent_kafka import KafkaError, Producer

from kafka_ferry.core.checks import Check
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.jobs.migration.engines.registry import engine_kind
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.canary import (
    PARTITIONS,
    batch,
    canary_checks,
    patience_for,
    skipped_checks,
    without_new_topics,
)
from kafka_ferry.records.compare import PartitionComparison, compare
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.job import ALL_PARTITIONS
from kafka_ferry.records.multiset import compare_topic
from kafka_ferry.records.topic_content import TopicContent

_POLL_SECONDS = 0.5


def send_canary(migration: Migration) -> list[Check]:
    """Make the topic on the source, write, wait for it on the target, write again, wait, compare.

    The topic is made by us on the source only: that the engine makes it on the target is what is to be shown; where it
    makes none we do, and only new records are shown. Safe to repeat: what an earlier try left is deleted first.
    """
    topic, engine = migration.canary, engine_kind(migration.spec.engine)
    try:
        delete_canary(migration)  # first, so that who may not delete it never makes it
        if not engine.creates_topics:  # first: the engine may end on a record whose topic is not there
            _create(migration.target.admin, migration.spec.target_topic(topic))
        _create(migration.source.admin, topic)
    except TransientError:
        raise
    except FerryError as refusal:
        return skipped_checks(f"the canary topic could not be created: {refusal}")
    patience = patience_for(engine.refresh_seconds(migration.spec), len(migration.topics.partitions))
    took: list[float | None] = []
    for number in (1, 2):
        _produce(migration, topic, number)
        took.append(_wait(lambda: _is_there(migration, topic), patience))
        if took[-1] is None:
            break
    first, second = (*took, None)[:2]
    found = _compare(migration, topic) if second is not None else {}
    checks = canary_checks(topic, first, found, second, patience)
    return checks if engine.creates_topics else [without_new_topics(check, engine.title) for check in checks]


def delete_canary(migration: Migration) -> list[str]:
    """Delete the canary on both sides; returns the topics that were there."""
    topic = migration.canary
    there = [f"{name} on the source" for name in migration.source.admin.delete_topics([topic])]
    target = migration.spec.target_topic(topic)
    return there + [f"{name} on the target" for name in migration.target.admin.delete_topics([target])]


def _create(admin: KafkaAdmin, topic: str) -> None:
    patience = time.monotonic() + 30
    while topic in admin.topic_ids([topic]):  # a deletion takes a moment
        if time.monotonic() > patience:
            raise TransientError(f"topic {topic!r} of an earlier try is still being deleted")
        time.sleep(_POLL_SECONDS)
    admin.create_topics([DesiredTopic(topic, topic, PARTITIONS, None, {})])
    admin.wait_until_usable([(topic, partition) for partition in range(PARTITIONS)], 60)


def _produce(migration: Migration, topic: str, number: int) -> None:
    failed: list[str] = []

    def delivered(error: KafkaError | None, _: object) -> None:
        if error is not None:
            failed.append(error.str())

    producer = Producer(client_config(migration.source.extra) | {"acks": "all", "delivery.timeout.ms": 30000})
    for key, value, headers, partition in batch(number):
        producer.produce(topic, value, key, partition, headers=headers, on_delivery=delivered)
    left = producer.flush(40)
    if failed or left:
        raise TransientError(f"{left + len(failed)} canary records were not accepted by the source: {failed[:1]}")


def _is_there(migration: Migration, topic: str) -> bool:
    target = migration.spec.target_topic(topic)
    if target not in migration.target.admin.topic_ids([target]):
        return False
    try:
        ends = migration.target.admin.offsets(_partitions(target), "latest", "read_committed")
    except TransientError:
        return False  # made a moment ago: no leaders yet
    wanted = migration.source.admin.offsets(_partitions(topic), "latest", "read_committed")
    if not engine_kind(migration.spec.engine).keeps_partitions:
        return sum(ends.values()) >= sum(wanted.values())
    return all(ends[target, p] >= wanted[topic, p] for p in range(PARTITIONS))


def _compare(migration: Migration, topic: str) -> dict[int, PartitionComparison]:
    target = migration.spec.target_topic(topic)
    with migration.source.reader("read_committed") as source, migration.target.reader("read_committed") as copy:
        ends = migration.target.admin.offsets(_partitions(target), "latest", "read_committed")
        there = copy.read([PartitionRange(*tp, 0, end) for tp, end in ends.items()], with_keys=True)
        ends = migration.source.admin.offsets(_partitions(topic), "latest", "read_committed")
        here = source.read([PartitionRange(*tp, 0, end) for tp, end in ends.items()], with_keys=True)
    if not engine_kind(migration.spec.engine).keeps_partitions:
        ours = TopicContent.of({p: here[topic, p] for p in range(PARTITIONS)})
        theirs = TopicContent.of({p: there[target, p] for p in range(PARTITIONS)})
        found, _ = compare_topic(ours, theirs, {p: here[topic, p].end for p in range(PARTITIONS)})
        return {ALL_PARTITIONS: replace(found, detail="; ".join(map(str, found.differences)))}
    return {p: compare(here[topic, p], there[target, p], here[topic, p].end) for p in range(PARTITIONS)}


def _partitions(topic: str) -> list[Partition]:
    return [(topic, partition) for partition in range(PARTITIONS)]


def _wait(reached: Callable[[], bool], patience: float) -> float | None:
    """Seconds until it was reached, None when it was not."""
    began = time.monotonic()
    while not reached():
        if time.monotonic() - began > patience:
            return None
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began
