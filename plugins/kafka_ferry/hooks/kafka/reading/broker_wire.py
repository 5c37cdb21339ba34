"""Connections to brokers, and the two questions we ask there: who leads a partition, and what is in it.

aiokafka brings the protocol: its requests and answers name their fields. Its consumer is not used, because it makes an
object of each record.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.conn import collect_hosts
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from confluent_kafka import KafkaError

from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.reading.broker_connection import BrokerConnection
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings
from kafka_ferry.records.record_batch import UnusualRecords

_FIRST_PART, _LEAST_PART = 2, 8  # a quarter at first, down to one part in 256: powers of two
_LEAST_BYTES = 64 * 1024
_LONG, _SHORT = 4.0, 1.0  # seconds

LEADERS = -1
"""Where a broker's id stands: any broker, asked who leads what."""


@dataclass(frozen=True)
class Leaders:
    """Who leads what.

    :param nodes: broker id of each partition that has a leader. ``unknown``: partitions that are not there.
    :param forbidden: topics that we may not see.
    """

    nodes: dict[Partition, int]
    unknown: set[Partition]
    forbidden: list[str]


@dataclass(frozen=True)
class Part:
    """What a broker answers of one partition.

    :param code: Kafka's error code, 0 for none. ``end``: of what may be read now.
    :param aborted: (producer id, first offset) of aborted transactions in it. ``data``: its record batches, good until
        the broker's next answer.
    """

    code: int
    end: int
    aborted: list[tuple[int, int]]
    data: memoryview


@dataclass(frozen=True)
class Answer:
    """Of one broker to one Fetch.

    :param asked: the offset that was asked for, of each partition. ``throttle``: seconds for which it wants no other.
    """

    asked: Mapping[Partition, int]
    parts: dict[Partition, Part]
    throttle: float


class Pace:
    """How much is asked of a broker at once: what arrives in some seconds, so that slow links are no stalled ones.

    :param most_of_partition, most_of_answer: bytes.
    """

    def __init__(self, most_of_partition: int, most_of_answer: int) -> None:
        self._most = most_of_partition, most_of_answer
        self._part = _FIRST_PART

    @property
    def partition_bytes(self) -> int:
        return max(1, min(self._most[0], max(_LEAST_BYTES, self._most[0] >> self._part)))

    @property
    def answer_bytes(self) -> int:
        return max(1, min(self._most[1], max(_LEAST_BYTES, self._most[1] >> self._part)))

    def note(self, seconds: float) -> None:
        """An answer took so long: half as much next time, or twice."""
        if seconds >= _LONG:
            self._part = min(self._part + 1, _LEAST_PART)
        elif seconds <= _SHORT:
            self._part = max(self._part - 1, 0)


class BrokerWire:
    """One connection to each broker and one to any, made when they are needed. Lives in one event loop.

    All its questions raise ``OSError``, ``TimeoutError`` or aiokafka's ``KafkaError`` where a broker is '
        'unavailable or refuses
    us; ``drop`` the connection then.

    :param on_arrival: called while a long answer arrives slowly.
    """

    def __init__(self, settings: WireSettings, on_arrival: Callable[[], None] | None = None) -> None:
        self._settings, self._on_arrival = settings, on_arrival
        self._paces: dict[int, Pace] = {}
        self._awake, self._awake_since = 0.0, time.monotonic()
        self._hosts: dict[int, tuple[str, int]] = {}
        self._connections: dict[int, BrokerConnection] = {}

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """Host and port of every broker, as ``leaders`` was told."""
        return list(self._hosts.values())

    async def leaders(self, keys: Iterable[Partition]) -> Leaders:
        """Ask any broker."""
        wanted = set(keys)
        connection = await self.any()
        # Without leave to create them: a question must not make a topic.
        found = await connection.ask(MetadataRequest(sorted({topic for topic, _ in wanted}), False))
        self._hosts = {one["node_id"]: (one["host"], one["port"]) for one in found["brokers"]}
        nodes: dict[Partition, int] = {}
        unknown = set(wanted)
        forbidden = []
        for about in found["topics"]:
            topic, code = about["topic"], about["error_code"]
            if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                forbidden.append(topic)
            if code not in (0, KafkaError.UNKNOWN_TOPIC_OR_PART):
                unknown = {key for key in unknown if key[0] != topic}  # the broker cannot tell now
            for one in about["partitions"]:
                unknown.discard((topic, one["partition"]))
                if one["leader"] in self._hosts:
                    nodes[topic, one["partition"]] = one["leader"]
        return Leaders({key: node for key, node in nodes.items() if key in wanted}, unknown, forbidden)

    async def fetch(self, node: int, positions: Mapping[Partition, int]) -> Answer:
        """Ask a broker for what follows these offsets; it answers when there is something, or after some time."""
        settings = self._settings
        pace = self._paces.setdefault(node, Pace(settings.partition_bytes, settings.answer_bytes))
        topics: dict[str, list[tuple[int, int, int]]] = {}
        for (topic, partition), offset in positions.items():
            topics.setdefault(topic, []).append((partition, offset, pace.partition_bytes))
        isolation = int(settings.read_committed)
        question = FetchRequest(settings.wait_ms, 1, pace.answer_bytes, isolation, list(topics.items()))
        connection = await self.connection(node)
        begun = self._clock()
        try:
            found = await connection.ask(question)
        except (IncompatibleBrokerVersion, NotImplementedError) as error:
            raise UnusualRecords(f"a broker older than Kafka 0.11: {error}") from None
        except (OSError, TimeoutError):
            pace.note(_LONG)
            raise
        pace.note(self._clock() - begun)
        if found.get("error_code"):
            raise for_code(found["error_code"])()
        parts = {
            (about["topics"], one["partition"]): _part(one, isolation)
            for about in found["topics"]
            for one in about["partitions"]
        }
        return Answer(positions, parts, found["throttle_time_ms"] / 1000)

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """While the event loop runs: what an answer waits for us says nothing of the link it came by."""
        self._awake_since = time.monotonic()
        yield
        self._awake += time.monotonic() - self._awake_since

    def _clock(self) -> float:
        return self._awake + time.monotonic() - self._awake_since

    def drop(self, node: int) -> None:
        """Make a new connection next time."""
        connection = self._connections.pop(node, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        for node in list(self._connections):
            self.drop(node)

    async def any(self) -> BrokerConnection:
        """A connection to one of the brokers."""
        found = self._connections.get(LEADERS)
        if found is not None and found.is_open:
            return found
        self.drop(LEADERS)
        problem: Exception = OSError("no broker is named")
        named = [(host, port) for host, port, _ in collect_hosts(self._settings.servers)]
        for host, port in [*named, *self._hosts.values()]:
            try:
                self._connections[LEADERS] = await BrokerConnection.open(self._settings, host, port, self._on_arrival)
                return self._connections[LEADERS]
            except (KafkaConnectionError, OSError, TimeoutError) as error:
                problem = error
        raise problem

    async def connection(self, node: int) -> BrokerConnection:
        """That to one broker, of those that ``leaders`` named."""
        found = self._connections.get(node)
        if found is None or not found.is_open:
            self.drop(node)
            self._connections[node] = found = await BrokerConnection.open(
                self._settings, *self._hosts[node], self._on_arrival
            )
        return found


def _part(found: Mapping[str, Any], isolation: int) -> Part:
    aborted = [(one["producer_id"], one["first_offset"]) for one in found["aborted_transactions"]]
    end = found["last_stable_offset"] if isolation else found["highwater_offset"]
    return Part(found["error_code"], end, aborted, memoryview(found["message_set"] or b""))
