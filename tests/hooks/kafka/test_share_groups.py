"""Our own requests about share groups, byte by byte as Kafka 4.3.1 describes them (clients/…/common/message/*.json)."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest

from kafka_ferry.core.commits import Commit
from kafka_ferry.hooks.kafka.capabilities import Capabilities
from kafka_ferry.hooks.kafka.group_wire import ACTIVE
from kafka_ferry.hooks.kafka.reading.broker_connection import _named
from kafka_ferry.hooks.kafka.share_groups import SWITCHED_OFF, AlterStarts, DescribeStarts, refusal, starts_in
from kafka_ferry.hooks.kafka.wire import NotYet, Refused

ID = bytes(range(16))


def text(value: str | None) -> bytes:
    return b"\0" if value is None else bytes([len(value.encode()) + 1]) + value.encode()


def array(*parts: bytes) -> bytes:
    return bytes([len(parts) + 1]) + b"".join(parts)


def place(partition: int, start: int, lag: int | None = 5, code: int = 0) -> bytes:
    told = b"" if lag is None else struct.pack(">q", lag)
    return struct.pack(">iqi", partition, start, 3) + told + struct.pack(">h", code) + text(None) + b"\0"


def described(*topics: tuple[str, list[bytes]], code: int = 0) -> bytes:
    mine = array(*(text(name) + ID + array(*parts) + b"\0" for name, parts in topics))
    return struct.pack(">i", 0) + array(text("g") + mine + struct.pack(">h", code) + text("why") + b"\0") + b"\0"


def altered(code: int, message: str | None, *parts: tuple[int, int, str | None]) -> bytes:
    own = array(*(struct.pack(">ih", one, error) + text(told) + b"\0" for one, error, told in parts))
    return struct.pack(">ih", 0, code) + text(message) + array(text("orders") + ID + own + b"\0") + b"\0"


def read(request: Any, data: bytes) -> dict[str, Any]:
    """As ``BrokerConnection.ask`` reads it."""
    stream = BytesIO(data)
    message = request.RESPONSE_TYPE.decode(stream)
    assert not stream.read(), "something is left"
    names, kinds = message.SCHEMA.names, message.SCHEMA.fields
    return {name: _named(kind, message.get_item(name)) for name, kind in zip(names, kinds, strict=True)}


def asked(newest: int = 1) -> Any:
    return DescribeStarts("g").prepare({90: (0, newest)})


@pytest.mark.parametrize(("newest", "version"), [(0, 0), (1, 1), (4, 1)])
def test_all_partitions_of_a_group_are_asked_for(newest: int, version: int) -> None:
    request = asked(newest)
    assert version == request.API_VERSION
    assert request.encode() == array(text("g") + b"\0" + b"\0") + b"\0", "topics null, tags; tags"
    header = request.build_request_header(7, "me").encode()
    assert header == struct.pack(">hhi", 90, version, 7) + b"\0\2me" + b"\0", "a flexible header, with tags"


def test_starts_are_set_topic_by_topic() -> None:
    request = AlterStarts("g", {("orders", 0): 40, ("t", 1): 2**63 - 1, ("orders", 2): 0}).prepare({91: (0, 0)})
    parts = [struct.pack(">iq", partition, start) + b"\0" for partition, start in ((0, 40), (2, 0), (1, 2**63 - 1))]
    topics = text("orders") + array(*parts[:2]) + b"\0", text("t") + array(parts[2]) + b"\0"
    assert request.encode() == text("g") + array(*topics) + b"\0"
    assert request.API_VERSION == 0


def test_brokers_without_these_requests_are_not_asked() -> None:
    for request in (DescribeStarts("g"), AlterStarts("g", {})):
        with pytest.raises(Exception, match="unknown"):
            request.prepare({3: (0, 12)})


def test_starts_are_read_with_their_lag() -> None:
    data = described(("orders", [place(0, 40), place(1, -1), place(2, 0, -1)]), ("t" * 100, [place(7, 2**63 - 1)]))
    assert starts_in(read(asked(), data), "read") == {
        ("orders", 0): Commit(40, lag=5),
        ("orders", 2): Commit(0, lag=None),
        ("t" * 100, 7): Commit(2**63 - 1, lag=5),
    }


def test_brokers_of_4_1_tell_no_lag() -> None:
    data = described(("orders", [place(0, 40, None)]))
    assert starts_in(read(asked(0), data), "read") == {("orders", 0): Commit(40, lag=None)}


@pytest.mark.parametrize("code", [69, 35])
def test_a_group_that_is_not_there_or_of_another_type_has_no_start(code: int) -> None:
    assert starts_in(read(asked(), described(code=code)), "read") == {}


def test_a_topic_that_was_deleted_is_left_out() -> None:
    data = described(("gone", [place(0, 40, code=3), place(1, 40, code=100)]), ("t", [place(0, 1)]))
    assert starts_in(read(asked(), data), "read") == {("t", 0): Commit(1, lag=5)}


@pytest.mark.parametrize("data", [described(code=30), described(("t", [place(0, 5, code=30)]))])
def test_a_refusal_is_told(data: bytes) -> None:
    with pytest.raises(Refused, match="Group authorization failed") as caught:
        starts_in(read(asked(), data), "read offsets of group 'g'")
    assert caught.value.what == "read offsets of group 'g'"


@pytest.mark.parametrize("code", [14, 15, 16])
def test_a_coordinator_that_begins_is_asked_again(code: int) -> None:
    with pytest.raises(NotYet):
        starts_in(read(asked(), described(code=code)), "read")
    for data in (altered(code, None), altered(0, None, (0, 0, None), (1, code, None))):
        with pytest.raises(NotYet):
            refusal(read(AlterStarts("g", {}).prepare({91: (0, 0)}), data))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (altered(0, None, (0, 0, None)), ""),
        (altered(68, "x"), ACTIVE),
        (altered(35, "x"), SWITCHED_OFF),
        (altered(69, "Group g is not a share group."), "Group g is not a share group. Fix: delete a group"),
        (altered(0, None, (0, 0, None), (1, 3, "no such topic"), (2, 29, "never")), "no such topic"),
        (altered(0, None, (0, 3, None)), "Broker: Unknown topic or partition"),
        (altered(30, "not for you"), "not for you"),
    ],
)
def test_why_starts_are_not_set(data: bytes, why: str) -> None:
    told = refusal(read(AlterStarts("g", {}).prepare({91: (0, 0)}), data))
    assert told.startswith(why)
    assert bool(told) is bool(why)


def test_a_brokers_words_are_cut() -> None:
    assert refusal({"error_code": 56, "error_message": "x" * 10_000, "topics": []}) == "x" * 300


def test_an_answer_that_is_cut_is_an_error_not_a_short_list() -> None:
    whole = described(("orders", [place(0, 40), place(1, 41)]), ("t", [place(7, 1)]))
    for size in range(len(whole)):
        with pytest.raises((struct.error, ValueError)):
            asked().RESPONSE_TYPE.decode(BytesIO(whole[:size]))


@pytest.mark.parametrize(
    ("versions", "tells", "makes"),
    [({}, False, False), ({76: 0}, False, False), ({90: 0, 91: 0}, True, False), ({90: 1, 91: 0}, True, True)],
)
def test_which_brokers_can(versions: dict[int, int], tells: bool, makes: bool) -> None:
    found = Capabilities(versions)
    assert (found.tells_share_starts, found.makes_share_groups) == (tells, makes)
    assert found.takes_groups_over is makes
