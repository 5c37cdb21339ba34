"""Our own requests about ACLs, byte by byte as Kafka 4.3.1 describes them (clients/…/common/message/*.json)."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.hooks.kafka.acl_wire import CreateAcls, DeleteAcls, _DescribeAcls, acls_in
from kafka_ferry.hooks.kafka.reading.broker_connection import _named

KINDS = {
    Acl("TOPIC", "orders", "LITERAL", "User:app", "READ"): (2, 3, 3, 3),
    Acl("TOPIC", "ord", "PREFIXED", "User:app", "ALL", "DENY", "10.0.0.1"): (2, 4, 2, 2),
    Acl("GROUP", "g", "LITERAL", "User:*", "DELETE"): (3, 3, 6, 3),
    Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:app", "IDEMPOTENT_WRITE"): (4, 3, 12, 3),
    Acl("TRANSACTIONAL_ID", "tx", "LITERAL", "User:app", "TWO_PHASE_COMMIT"): (5, 3, 15, 3),
    Acl("DELEGATION_TOKEN", "t", "LITERAL", "User:app", "DESCRIBE"): (6, 3, 8, 3),
    Acl("USER", "User:b", "LITERAL", "User:app", "CREATE_TOKENS"): (7, 3, 13, 3),
    Acl("NUMBER_9", "x", "LITERAL", "User:app", "NUMBER_99"): (9, 3, 99, 3),
}


def text(value: str | None) -> bytes:
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value.encode())) + value.encode()


def array(*parts: bytes) -> bytes:
    return struct.pack(">i", len(parts)) + b"".join(parts)


def read(request: Any, data: bytes) -> dict[str, Any]:
    """As ``BrokerConnection.ask`` reads it."""
    stream = BytesIO(data)
    message = request.RESPONSE_TYPE.decode(stream)
    assert not stream.read(), "something is left"
    names, kinds = message.SCHEMA.names, message.SCHEMA.fields
    return {name: _named(kind, message.get_item(name)) for name, kind in zip(names, kinds, strict=True)}


def test_every_acl_is_asked_for_whatever_the_brokers_newest_version() -> None:
    for newest in (1, 2, 3):
        request = _DescribeAcls().prepare({29: (1, newest)})
        assert request.encode() == b"\1" + text(None) + b"\1" + text(None) * 2 + b"\1\1"
        assert (request.API_KEY, request.API_VERSION) == (29, 1)


@pytest.mark.parametrize("acl", KINDS, ids=str)
def test_all_kinds_are_made(acl: Acl) -> None:
    resource, pattern, operation, permission = KINDS[acl]
    request = CreateAcls([acl]).prepare({30: (1, 3)})

    one = bytes([resource]) + text(acl.name) + bytes([pattern]) + text(acl.principal) + text(acl.host)
    assert request.encode() == array(one + bytes([operation, permission]))


@pytest.mark.parametrize("acl", KINDS, ids=str)
def test_all_kinds_are_deleted_each_by_a_filter_that_matches_it_alone(acl: Acl) -> None:
    made, deleted = CreateAcls([acl, acl]).prepare({30: (1, 3)}), DeleteAcls([acl, acl]).prepare({31: (1, 3)})

    assert deleted.encode() == made.encode(), "the fields are the same, and none of them is ANY"
    assert (deleted.API_KEY, deleted.API_VERSION) == (31, 1)


def test_all_kinds_are_read() -> None:
    resources = []
    for acl, (resource, pattern, operation, permission) in KINDS.items():
        own = text(acl.principal) + text(acl.host) + bytes([operation, permission])
        resources.append(bytes([resource]) + text(acl.name) + bytes([pattern]) + array(own))
    data = struct.pack(">ih", 0, 0) + text(None) + array(*resources)
    request = _DescribeAcls().prepare({29: (1, 3)})

    assert acls_in(read(request, data)) == sorted(KINDS)
    for size in range(len(data)):
        with pytest.raises((struct.error, ValueError)):
            read(request, data[:size])
