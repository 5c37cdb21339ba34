"""What librdkafka cannot say about groups, asked of the brokers by our own requests.

Its list of groups leaves out all types but consumer groups. Its calls refuse the empty group id, which brokers take for
the offsets of old clients (GroupCoordinatorService: "For backwards compatibility, we support offset commits for the
empty groupId"). And confluent-kafka 2.16 writes a NUL behind each commit's metadata, and takes what lies in memory
behind it for a part when it reads: rubbish, or a UnicodeDecodeError (measured; librdkafka issue 4649).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from aiokafka.protocol.admin import ListGroupsRequest_v0, ListGroupsRequest_v1, ListGroupsRequest_v2
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest_v3
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.types import AbstractType, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields
from confluent_kafka import KafkaError

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import CONSUMER_PROTOCOLS, OtherGroup
from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.reading.broker_connection import BrokerConnection
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings
from kafka_ferry.hooks.kafka.wire import SECONDS, STARTING, NotYet, Wire, check

T = TypeVar("T")

_SECONDS_A_GROUP = 0.2
_WORKERS = 8
_AT_ONCE = 16  # brokers asked side by side
_NO_GENERATION = -1  # a commit from outside of the group; refused while it has members
_BROKERS_TIME = -1  # how long offsets are kept: as the broker has it
_COORDINATOR_OF_A_GROUP = 0
_AGAIN = 0.3
_INT16, _INT32, _PLACE = struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">iq")
#: Why nothing is written of a group that is at work.
ACTIVE = "it has active members on the target"
_HAS_MEMBERS = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.ILLEGAL_GENERATION}


class _Groups4(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 16, 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "groups",
            CompactArray(
                ("group", CompactString("utf-8")),
                ("protocol_type", CompactString("utf-8")),
                ("group_state", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ListGroups4(RequestStruct):  # type: ignore[misc]
    """With states (KIP-518)."""

    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 16, 4, True, _Groups4
    SCHEMA = Schema(("states_filter", CompactArray(CompactString("utf-8"))), ("tags", TaggedFields))


class _Groups5(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 16, 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "groups",
            CompactArray(
                ("group", CompactString("utf-8")),
                ("protocol_type", CompactString("utf-8")),
                ("group_state", CompactString("utf-8")),
                ("group_type", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ListGroups5(RequestStruct):  # type: ignore[misc]
    """With types (KIP-848)."""

    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 16, 5, True, _Groups5
    SCHEMA = Schema(
        ("states_filter", CompactArray(CompactString("utf-8"))),
        ("types_filter", CompactArray(CompactString("utf-8"))),
        ("tags", TaggedFields),
    )


_Versions = ListGroupsRequest_v0 | ListGroupsRequest_v1 | ListGroupsRequest_v2 | _ListGroups4 | _ListGroups5


class ListGroups(Request[_Versions]):  # type: ignore[misc]
    """Every group of one broker, of whatever type; the newest version of it that the broker knows."""

    API_KEY: ClassVar[int] = 16

    def build(self, request_struct_class: type[Any]) -> Any:
        if not request_struct_class.FLEXIBLE_VERSION:
            return request_struct_class()
        everything: list[Any] = [
            [] for _ in request_struct_class.SCHEMA.names[:-1]
        ]  # empty filters: all states and types
        return request_struct_class(*everything, {})


class _Rest(AbstractType[Any]):  # type: ignore[misc]
    """All that is left of an answer."""

    @classmethod
    def decode(cls, data: Any) -> Any:
        return data.read(2**31)

    @classmethod
    def encode(cls, value: Any) -> bytes:
        raise NotImplementedError

    @classmethod
    def repr(cls, value: Any) -> str:
        return f"{len(value)} bytes"


class _Offsets3(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 9, 3
    SCHEMA = Schema(("rest", _Rest))


class _OffsetFetch3(RequestStruct):  # type: ignore[misc]
    """Of Kafka 0.11 on; without topics: all that the group has committed."""

    API_KEY, API_VERSION, RESPONSE_TYPE = 9, 3, _Offsets3
    SCHEMA = OffsetFetchRequest_v3.SCHEMA


class _FetchOffsets(Request[_OffsetFetch3]):  # type: ignore[misc]
    API_KEY: ClassVar[int] = 9

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._group, None)


class GroupWire(Wire):
    """Questions about groups. Raises what ``Wire`` says."""

    def groups(self) -> dict[str, OtherGroup]:
        """All groups of the cluster; the type as the broker tells it, the protocol's where it is too old for types."""

        async def ask(wire: BrokerWire) -> dict[str, OtherGroup]:
            await wire.leaders(())
            limit = asyncio.Semaphore(_AT_ONCE)

            async def of(host: tuple[str, int]) -> dict[str, OtherGroup]:
                async with limit:
                    return await self._with(host, _list)

            parts = await asyncio.gather(*map(of, wire.hosts))
            return {group: about for part in parts for group, about in part.items()}

        return self.run(ask, "list groups")

    def commits(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        """What groups have committed, by group."""
        return self._of_each(groups, _commits)

    def commit(self, offsets: Mapping[str, Mapping[Partition, Commit]]) -> dict[str, str]:
        """Write committed offsets of groups, each on the partitions named; group to why the broker refused."""

        async def write(connection: BrokerConnection, group: str) -> str:
            return await _commit(connection, group, offsets[group])

        return {group: why for group, why in self._of_each(offsets, write).items() if why}

    def _of_each(self, groups: Iterable[str], ask: Callable[[BrokerConnection, str], Awaitable[T]]) -> dict[str, T]:
        """Ask the coordinator of each group, some groups side by side."""
        wanted = list(groups)
        waiting, found = list(reversed(wanted)), dict[str, T]()

        async def worker() -> None:
            coordinators = _Coordinators(self._settings)
            try:
                while waiting:
                    group = waiting.pop()
                    found[group] = await coordinators.ask(group, ask)
            finally:
                coordinators.close()

        async def work(_: BrokerWire) -> dict[str, T]:
            await asyncio.gather(*(worker() for _ in range(min(_WORKERS, len(wanted)))))
            return found

        return self.run(work, f"ask about {len(wanted)} groups", SECONDS + len(wanted) * _SECONDS_A_GROUP)

    async def _with(self, host: tuple[str, int], ask: Callable[[BrokerConnection], Awaitable[T]]) -> T:
        connection = await BrokerConnection.open(self._settings, *host)
        try:
            return await ask(connection)
        finally:
            connection.close()


class _Coordinators:
    """Connections to any broker and to coordinators of groups, kept; one request at a time."""

    def __init__(self, settings: WireSettings) -> None:
        self._settings, self._wire = settings, BrokerWire(settings)
        self._kept: dict[tuple[str, int], BrokerConnection] = {}

    async def ask(self, group: str, ask: Callable[[BrokerConnection, str], Awaitable[T]]) -> T:
        """Again while the coordinator begins: the first question about a group makes Kafka's own topic."""
        while True:
            try:
                found = await (await self._wire.any()).ask(FindCoordinatorRequest(group, _COORDINATOR_OF_A_GROUP))
                check(found["error_code"], f"read offsets of group {group!r}")
                host = found["host"], found["port"]
                if host not in self._kept or not self._kept[host].is_open:
                    self._kept[host] = await BrokerConnection.open(self._settings, *host)
                return await ask(self._kept[host], group)
            except NotYet:
                await asyncio.sleep(_AGAIN)

    def close(self) -> None:
        self._wire.close()
        for connection in self._kept.values():
            connection.close()


async def _commits(connection: BrokerConnection, group: str) -> dict[Partition, Commit]:
    found = await connection.ask(_FetchOffsets(group))
    return _offsets(found["rest"], f"read offsets of group {group!r}")


def _offsets(answer: bytes | memoryview, what: str) -> dict[Partition, Commit]:
    """The body of OffsetFetch 3, read by hand: as objects of aiokafka's 50,000 commits take 4 s, so 0.2 s."""
    result, data, at = {}, bytes(answer), 8
    for _ in range(_INT32.unpack_from(data, 4)[0]):
        topic, at = _text(data, at)
        (partitions,) = _INT32.unpack_from(data, at)
        at += 4
        for _ in range(partitions):
            partition, offset = _PLACE.unpack_from(data, at)
            metadata, at = _text(data, at + _PLACE.size)
            check(_INT16.unpack_from(data, at)[0], what)
            at += 2
            if offset >= 0:
                result[topic, partition] = Commit(offset, metadata)
    check(_INT16.unpack_from(data, at)[0], what)
    return result


def _text(data: bytes, at: int) -> tuple[str, int]:
    (size,) = _INT16.unpack_from(data, at)
    end = at + 2 + max(0, size)  # -1: null
    return data[at + 2 : end].decode(), end


async def _commit(connection: BrokerConnection, group: str, offsets: Mapping[Partition, Commit]) -> str:
    """Why the broker refused; empty when it did not."""
    topics: dict[str, list[tuple[int, int, str]]] = {}
    for (topic, partition), commit in offsets.items():
        topics.setdefault(topic, []).append((partition, commit.offset, commit.metadata))
    question = OffsetCommitRequest(group, _NO_GENERATION, "", _BROKERS_TIME, list(topics.items()))
    found = await connection.ask(question)
    codes = {one["error_code"] for about in found["topics"] for one in about["partitions"]} - {0}
    if codes & STARTING:
        raise NotYet(KafkaError((codes & STARTING).pop()).str())
    if codes & _HAS_MEMBERS:
        return ACTIVE
    return KafkaError(codes.pop()).str() if codes else ""


async def _list(connection: BrokerConnection) -> dict[str, OtherGroup]:
    found = await connection.ask(ListGroups())
    check(found["error_code"])
    return {
        one["group"]: OtherGroup(_type(one.get("group_type", ""), one["protocol_type"]), one.get("group_state", ""))
        for one in found["groups"]
    }


def _type(told: str, protocol: str) -> str:
    """A classic group of another protocol than a consumer's is called by that: ``connect``, or a registry's ``sr``."""
    if told in ("", "classic"):
        return "classic" if protocol in CONSUMER_PROTOCOLS else protocol
    return told
