"""Where share groups (KIP-932) start, asked and set by our own requests: librdkafka 2.16 has no such admin calls.

A share group has no committed offsets. Per partition the cluster keeps a start (the share-partition start offset, SPSO)
and behind it the state of each record in flight. The start can be read and set (Kafka 4.1 on), the states cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)
from confluent_kafka import KafkaError

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.group_wire import ACTIVE, GroupWire
from kafka_ferry.hooks.kafka.reading.broker_connection import BrokerConnection
from kafka_ferry.hooks.kafka.wire import check

_NOT_FOUND = 69  # GROUP_ID_NOT_FOUND: none of this name, or one of another type
_UNSUPPORTED = 35  # UNSUPPORTED_VERSION: what brokers answer whose share groups are switched off
_GONE = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID}
#: Why brokers that know the requests refuse them.
SWITCHED_OFF = "share groups are switched off there (feature share.version)"
EXISTING_ONLY = (
    "Fix: delete a group of another type that has its name there; with Kafka 4.1, which sets starts of groups that "
    "are there only, start its consumers there once and stop them; then clear translate_groups"
)
_LONGEST = 300  # characters of a broker's words
_NOBODY = "kafka-ferry-asks"  # a group that nobody has

_TEXT, _TAGS = CompactString("utf-8"), ("tags", TaggedFields)


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def decode(cls, data: Any) -> bytes:
        found = bytes(data.read(16))
        if len(found) != 16:
            raise ValueError("Buffer underrun decoding a topic id")
        return found

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def repr(cls, value: bytes) -> str:
        return value.hex()


def _starts_schema(*lag: tuple[str, Any]) -> Schema:
    return Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            CompactArray(
                ("group", _TEXT),
                (
                    "topics",
                    CompactArray(
                        ("topic", _TEXT), ("topic_id", _Uuid),
                        (
                            "partitions",
                            CompactArray(
                                ("partition", Int32), ("start", Int64), ("leader_epoch", Int32), *lag,
                                ("error_code", Int16), ("error_message", _TEXT), _TAGS,
                            ),
                        ),
                        _TAGS,
                    ),
                ),
                ("error_code", Int16), ("error_message", _TEXT), _TAGS,
            ),
        ),
        _TAGS,
    )  # fmt: skip


_WANTED = Schema(
    (
        "groups",
        CompactArray(
            ("group", _TEXT), ("topics", CompactArray(("topic", _TEXT), ("partitions", CompactArray(Int32)), _TAGS)),
            _TAGS,
        ),
    ),
    _TAGS,
)  # fmt: skip


class _Starts0(Response):  # type: ignore[misc]
    API_KEY, API_VERSION, SCHEMA = 90, 0, _starts_schema()


class _DescribeStarts0(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE, SCHEMA = 90, 0, True, _Starts0, _WANTED


class _Starts1(Response):  # type: ignore[misc]
    """With the lag (KIP-1226, Kafka 4.2)."""

    API_KEY, API_VERSION, SCHEMA = 90, 1, _starts_schema(("lag", Int64))


class _DescribeStarts1(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE, SCHEMA = 90, 1, True, _Starts1, _WANTED


class DescribeStarts(Request[_DescribeStarts0 | _DescribeStarts1]):  # type: ignore[misc]
    """DescribeShareGroupOffsets of one group, on all its partitions."""

    API_KEY: ClassVar[int] = 90

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class([(self._group, None, {})], {})


class _Altered0(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 91, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("error_code", Int16), ("error_message", _TEXT),
        (
            "topics",
            CompactArray(
                ("topic", _TEXT), ("topic_id", _Uuid),
                (
                    "partitions",
                    CompactArray(("partition", Int32), ("error_code", Int16), ("error_message", _TEXT), _TAGS),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )  # fmt: skip


class _AlterStarts0(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 91, 0, True, _Altered0
    SCHEMA = Schema(
        ("group", _TEXT),
        (
            "topics",
            CompactArray(
                ("topic", _TEXT), ("partitions", CompactArray(("partition", Int32), ("start", Int64), _TAGS)), _TAGS
            ),
        ),
        _TAGS,
    )


class AlterStarts(Request[_AlterStarts0]):  # type: ignore[misc]
    """AlterShareGroupOffsets: refused while the group has members; what was in flight behind a start is forgotten."""

    API_KEY: ClassVar[int] = 91

    def __init__(self, group: str, starts: Mapping[Partition, int]) -> None:
        self._group, self._topics = group, dict[str, list[tuple[int, int, dict[int, bytes]]]]()
        for (topic, partition), start in starts.items():
            self._topics.setdefault(topic, []).append((partition, start, {}))

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._group, [(topic, own, {}) for topic, own in self._topics.items()], {})


class ShareGroupWire(GroupWire):
    """Questions about share groups. Raises what ``GroupWire`` raises."""

    #: Why a start that was set is not there.
    NOT_THERE: ClassVar[str] = f"there is no such share group. {EXISTING_ONLY}"

    def is_switched_off(self) -> bool:
        """Whether its brokers know of share groups and have none (feature ``share.version`` is 0)."""

        async def ask(connection: BrokerConnection, group: str) -> bool:
            answer = await connection.ask(DescribeStarts(group))
            return any(one["error_code"] == _UNSUPPORTED for one in answer["groups"])

        return any(self._of_each([_NOBODY], ask).values())

    def starts(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        """Where each group starts; without partitions on which it has no start yet. A group that is not there, or is of
        another type, has none."""
        return self._of_each(groups, _described)

    def set_starts(self, starts: Mapping[str, Mapping[Partition, int]]) -> dict[str, str]:
        """Set starts of groups, each on the partitions named; group to why the broker refused. From Kafka 4.2 on a
        group that is not there is made."""

        async def write(connection: BrokerConnection, group: str) -> str:
            return refusal(await connection.ask(AlterStarts(group, starts[group])))

        return {group: why for group, why in self._of_each(starts, write).items() if why}


async def _described(connection: BrokerConnection, group: str) -> dict[Partition, Commit]:
    return starts_in(await connection.ask(DescribeStarts(group)), f"read offsets of group {group!r}")


def starts_in(answer: Mapping[str, Any], what: str) -> dict[Partition, Commit]:
    """What a DescribeShareGroupOffsets response says of its one group."""
    found: dict[Partition, Commit] = {}
    for group in answer["groups"]:
        if group["error_code"] in (_NOT_FOUND, _UNSUPPORTED):
            continue
        check(group["error_code"], what)
        for topic in group["topics"]:
            for one in topic["partitions"]:
                if one["error_code"] in _GONE:
                    continue
                check(one["error_code"], what)
                if one["start"] >= 0:
                    lag = one.get("lag", -1)
                    found[topic["topic"], one["partition"]] = Commit(one["start"], lag=lag if lag >= 0 else None)
    return found


def refusal(answer: Mapping[str, Any]) -> str:
    """Why an AlterShareGroupOffsets response refuses, in whole or on a partition; empty when it does not."""
    parts = [one for topic in answer["topics"] or () for one in topic["partitions"]]
    wrong = [one for one in (answer, *parts) if one["error_code"]]
    for one in wrong:
        check(one["error_code"], "set offsets of share groups", only_passing=True)
    if not wrong:
        return ""
    code, told = wrong[0]["error_code"], str(wrong[0]["error_message"] or "")[:_LONGEST]
    if code == KafkaError.NON_EMPTY_GROUP:
        return ACTIVE
    if code == _UNSUPPORTED:
        return SWITCHED_OFF
    if code == _NOT_FOUND:
        return f"{told.rstrip('.') or 'there is no such share group'}. {EXISTING_ONLY}"
    return told or KafkaError(code).str()
