"""Send the canary over a live replication and look at it on the other side."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import KafkaError, Producer

from kafka_ferry.connectors.throughput import PROFILES
from kafka_ferry.exceptions import FerryError, OutsideFault
from kafka_ferry.hooks.kafka_admin import Partition
from kafka_ferry.hooks.kafka_config import client_config
from kafka_ferry.hooks.migration import Migration
from kafka_ferry.migration.canary import PARTITIONS, batch, canary_checks, canary_topic, skipped_checks
from kafka_ferry.migration.provision import DesiredTopic
from kafka_ferry.report.model import Check
from kafka_ferry.verification.compare import PartitionComparison, compare
from kafka_ferry.verification.content import PartitionRange

_POLL_SECONDS = 0.5


def send_canary(migration: Migration) -> list[Check]:
    """Make the topic on the source, write, wait for it on the target, write again, wait, compare.

    The topic is made by us on the source only: that MirrorMaker 2 makes it on the target is what is to be shown. Safe
    to repeat: what an earlier try left is deleted first.
    """
    topic = canary_topic(migration.spec.migration)
    try:
        delete_canary(migration)  # first, so that who may not delete it never makes it
        _create(migration, topic)
    except OutsideFault:
        raise
    except FerryError as refusal:
        return skipped_checks(f"the canary topic could not be made: {refusal}")
    patience = 3 * PROFILES[migration.spec.throughput.value].refresh_seconds + 45
    took: list[float | None] = []
    for number in (1, 2):
        _produce(migration, topic, number)
        took.append(_wait(lambda: _is_there(migration, topic), patience))
        if took[-1] is None:
            break
    first, second = (*took, None)[:2]
    found = _compare(migration, topic) if second is not None else {}
    return canary_checks(topic, first, found, second, patience)


def delete_canary(migration: Migration) -> list[str]:
    """Delete the canary on both sides; returns the topics that were there."""
    topic = canary_topic(migration.spec.migration)
    there = [f"{name} on the source" for name in migration.source.admin.delete_topics([topic])]
    target = migration.spec.target_topic(topic)
    return there + [f"{name} on the target" for name in migration.target.admin.delete_topics([target])]


def _create(migration: Migration, topic: str) -> None:
    admin, patience = migration.source.admin, time.monotonic() + 30
    while topic in admin.topic_ids([topic]):  # a deletion takes a moment
        if time.monotonic() > patience:
            raise OutsideFault(f"topic {topic!r} of an earlier try is still being deleted")
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
        raise OutsideFault(f"{left + len(failed)} canary records were not taken by the source: {failed[:1]}")


def _is_there(migration: Migration, topic: str) -> bool:
    target = migration.spec.target_topic(topic)
    if target not in migration.target.admin.topic_ids([target]):
        return False
    try:
        ends = migration.target.admin.offsets(_partitions(target), "latest", "read_committed")
    except OutsideFault:
        return False  # made a moment ago: no leaders yet
    wanted = migration.source.admin.offsets(_partitions(topic), "latest", "read_committed")
    return all(ends[target, p] >= wanted[topic, p] for p in range(PARTITIONS))


def _compare(migration: Migration, topic: str) -> dict[int, PartitionComparison]:
    target = migration.spec.target_topic(topic)
    with migration.source.reader("read_committed") as source, migration.target.reader("read_committed") as copy:
        ends = migration.target.admin.offsets(_partitions(target), "latest", "read_committed")
        there = copy.read([PartitionRange(*tp, 0, end) for tp, end in ends.items()])
        ends = migration.source.admin.offsets(_partitions(topic), "latest", "read_committed")
        here = source.read([PartitionRange(*tp, 0, end) for tp, end in ends.items()])
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
