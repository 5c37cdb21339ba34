"""A cluster of many topics as companies have it: topics, records, groups, ACLs; and a reader that is not ours."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.groups import KafkaGroups

#: Number of topics, partitions of each, and their configs.
Kind = tuple[int, int, dict[str, str]]
#: As the published migration had: 360 topics of 2,000 partitions.
PUBLISHED: tuple[Kind, ...] = (
    (200, 2, {}),
    (100, 6, {"retention.ms": "-1", "max.message.bytes": "2000000"}),
    (40, 12, {"compression.type": "lz4", "segment.bytes": "536870912"}),
    (20, 26, {"cleanup.policy": "compact,delete", "min.insync.replicas": "1"}),
)


_AT_ONCE = 50  # topics to delete in one request


@dataclass(frozen=True)
class WholeCluster:
    """What is on the source.

    :param records: in each partition.
    :param name: with which topics and groups begin.
    """

    kinds: tuple[Kind, ...]
    records: int
    name: str = "projects"

    @property
    def topics(self) -> dict[str, tuple[int, dict[str, str]]]:
        """Name to partitions and configs."""
        return {
            f"{self.name}.team-{kind}.events-{number}": (partitions, configs)
            for kind, (topics, partitions, configs) in enumerate(self.kinds)
            for number in range(topics)
        }

    @property
    def places(self) -> list[Partition]:
        return [(name, number) for name, (partitions, _) in self.topics.items() for number in range(partitions)]

    @property
    def groups(self) -> dict[str, dict[Partition, int]]:
        """At the start, in the middle, at the end, on a part; one that has read all there is."""
        names, end = list(self.topics), self.records

        def at(offset: int, name: str) -> dict[Partition, int]:
            return {(name, number): offset for number in range(self.topics[name][0])}

        return {
            f"{self.name}-billing": at(0, names[0]),
            f"{self.name}-search": at(end // 2, names[-1]),
            f"{self.name}-audit": at(end, names[len(names) // 2]) | at(1, names[1]),
            f"{self.name}-half-way": {(names[-1], 1): end - 1},
            f"{self.name}-warehouse": {(topic, number): (7 * number) % (end + 1) for topic, number in self.places},
        }

    @property
    def acls(self) -> list[Acl]:
        """Such as MirrorMaker 2 carries."""
        names = list(self.topics)
        return [
            Acl("TOPIC", names[0], "LITERAL", "User:billing", "READ"),
            Acl("TOPIC", names[-1], "LITERAL", "User:search", "READ"),
            Acl("TOPIC", names[-1], "LITERAL", "User:search", "DESCRIBE_CONFIGS"),
            Acl("TOPIC", names[1], "LITERAL", "User:guest", "READ", "DENY", "10.9.9.9"),
        ]

    def fill(self, config: dict[str, str], replicas: int, *, acls: bool = False) -> None:
        """Make all of it; ACLs where the cluster has an authorizer (``acls``)."""
        admin = KafkaAdmin(config, "source")
        admin.create_topics(
            DesiredTopic(name, name, partitions, replicas, configs)
            for name, (partitions, configs) in self.topics.items()
        )
        admin.wait_until_usable(self.places, 120)
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            failed.extend([error] if error else [])

        # A request for each partition and no more: a small machine is slow with thousands of them in flight.
        producer = Producer({**config, "acks": "all", "linger.ms": 60_000, "queue.buffering.max.messages": 1_000_000})
        for number in range(self.records):
            for topic, partition in self.places:
                # Each key has one partition, another one than Kafka's own hash would give it.
                key = f"{partition}-{number % 7}".encode()
                value, headers = b"value %d of " % number + topic.encode(), {"trace": b"\x00\xfe%d" % number}
                producer.produce(topic, value, key, partition, delivered, headers=headers)
            producer.poll(0)
        assert (producer.flush(120), failed[:1]) == (0, [])
        assert admin.commit(self.groups) == {}
        admin.create_acls(self.acls if acls else [])

    def clear(self, config: dict[str, str]) -> None:
        """Its topics, groups and ACLs are gone, as if no migration had ever been."""
        admin, names = AdminClient(config), list(self.topics)
        for first in range(0, len(names), _AT_ONCE):
            for future in admin.delete_topics(names[first : first + _AT_ONCE], request_timeout=60).values():
                future.result(timeout=90)
        ours = KafkaGroups(config, "to be cleared", 30)
        for group in self.groups:
            ours.delete_group(group)
        for future in admin.delete_acls(
            [_every_acl_of(user) for user in sorted({acl.principal for acl in self.acls})]
        ).values():
            future.result(timeout=30)
        deadline = time.monotonic() + 120
        while left := set(admin.list_topics(timeout=30).topics) & set(names):
            assert time.monotonic() < deadline, f"{len(left)} topics are still being deleted"
            time.sleep(1)


def _every_acl_of(principal: str) -> AclBindingFilter:
    kind, pattern, operation = ResourceType.ANY, ResourcePatternType.ANY, AclOperation.ANY
    return AclBindingFilter(kind, None, pattern, principal, None, operation, AclPermissionType.ANY)


@dataclass(frozen=True)
class Witnessed:
    """What is on a cluster, as a reader says that is not ours.

    :param listed: topics with their number of partitions, as ``kafka-topics --list`` and ``--describe`` tell.
    :param partitions: number and digest of the records of each: offset, time, key, value and headers.
    :param topics: a digest of time, key, value and headers of each record, whatever its partition.
    """

    listed: frozenset[str]
    partitions: Mapping[Partition, tuple[int, str]]
    topics: Mapping[str, list[str]]

    @classmethod
    def of(cls, config: dict[str, str], cluster: WholeCluster) -> Witnessed:
        """Read all of it."""
        counts = dict.fromkeys(cluster.places, 0)
        digests = {place: hashlib.sha256() for place in cluster.places}
        records: dict[str, list[str]] = {topic: [] for topic in cluster.topics}
        for one in _records(config, cluster.places):
            place = _place(one)
            counts[place] += 1
            told = repr((one.timestamp(), one.key(), one.value(), one.headers())).encode()
            digests[place].update(b"%d" % (one.offset() or 0) + told)
            records[place[0]].append(hashlib.sha256(told).hexdigest())
        listed = AdminClient(config).list_topics(timeout=30).topics
        return cls(
            frozenset(
                f"{name} {len(topic.partitions)}"
                for name, topic in listed.items()
                if name.startswith(f"{cluster.name}.")
            ),
            {place: (counts[place], digests[place].hexdigest()) for place in cluster.places},
            {topic: sorted(found) for topic, found in records.items()},
        )

    def differences(self, copy: Witnessed, *, whole_topics: bool = False) -> list[str]:
        """What is not the same; a record may be in another partition where ``whole_topics`` are compared."""
        if self.listed != copy.listed:
            return sorted(self.listed ^ copy.listed)
        if whole_topics:
            return sorted(topic for topic, found in self.topics.items() if copy.topics[topic] != found)
        return sorted(str(place) for place, found in self.partitions.items() if copy.partitions[place] != found)


def _records(config: dict[str, str], places: list[Partition]) -> Iterator[Message]:
    """From the start to what is the end now."""
    ends = _ends(AdminClient(config), places)
    left = {place: end for place, end in ends.items() if end}
    consumer = Consumer({**config, "group.id": "witness", "enable.auto.commit": False})
    consumer.assign([TopicPartition(*place, 0) for place in left])
    try:
        heard = time.monotonic()
        while left:
            batch = consumer.consume(5000, 0.5)  # waits that long unless there are so many
            heard = time.monotonic() if batch else heard
            missing = dict(list(left.items())[:3])
            assert time.monotonic() < heard + 60, f"{len(left)} partitions end before their end: {missing}"
            for one in batch:
                assert one.error() is None, one.error()
                yield one
                if one.offset() == ends[_place(one)] - 1:
                    del left[_place(one)]
    finally:
        consumer.close()


def _ends(admin: AdminClient, places: list[Partition]) -> dict[Partition, int]:
    """Brokers of a busy machine lose their session now and then: a leader moves, and is asked again."""
    wanted = {TopicPartition(*place): OffsetSpec.latest() for place in places}
    deadline = time.monotonic() + 60
    while True:
        try:
            found = {place: future.result(timeout=30) for place, future in admin.list_offsets(wanted).items()}
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return {(place.topic, place.partition): one.offset for place, one in found.items()}


def _place(one: Message) -> Partition:
    return str(one.topic()), int(one.partition() or 0)
