"""Writes topics and group offsets to a cluster with confluent-kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from demo.spec import GroupSpec, Record, TopicSpec

TIMEOUT_S = 60.0
QUIET: dict[str, Any] = {"log_level": 3}  # "coordinator load in progress, retrying" on a young broker is no news


# measured on a broker just started: a new topic has no leader, a new group no coordinator for a moment
TRANSIENT = {
    KafkaError._NOENT,  # "No leaders found"
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}

Answer = TypeVar("Answer")


class LoadError(Exception):
    """The cluster does not hold, or did not take, what the demo needs."""


class Loader:
    """One cluster to load; keeps its admin client referenced, since futures die with it.

    :param cluster: ``bootstrap.servers``, or all librdkafka settings of a secured cluster.
    """

    def __init__(self, cluster: str | Mapping[str, str]) -> None:
        self.settings = {"bootstrap.servers": cluster} if isinstance(cluster, str) else dict(cluster)
        self.admin = AdminClient(self.settings | QUIET)

    def create(self, specs: Iterable[TopicSpec]) -> None:
        """Create the topics that do not exist yet, and wait until each partition has a leader."""
        specs = list(specs)
        existing = self.admin.list_topics(timeout=TIMEOUT_S).topics
        for spec in specs:
            if spec.name in existing and len(existing[spec.name].partitions) != spec.partitions:
                have = len(existing[spec.name].partitions)
                raise LoadError(
                    f"topic {spec.name} has {have} partitions instead of {spec.partitions}: delete it first"
                )
        new = [NewTopic(s.name, s.partitions, 1, config=dict(s.config)) for s in specs if s.name not in existing]
        if new:
            for future in self.admin.create_topics(new, request_timeout=TIMEOUT_S).values():
                future.result()

    def end_offsets(self, spec: TopicSpec) -> dict[int, int]:
        """Log end offset of each partition."""
        latest = OffsetSpec.latest()
        asked = {TopicPartition(spec.name, p): latest for p in range(spec.partitions)}

        def ask() -> dict[int, int]:
            futures = self.admin.list_offsets(asked, request_timeout=TIMEOUT_S)
            return {tp.partition: future.result().offset for tp, future in futures.items()}

        return patiently(ask)

    def fill(self, spec: TopicSpec) -> int:
        """Write all records of an empty topic, in order, and check that the log took them all.

        :returns: bytes of keys and values written.
        """
        size = 0
        if spec.transactions:
            size = self._fill_transactions(spec)
        elif spec.count:
            size = self._send(self._plain, spec.name, spec.records())
        self._await_end(spec)
        return size

    def commit(self, group: GroupSpec, specs: dict[str, TopicSpec]) -> None:
        """Commit the group's offsets with an idle consumer: the group then exists and is EMPTY."""
        offsets = []
        for topic in group.topics:
            ends = self.end_offsets(specs[topic])
            wanted = ends if group.partitions is None else group.partitions
            offsets += [TopicPartition(topic, p, int(ends[p] * group.position)) for p in wanted]
        consumer = Consumer(self.settings | {"group.id": group.name, "enable.auto.commit": False} | QUIET)
        try:
            found = patiently(lambda: consumer.committed(offsets, timeout=TIMEOUT_S))
            if [tp.offset for tp in found] == [tp.offset for tp in offsets]:
                return
            consumer.assign(offsets)
            for done in patiently(lambda: consumer.commit(offsets=offsets, asynchronous=False)):
                if done.error:
                    raise LoadError(f"group {group.name}: commit on {done.topic}-{done.partition}: {done.error}")
        finally:
            consumer.close()

    @cached_property
    def _plain(self) -> Producer:
        # one for all topics: an idempotent producer waits 0.5 s for its id (measured); the broker compresses
        return self._producer({"linger.ms": 20, "batch.size": 1_000_000})

    def _producer(self, extra: dict[str, Any]) -> Producer:
        return Producer(
            {
                **self.settings,
                "enable.idempotence": True,
                # else the first batch of a new topic can be lost and told delivered: see jobs/backup/store/senders.py
                "max.in.flight.requests.per.connection": 1,
                "partitioner": "murmur2_random",  # a key goes where the Java producer would put it
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 262_144,
            }
            | QUIET
            | extra
        )

    def _send(self, producer: Producer, topic: str, records: Iterable[Record]) -> int:
        size = 0
        failed: list[str] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(str(error))

        for n, (key, value, timestamp, headers, partition) in enumerate(records):
            size += len(key or b"") + len(value or b"")
            where = -1 if partition is None else partition
            while True:
                try:
                    producer.produce(
                        topic, value, key, partition=where, on_delivery=delivered, timestamp=timestamp, headers=headers
                    )
                    break
                except BufferError:  # the local queue is full: let librdkafka send
                    producer.poll(0.1)
            if n % 10_000 == 0:
                producer.poll(0)
        self._flush(producer, topic)
        if failed:
            raise LoadError(f"topic {topic}: {len(failed)} records not written, first: {failed[0]}")
        return size

    def _flush(self, producer: Producer, topic: str) -> None:
        if producer.flush(TIMEOUT_S):
            raise LoadError(f"topic {topic}: the broker did not take all records within {TIMEOUT_S:.0f} s")

    def _fill_transactions(self, spec: TopicSpec) -> int:
        size = 0
        producer = self._producer({"transactional.id": f"demo-{spec.name}"})
        producer.init_transactions(TIMEOUT_S)
        for transaction in spec.transactions:
            producer.begin_transaction()
            # flushed before the abort, or librdkafka would drop the records before they reach the log
            size += self._send(producer, spec.name, transaction.records)
            if transaction.committed:
                producer.commit_transaction(TIMEOUT_S)
            else:
                producer.abort_transaction(TIMEOUT_S)
        return size

    def _await_end(self, spec: TopicSpec) -> None:
        # measured: the marker of an abort can land after the call has returned
        deadline = time.monotonic() + TIMEOUT_S
        while (end := sum(self.end_offsets(spec).values())) != spec.offsets:
            if end > spec.offsets or time.monotonic() > deadline:
                raise LoadError(f"topic {spec.name}: the log ends at {end} instead of {spec.offsets}")
            time.sleep(0.05)


def patiently(ask: Callable[[], Answer]) -> Answer:
    """Ask again while the broker says that it is not ready, for at most ``TIMEOUT_S``."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in TRANSIENT or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
