"""Groups of every kind on a broker, made by the requests that their clients send; not by the code under test."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int8, Int16, Int32, Schema, TaggedFields

from kafka_ferry.hooks.kafka.reading.broker_connection import BrokerConnection
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings

_TEXT = CompactString("utf-8")
_TEXTS = CompactArray(_TEXT)
_TAGS = ("tags", TaggedFields)
_CONFIGS = CompactArray(("key", _TEXT), ("value", _TEXT), _TAGS)
_TOPIC_INFO = CompactArray(("name", _TEXT), ("partitions", Int32), ("factor", Int16), ("configs", _CONFIGS), _TAGS)


class _Beaten(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 76, 1
    SCHEMA = Schema(("throttle", Int32), ("error_code", Int16), ("error_message", _TEXT), ("member", _TEXT))


class _ShareBeat(RequestStruct):  # type: ignore[misc]
    """ShareGroupHeartbeat (KIP-932), as a KafkaShareConsumer joins with it."""

    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 76, 1, True, _Beaten
    SCHEMA = Schema(("group", _TEXT), ("member", _TEXT), ("epoch", Int32), ("rack", _TEXT), ("topics", _TEXTS), _TAGS)


class _StreamsBeat(RequestStruct):  # type: ignore[misc]
    """StreamsGroupHeartbeat (KIP-1071), as a KafkaStreams with group.protocol=streams joins with it."""

    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 88, 0, True, _Beaten
    SCHEMA = Schema(
        ("group", _TEXT), ("member", _TEXT), ("epoch", Int32), ("endpoint_epoch", Int32), ("instance", _TEXT),
        ("rack", _TEXT), ("rebalance_ms", Int32),
        ("has_topology", Int8), ("topology_epoch", Int32),
        (
            "subtopologies",
            CompactArray(
                ("id", _TEXT), ("source_topics", _TEXTS), ("source_regex", _TEXTS), ("changelogs", _TOPIC_INFO),
                ("sinks", _TEXTS), ("repartition", _TOPIC_INFO),
                ("copartition", CompactArray(("topics", CompactArray(Int16)), _TAGS)), _TAGS,
            ),
        ),
        ("topology_tags", TaggedFields),
        ("active", _TEXTS), ("standby", _TEXTS), ("warmup", _TEXTS), ("process", _TEXT), ("has_endpoint", Int8),
        ("client_tags", _TEXTS), ("task_offsets", _TEXTS), ("end_offsets", _TEXTS), ("shutdown", Boolean), _TAGS,
    )  # fmt: skip


class _Plain(Request[RequestStruct]):  # type: ignore[misc]
    """One version of one request."""

    API_KEY = -1

    def __init__(self, kind: type[RequestStruct], *fields: Any) -> None:
        self._made = kind(*fields)

    def prepare(self, versions: dict[int, tuple[int, int]]) -> RequestStruct:
        return self._made

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        raise NotImplementedError


class GroupKinds:
    """Of a cluster with one broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        # On a new cluster this question, which clients ask first, makes Kafka's own offsets topic.
        self._ask(FindCoordinatorRequest("any", 0), _is_well)

    def _ask(self, question: Any, answered: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Again until the answer is good: the first question about a group makes the broker's own topics."""

        async def ask() -> dict[str, Any]:
            host, _, port = self._bootstrap.split(",")[0].rpartition(":")
            settings = WireSettings.of({"bootstrap.servers": self._bootstrap})
            connection = await BrokerConnection.open(settings, host, int(port))
            try:
                found: dict[str, Any] = await connection.ask(question)
                return found
            finally:
                connection.close()
                await asyncio.sleep(0)

        deadline = time.monotonic() + 60
        while not answered(found := asyncio.run(ask())):
            assert time.monotonic() < deadline, found
            time.sleep(0.3)
        return found

    def share(self, group: str, topic: str) -> None:
        """A share group with a member, which lasts until its session ends (45 s); then it is empty."""
        self._ask(_Plain(_ShareBeat, group, str(uuid.uuid4()), 0, None, [topic], {}), _is_well)

    def streams(self, group: str, topic: str) -> None:
        """A streams group with a member."""
        topology: list[Any] = [("0", [topic], [], [], [], [], [], {})]
        self._ask(
            _Plain(
                _StreamsBeat, group, str(uuid.uuid4()), 0, 0, None, None, 10_000, 1, 0, topology, {}, [], [], [], "p",
                -1, [], None, None, False, {},
            ),
            _is_well,
        )  # fmt: skip

    def commit(self, group: str, topic: str, offsets: dict[int, tuple[int, str]]) -> None:
        """As a client without a group's members commits; also for the empty id, as clients before Kafka 0.9 had it."""
        places = [(partition, offset, metadata) for partition, (offset, metadata) in offsets.items()]
        question = OffsetCommitRequest(group, -1, "", -1, [(topic, places)])
        self._ask(question, lambda found: not any(one["error_code"] for one in found["topics"][0]["partitions"]))

    def committed(self, group: str) -> dict[tuple[str, int], tuple[int, str]]:
        """Offset and metadata."""
        found = self._ask(OffsetFetchRequest(group, None), lambda found: not found["error_code"])
        return {
            (about["topic"], one["partition"]): (one["offset"], one["metadata"])
            for about in found["topics"]
            for one in about["partitions"]
        }

    def delete(self, *groups: str) -> None:
        """Whatever the answer."""
        self._ask(DeleteGroupsRequest(list(groups)), lambda _: True)


def _is_well(found: dict[str, Any]) -> bool:
    return bool(found["error_code"] == 0)
