"""Plays the part of MSK Replicator behind the double: a plain copy, with the header that the service adds."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kafka_ferry.jobs.migration.engines.msk_replicator_spec import OWN_HEADER

#: Takes a record and tells whether it is copied.
Lets = Callable[[Message], bool]


class PlainReplicator:
    """Copies, in a thread, what the double's RUNNING replicators ask for, partition by partition, until the block ends.

    :param kafka: boto3's client of the double, which is asked for replicators.
    :param lets: leaves records out, as a fault.
    """

    def __init__(self, kafka: Any, source: str, target: str, lets: Lets = lambda _: True) -> None:
        self._kafka, self._lets, self._over = kafka, lets, threading.Event()
        self._source, self._target = (
            AdminClient({"bootstrap.servers": source}),
            AdminClient({"bootstrap.servers": target}),
        )
        reading = {"group.id": "plain", "enable.auto.commit": False, "isolation.level": "read_committed"}
        self._consumer = Consumer({"bootstrap.servers": source, **reading, "fetch.wait.max.ms": 50})
        self._producer = Producer({"bootstrap.servers": target, "acks": "all", "linger.ms": 1})
        self._places: dict[tuple[str, int], int] = {}
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.error: BaseException | None = None

    def __enter__(self) -> PlainReplicator:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(60)
        self._consumer.close()
        if self.error and not error:
            raise self.error

    def _work(self) -> None:
        try:
            while not self._over.is_set():
                if self._look():
                    self._copy()
                else:
                    time.sleep(0.1)
        except BaseException as error:  # noqa: BLE001 - raised again where the block ends
            self.error = error

    def _look(self) -> bool:
        """Take new topics; whether there is anything to copy."""
        listed = self._kafka.list_replicators()["Replicators"]
        running = [one["ReplicatorArn"] for one in listed if one["ReplicatorState"] == "RUNNING"]
        if not running:
            self._places.clear()
            return False
        (info,) = self._kafka.describe_replicator(ReplicatorArn=running[0])["ReplicationInfoList"]
        wishes: dict[str, Any] = info["TopicReplication"]
        begin = OFFSET_BEGINNING if wishes["StartingPosition"] == {"Type": "EARLIEST"} else OFFSET_END
        there = self._target.list_topics(timeout=10).topics
        known = set(self._places)
        for name, topic in self._source.list_topics(timeout=10).topics.items():
            if not any(re.fullmatch(one, name) for one in wishes["TopicsToReplicate"]):
                continue
            if any(re.fullmatch(one, name) for one in wishes["TopicsToExclude"]):
                continue
            if name not in there:
                self._create(name, len(topic.partitions))
            for number in topic.partitions:
                self._places.setdefault((name, number), begin)
        if known != set(self._places):
            self._consumer.assign([TopicPartition(*tp, offset) for tp, offset in self._places.items()])
        return bool(self._places)

    def _create(self, name: str, partitions: int) -> None:
        try:
            self._target.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
        except KafkaException as error:
            if "exists" not in str(error):
                raise

    def _copy(self) -> None:
        for message in self._consumer.consume(1000, 0.2):
            if message.error():
                continue  # a topic that is gone by now
            self._places[str(message.topic()), int(message.partition() or 0)] = (message.offset() or 0) + 1
            if self._lets(message):
                headers = [*(message.headers() or []), (OWN_HEADER, b"legacy")]
                self._producer.produce(
                    str(message.topic()), message.value(), message.key(), int(message.partition() or 0),
                    timestamp=message.timestamp()[1], headers=headers,
                )  # fmt: skip
        self._producer.flush(30)
