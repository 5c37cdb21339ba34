"""Connections to brokers, and the two questions we ask there: who leads a partition, and what is in it.

aiokafka brings the protocol: its requests and answers name their fields. Its consumer is not used, because it makes an
object of each record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.conn import collect_hosts
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from confluent_kafka import KafkaError

from kafka_ferry.hooks.broker_connection import BrokerConnection
from kafka_ferry.hooks.range_stream import Key
from kafka_ferry.hooks.wire_settings import WireSettings
from kafka_ferry.verification.record_batch import UnusualRecords

LEADERS = -1
"""Where a broker's id stands: any broker, asked who leads what."""


@dataclass(frozen=True)
class Leaders:
    """Who leads what.

    :param nodes: broker id of each partition that has a leader. ``unknown``: partitions that are not there.
    :param forbidden: topics that we may not see.
    """

    nodes: dict[Key, int]
    unknown: set[Key]
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

    asked: Mapping[Key, int]
    parts: dict[Key, Part]
    throttle: float


class BrokerWire:
    """One connection to each broker and one to any, made when they are needed. Lives in one event loop.

    All its questions raise ``OSError``, ``TimeoutError`` or aiokafka's ``KafkaError`` where a broker is away or refuses
    us; ``drop`` the connection then.
    """

    def __init__(self, settings: WireSettings) -> None:
        self._settings = settings
        self._hosts: dict[int, tuple[str, int]] = {}
        self._connections: dict[int, BrokerConnection] = {}

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """Host and port of every broker, as ``leaders`` was told."""
        return list(self._hosts.values())

    async def leaders(self, keys: Iterable[Key]) -> Leaders:
        """Ask any broker."""
        wanted = set(keys)
        connection = await self.any()
        # Without leave to create them: a question must not make a topic.
        found = await connection.ask(MetadataRequest(sorted({topic for topic, _ in wanted}), False))
        self._hosts = {one["node_id"]: (one["host"], one["port"]) for one in found["brokers"]}
        nodes: dict[Key, int] = {}
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

    async def fetch(self, node: int, positions: Mapping[Key, int]) -> Answer:
        """Ask a broker for what follows these offsets; it answers when there is something, or after some time."""
        settings = self._settings
        topics: dict[str, list[tuple[int, int, int]]] = {}
        for (topic, partition), offset in positions.items():
            topics.setdefault(topic, []).append((partition, offset, settings.partition_bytes))
        isolation = int(settings.read_committed)
        question = FetchRequest(settings.wait_ms, 1, settings.answer_bytes, isolation, list(topics.items()))
        connection = await self._connection(node)
        try:
            found = await connection.ask(question)
        except (IncompatibleBrokerVersion, NotImplementedError) as error:
            raise UnusualRecords(f"a broker of before Kafka 0.11: {error}") from None
        if found.get("error_code"):
            raise for_code(found["error_code"])()
        parts = {
            (about["topics"], one["partition"]): _part(one, isolation)
            for about in found["topics"]
            for one in about["partitions"]
        }
        return Answer(positions, parts, found["throttle_time_ms"] / 1000)

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
        problem: Exception = OSError("no broker is named")
        named = [(host, port) for host, port, _ in collect_hosts(self._settings.servers)]
        for host, port in [*named, *self._hosts.values()]:
            try:
                self._connections[LEADERS] = await BrokerConnection.open(self._settings, host, port)
                return self._connections[LEADERS]
            except (KafkaConnectionError, OSError, TimeoutError) as error:
                problem = error
        raise problem

    async def _connection(self, node: int) -> BrokerConnection:
        found = self._connections.get(node)
        if found is None or not found.is_open:
            self._connections[node] = found = await BrokerConnection.open(self._settings, *self._hosts[node])
        return found


def _part(found: Mapping[str, Any], isolation: int) -> Part:
    aborted = [(one["producer_id"], one["first_offset"]) for one in found["aborted_transactions"]]
    end = found["last_stable_offset"] if isolation else found["highwater_offset"]
    return Part(found["error_code"], end, aborted, memoryview(found["message_set"] or b""))
