"""Our own requests about groups: which version is asked, and that answers are read as aiokafka's types write them."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka.protocol.commit import OffsetFetchResponse_v3

from kafka_ferry.core.commits import Commit
from kafka_ferry.hooks.kafka.group_wire import ListGroups, _FetchOffsets, _offsets, _type
from kafka_ferry.hooks.kafka.wire import Refused


def answer(topics: list[Any], error: int = 0) -> bytes:
    encoded: bytes = OffsetFetchResponse_v3(0, topics, error).encode()
    return encoded


def test_offsets_are_read_as_they_were_written() -> None:
    topics = [
        ("orders", [(0, 7, "AgAAAZWn2wEK", 0), (1, -1, "", 0), (2, 0, "nul\0 in it, grüße", 0)]),
        ("t" * 249, [(2**31 - 1, 2**63 - 1, "x" * 32767, 0)]),
        ("none", []),
    ]
    assert _offsets(answer(topics), "read") == {
        ("orders", 0): Commit(7, "AgAAAZWn2wEK"),
        ("orders", 2): Commit(0, "nul\0 in it, grüße"),
        ("t" * 249, 2**31 - 1): Commit(2**63 - 1, "x" * 32767),
    }
    assert _offsets(answer([]), "read") == {}
    assert _offsets(memoryview(answer([("t", [(0, 5, None, 0)])])), "read") == {("t", 0): Commit(5)}


@pytest.mark.parametrize("data", [answer([], 30), answer([("t", [(0, 5, "", 30)])])])
def test_a_refusal_is_told(data: bytes) -> None:
    with pytest.raises(Refused, match="Group authorization failed") as caught:
        _offsets(data, "read offsets of group 'g'")
    assert caught.value.what == "read offsets of group 'g'"


def test_an_answer_that_is_cut_is_an_error_not_a_short_list() -> None:
    whole = answer([("orders", [(0, 7, "note", 0)]), ("t", [(0, 5, "", 0)])])
    for size in range(len(whole)):
        with pytest.raises((struct.error, ValueError)):
            _offsets(whole[:size], "read")


@pytest.mark.parametrize(("newest", "asked"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 4), (5, 5), (7, 5)])
def test_the_newest_version_that_the_broker_knows_is_asked(newest: int, asked: int) -> None:
    request = ListGroups().prepare({16: (0, newest)})
    assert asked == request.API_VERSION
    # No filter: every state, every type. Then no tags.
    assert request.encode() == {4: b"\x01\x00", 5: b"\x01\x01\x00"}.get(asked, b"")


def test_brokers_of_before_0_11_are_left_to_the_client_library() -> None:
    with pytest.raises(NotImplementedError):
        _FetchOffsets("g").prepare({9: (0, 2)})
    assert _FetchOffsets("").prepare({9: (0, 10)}).encode() == b"\x00\x00\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("told", "protocol", "kind"),
    [
        ("share", "share", "share"), ("streams", "streams", "streams"), ("consumer", "consumer", "consumer"),
        ("classic", "consumer", "classic"), ("classic", "", "classic"), ("classic", "connect", "connect"),
        ("", "consumer", "classic"), ("", "", "classic"), ("", "connect", "connect"), ("", "share", "share"),
        ("to come", "x", "to come"),
    ],
)  # fmt: skip
def test_a_group_is_called_by_its_type_or_its_protocol(told: str, protocol: str, kind: str) -> None:
    assert _type(told, protocol) == kind
