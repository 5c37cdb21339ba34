"""What librdkafka cannot say about groups, asked of the brokers by our own requests.

Its list of groups leaves out all types but consumer groups. Its calls refuse the empty group id, which brokers take for
the offsets of old clients (GroupCoordinatorService: "For backwards compatibility, we support offset commits for the
empty groupId"). And confluent-kafka 2.16 writes a NUL behind each commit's metadata (measured).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, ClassVar, TypeVar

from aiokafka.errors import KafkaError as WireError
from aiokafka.protocol.admin import ListGroupsRequest_v0, ListGroupsRequest_v1, ListGroupsRequest_v2
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Schema, TaggedFields
from confluent_kafka import KafkaError

from kafka_ferry.exceptions import FerryError, NotAuthorized, OutsideFault
from kafka_ferry.hooks.broker_connection import BrokerConnection
from kafka_ferry.hooks.broker_wire import BrokerWire
from kafka_ferry.hooks.wire_settings import WireSettings
from kafka_ferry.migration.commits import Commit
from kafka_ferry.migration.group_types import CONSUMER_PROTOCOLS, OtherGroup

T = TypeVar("T")
Partition = tuple[str, int]

_SECONDS = 30.0  # for all of a question
_SECONDS_A_GROUP = 0.2
_AT_ONCE = 16  # brokers asked side by side
_NO_GENERATION = -1  # a commit from outside of the group; refused while it has members
_BROKERS_TIME = -1  # how long offsets are kept: as the broker has it
_COORDINATOR_OF_A_GROUP = 0
_AGAIN = 0.3
_STARTING = {
    KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR,
}  # fmt: skip
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


class GroupWire:
    """Questions about groups; each makes its own connections. Not for use inside an event loop.

    :param config: whole librdkafka configuration, of settings that ``wire_settings`` knows.
    :param name: how errors call the cluster.

    Raises from every method: ``OutsideFault`` when a broker does not answer or refuses our login, ``NotAuthorized`` or
    ``FerryError`` when it says no.
    """

    def __init__(self, config: Mapping[str, Any], name: str) -> None:
        self._settings, self.name = WireSettings.of(config), name
        self._one_question = asyncio.Lock()

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

        return self._run(ask, "list groups")

    def commits(self, group: str) -> dict[Partition, Commit]:
        """What a group has committed."""

        async def ask(connection: BrokerConnection) -> dict[Partition, Commit]:
            found = await connection.ask(OffsetFetchRequest(group, None))
            _check(found.get("error_code", 0))
            result = {}
            for about in found["topics"]:
                for one in about["partitions"]:
                    _check(one["error_code"])
                    if one["offset"] >= 0:
                        result[about["topic"], one["partition"]] = Commit(one["offset"], one["metadata"] or "")
            return result

        return self._run(lambda wire: self._at_coordinator(wire, group, ask), f"read offsets of group {group!r}")

    def commit(self, offsets: Mapping[str, Mapping[Partition, Commit]]) -> dict[str, str]:
        """Write committed offsets of groups, each on the partitions named; group to why the broker refused."""

        async def ask(wire: BrokerWire) -> dict[str, str]:
            limit, refused = asyncio.Semaphore(_AT_ONCE), {}

            async def of(group: str) -> None:
                async with limit:
                    if why := await self._at_coordinator(wire, group, partial(_commit, group, offsets[group])):
                        refused[group] = why

            await asyncio.gather(*map(of, offsets))
            return refused

        return self._run(ask, f"commit for {len(offsets)} groups", _SECONDS + len(offsets) * _SECONDS_A_GROUP)

    async def _at_coordinator(self, wire: BrokerWire, group: str, ask: Callable[[BrokerConnection], Awaitable[T]]) -> T:
        """Ask the group's coordinator, again while it begins: the first question about a group makes it."""
        while True:
            try:
                async with self._one_question:
                    connection = await wire.any()
                    found = await connection.ask(FindCoordinatorRequest(group, _COORDINATOR_OF_A_GROUP))
                _check(found["error_code"])
                return await self._with((found["host"], found["port"]), ask)
            except _NotYet:
                await asyncio.sleep(_AGAIN)

    async def _with(self, host: tuple[str, int], ask: Callable[[BrokerConnection], Awaitable[T]]) -> T:
        connection = await BrokerConnection.open(self._settings, *host)
        try:
            return await ask(connection)
        finally:
            connection.close()

    def _run(self, ask: Callable[[BrokerWire], Awaitable[T]], what: str, seconds: float = _SECONDS) -> T:
        async def work() -> T:
            wire = BrokerWire(self._settings)
            try:
                return await asyncio.wait_for(ask(wire), seconds)
            finally:
                wire.close()
                await asyncio.sleep(0)  # transports close in the loop's next turn

        try:
            return asyncio.run(work())
        except _Refused as error:
            if error.code == KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise NotAuthorized(f"{self.name}: not allowed to {what}: {error}") from error
            raise FerryError(f"{self.name}: cannot {what}: {error}") from error
        except (OSError, TimeoutError, WireError, NotImplementedError, _NotYet, ValueError) as error:
            told = str(error) or type(error).__name__
            raise OutsideFault(f"{self.name}: cannot {what}: {told}") from error


class _NotYet(Exception):
    """The coordinator has just begun."""


class _Refused(Exception):
    """The broker says no."""

    def __init__(self, code: int) -> None:
        super().__init__(KafkaError(code).str())
        self.code = code


def _check(code: int) -> None:
    if code in _STARTING:
        raise _NotYet(KafkaError(code).str())
    if code:
        raise _Refused(code)


async def _commit(group: str, offsets: Mapping[Partition, Commit], connection: BrokerConnection) -> str:
    """Why the broker refused; empty when it did not."""
    topics: dict[str, list[tuple[int, int, str]]] = {}
    for (topic, partition), commit in offsets.items():
        topics.setdefault(topic, []).append((partition, commit.offset, commit.metadata))
    question = OffsetCommitRequest(group, _NO_GENERATION, "", _BROKERS_TIME, list(topics.items()))
    found = await connection.ask(question)
    codes = {one["error_code"] for about in found["topics"] for one in about["partitions"]} - {0}
    if codes & _STARTING:
        raise _NotYet(KafkaError((codes & _STARTING).pop()).str())
    if codes & _HAS_MEMBERS:
        return "it has active members on the target"
    return KafkaError(codes.pop()).str() if codes else ""


async def _list(connection: BrokerConnection) -> dict[str, OtherGroup]:
    found = await connection.ask(ListGroups())
    _check(found["error_code"])
    return {
        one["group"]: OtherGroup(_type(one.get("group_type", ""), one["protocol_type"]), one.get("group_state", ""))
        for one in found["groups"]
    }


def _type(told: str, protocol: str) -> str:
    """A classic group of another protocol than a consumer's is called by that: ``connect``, or a registry's ``sr``."""
    if told in ("", "classic"):
        return "classic" if protocol in CONSUMER_PROTOCOLS else protocol
    return told
