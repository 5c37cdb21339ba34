"""Our S3 connectors on the stack's worker: what they are told, what lies in S3, and what of it is in the target."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import requests
from confluent_kafka import Producer

from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.decoding import place_of
from kafka_ferry.jobs.backup.rules.formats import decode
from kafka_ferry.jobs.backup.rules.layout import data_prefix
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.records.content import PartitionRange
from stack import Stack, s3

LOCATION = "s3://ferry-backups/connectors"
_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"
_CLASSES = {"sink": "S3SegmentSinkConnector", "source": "S3SegmentSourceConnector"}

Place = tuple[str, int]


class S3Connectors:
    """Those of one export.

    :param endpoint: of S3, as connectors are told; by default the stack's own.
    """

    def __init__(self, stack: Stack, export: str, endpoint: str = "") -> None:
        self.stack, self.export = stack, export
        self.endpoint = endpoint or stack.s3.url
        self.store: ObjectStore = store_of(LOCATION, "aws_default")

    def name(self, kind: str) -> str:
        return f"{self.export}.{kind}"

    def _url(self, kind: str, what: str = "") -> str:
        return f"{self.stack.connect_url}/connectors/{self.name(kind)}{what}"

    def settings(self, kind: str, **changes: object) -> dict[str, str]:
        """``__`` stands for a dot."""
        own: dict[str, object] = {
            "connector.class": f"kafkaferry.connect.s3.{_CLASSES[kind]}",
            "tasks.max": 3,
            **{f"{part}.converter": _BYTES for part in ("key", "value", "header")},
            "s3.bucket.name": s3.BUCKET,
            "s3.prefix": LOCATION.removeprefix(f"s3://{s3.BUCKET}/"),
            "export.name": self.export,
            "store.url": self.endpoint,
            "aws.access.key.id": s3.ACCESS_KEY,
            "aws.secret.access.key": s3.SECRET,
        }
        if kind == "sink":
            # Workers keep their topics on the target: the cluster that is read is another one.
            own["kafka.bootstrap.servers"] = own["consumer.override.bootstrap.servers"] = self.stack.source_bootstrap
            own |= {"consumer.override.isolation.level": "read_committed", "rotate.schedule.interval.ms": 2000,
                    "manifest.interval.ms": 1000}  # fmt: skip
        else:
            own["s3.poll.interval.ms"] = 500
        own |= {name.replace("__", "."): value for name, value in changes.items()}
        return {name: str(value) for name, value in own.items()}

    def deploy(self, kind: str, **changes: object) -> None:
        # A worker that has just started answers 409 while its group forms.
        deadline = time.monotonic() + 60
        while True:
            answer = requests.put(self._url(kind, "/config"), json=self.settings(kind, **changes), timeout=60)
            if answer.status_code != 409:
                break
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert answer.status_code in (200, 201), answer.text

    def refusal(self, kind: str, **changes: object) -> str:
        """What the worker says of a config that cannot work."""
        answer = requests.put(self._url(kind, "/config"), json=self.settings(kind, **changes), timeout=60)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["message"])

    def tell(self, kind: str, what: str) -> None:
        """pause, resume, stop, restart?includeTasks=true."""
        method = requests.post if what.startswith("restart") else requests.put
        method(self._url(kind, f"/{what}"), timeout=60).raise_for_status()

    def remove(self) -> None:
        for kind in _CLASSES:
            requests.delete(self._url(kind), timeout=60)

    def tasks(self, kind: str) -> list[tuple[str, str]]:
        """State of each task, and why it failed."""
        answer = requests.get(self._url(kind, "/status"), timeout=60)
        found = answer.json().get("tasks", []) if answer.ok else []
        return [(one["state"], one.get("trace", "")) for one in found]

    def healthy(self) -> None:
        """:raises AssertionError: a task failed."""
        for kind in _CLASSES:
            failed = [trace for state, trace in self.tasks(kind) if state == "FAILED"]
            assert not failed, failed[0][:3000]

    def until(self, what: Callable[[], object], seconds: float, healthy: bool = True) -> float:
        """Wait; how long it took.

        :param healthy: no task may fail meanwhile.
        """
        begun = time.monotonic()
        while not what():
            if healthy:
                self.healthy()
            assert time.monotonic() < begun + seconds, (self.tasks("sink"), self.tasks("source"))
            time.sleep(0.2)
        return time.monotonic() - begun

    # --- what lies where ----------------------------------------------------------------------------------------------

    def objects(self) -> list[str]:
        return sorted(entry.key for entry in self.store.list(data_prefix(self.export)))

    def stored(self) -> dict[Place, list[tuple[int, int]]]:
        """(offset, hash) of each record of every object that is there, named by a manifest or not."""
        found: dict[Place, list[tuple[int, int]]] = {}
        for key in self.objects():
            place = place_of(key)
            assert place is not None
            for rows in decode(self.store.get(key), key):
                found.setdefault(place, []).extend(zip(rows.offsets, rows.hashes(), strict=True))
        return found

    def manifests(self) -> list[str]:
        """Ids of the COMPLETE ones."""
        return list(Catalogue(self.store, self.export).complete())

    def earliest(self, backup_id: str) -> int:
        """Timestamp of the oldest record that a manifest declares, in ms."""
        manifest = Catalogue(self.store, self.export).complete()[backup_id]
        parts = (part for topic in manifest.topics for part in topic.partitions)
        return min(one.min_timestamp for part in parts for one in part.segments if one.min_timestamp is not None)

    def declared(self) -> int:
        """Records in COMPLETE manifests."""
        return sum(one.totals.records for one in Catalogue(self.store, self.export).complete().values())


def content(conn_id: str, topics: Iterable[str], partitions: int) -> dict[Place, list[tuple[int, int]]]:
    """(offset, hash) of each committed record of a cluster."""
    hook = KafkaClusterHook(conn_id)
    places = [(topic, number) for topic in topics for number in range(partitions)]
    ends = hook.admin.offsets(places, "latest", "read_committed")
    with hook.reader("read_committed") as reader:
        found = reader.read([PartitionRange(*at, 0, ends[at]) for at in places if ends[at]])
    return {at: list(zip(own.offsets.tolist(), own.hashes.tolist(), strict=True)) for at, own in found.items()}


def hashes(content: dict[Place, list[tuple[int, int]]], names: dict[str, str] | None = None) -> dict[Place, list[Any]]:
    """Without offsets, which a target has of its own. ``names``: topic to what it is called in the result."""
    return {
        ((names or {}).get(topic, topic), partition): [digest for _, digest in own]
        for (topic, partition), own in content.items()
        if own
    }


class Feed:
    """Writes records for a while, beside the test."""

    def __init__(self, stack: Stack, topic: str, partitions: int, seconds: float) -> None:
        self._thread = threading.Thread(target=self._write, args=(stack, topic, partitions, seconds))

    def _write(self, stack: Stack, topic: str, partitions: int, seconds: float) -> None:
        producer, until, number = Producer({**stack.client_settings("source"), "acks": "all"}), time.time() + seconds, 0
        while time.time() < until:
            producer.produce(topic, b"fed %d" % number, b"k%d" % (number % 50), number % partitions)
            producer.poll(0.02)
            number += 1
        assert producer.flush(60) == 0

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
