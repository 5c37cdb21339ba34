"""Who writes, asked by our own requests: librdkafka 2.16 has none for producers' states and transactions (KIP-664)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields
from confluent_kafka import KafkaError

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.producers import ProducerState
from kafka_ferry.hooks.kafka.group_wire import GroupWire
from kafka_ferry.hooks.kafka.reading.broker_connection import BrokerConnection
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire

_TEXT, _TAGS = CompactString("utf-8"), ("tags", TaggedFields)
#: Leaders move, and rights may be missing on topics that we only look at beside ours.
_PASSED_OVER = {
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.LEADER_NOT_AVAILABLE,
}  # fmt: skip


class _Producers0(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 61, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", _TEXT),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32), ("error_code", Int16), ("error_message", _TEXT),
                        (
                            "producers",
                            CompactArray(
                                ("producer_id", Int64), ("epoch", Int32), ("last_sequence", Int32),
                                ("last_timestamp", Int64), ("coordinator_epoch", Int32),
                                ("transaction_start", Int64), _TAGS,
                            ),
                        ),
                        _TAGS,
                    ),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )  # fmt: skip


class _DescribeProducers0(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 61, 0, True, _Producers0
    SCHEMA = Schema(
        ("topics", CompactArray(("topic", _TEXT), ("partitions", CompactArray(Int32)), _TAGS)),
        _TAGS,
    )


class DescribeProducers(Request[_DescribeProducers0]):  # type: ignore[misc]
    """To the leader of the partitions, Kafka 2.8 on."""

    API_KEY: ClassVar[int] = 61

    def __init__(self, partitions: Iterable[Partition]) -> None:
        self._topics: dict[str, list[int]] = {}
        for topic, partition in partitions:
            self._topics.setdefault(topic, []).append(partition)

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class([(topic, numbers, {}) for topic, numbers in self._topics.items()], {})


class _Transactions0(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 66, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("error_code", Int16), ("unknown_states", CompactArray(_TEXT)),
        ("transactions", CompactArray(("transactional_id", _TEXT), ("producer_id", Int64), ("state", _TEXT), _TAGS)),
        _TAGS,
    )  # fmt: skip


class _ListTransactions0(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 66, 0, True, _Transactions0
    SCHEMA = Schema(("states", CompactArray(_TEXT)), ("producer_ids", CompactArray(Int64)), _TAGS)


class ListTransactions(Request[_ListTransactions0]):  # type: ignore[misc]
    """Every transactional id of one coordinator that our user may see."""

    API_KEY: ClassVar[int] = 66

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class([], [], {})


class ProducerWire(GroupWire):
    """Questions about producers. Raises what ``GroupWire`` raises."""

    def producers(self, partitions: Iterable[Partition]) -> dict[Partition, list[ProducerState]]:
        """Who is known to write to each partition; those that we may not read, or that have no leader now, are left
        out. One request for each broker."""
        wanted = list(partitions)

        async def ask(wire: BrokerWire) -> dict[Partition, list[ProducerState]]:
            nodes = (await wire.leaders(wanted)).nodes
            by_node: dict[int, list[Partition]] = {}
            for tp, node in nodes.items():
                by_node.setdefault(node, []).append(tp)

            async def of(node: int, mine: list[Partition]) -> dict[Partition, list[ProducerState]]:
                return _states(await (await wire.connection(node)).ask(DescribeProducers(mine)))

            parts = await asyncio.gather(*(of(node, mine) for node, mine in by_node.items()))
            return {tp: states for part in parts for tp, states in part.items()}

        return self.run(ask, "describe producers") if wanted else {}

    def transactional_ids(self) -> dict[int, str]:
        """Producer id to transactional id, as far as our user may see them (DESCRIBE on the transactional id)."""

        async def one(connection: BrokerConnection) -> dict[int, str]:
            found = await connection.ask(ListTransactions())
            return {each["producer_id"]: each["transactional_id"] for each in found["transactions"]}

        async def ask(wire: BrokerWire) -> dict[int, str]:
            await wire.leaders(())
            parts = await asyncio.gather(*(self._with(host, one) for host in wire.hosts))
            return {number: name for part in parts for number, name in part.items()}

        return self.run(ask, "list transactions")


def _states(answer: Mapping[str, Any]) -> dict[Partition, list[ProducerState]]:
    found: dict[Partition, list[ProducerState]] = {}
    for topic in answer["topics"]:
        for one in topic["partitions"]:
            if one["error_code"] in _PASSED_OVER:
                continue
            found[topic["topic"], one["partition"]] = [
                ProducerState(**{name: value for name, value in each.items() if name != "tags"})
                for each in one["producers"]
            ]
    return found
