"""Our own requests about quotas, byte by byte as Kafka 4.3.1 describes them (clients/…/common/message/*.json)."""

from __future__ import annotations

import struct
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.protocol.admin import DescribeClientQuotasRequest

from kafka_ferry.core.quotas import Quota
from kafka_ferry.exceptions import NotSupported
from kafka_ferry.hooks.kafka.capabilities import Capabilities
from kafka_ferry.hooks.kafka.quotas import AlterQuotas, KafkaQuotas, quotas_in, refusals
from kafka_ferry.hooks.kafka.reading.broker_connection import _named
from kafka_ferry.hooks.kafka.wire import NotYet, Refused

ALICE = Quota.of({"user": "alice"}, "producer_byte_rate", 1000.0)
MORE = Quota.of({"user": "alice"}, "request_percentage", 12.5)
DEFAULT = Quota.of({"user": None, "client-id": "a"}, "consumer_byte_rate", 0.1)


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


def entity(**names: str | None) -> bytes:
    return array(*(text(kind.replace("_", "-")) + text(name) for kind, name in names.items()))


def described(*entries: bytes, code: int = 0) -> dict[str, Any]:
    data = struct.pack(">ih", 0, code) + text(None) + (array(*entries) if not code else struct.pack(">i", -1))
    return read(DescribeClientQuotasRequest([], False).prepare({48: (0, 1)}), data)


def altered(*entries: tuple[int, str | None, bytes]) -> dict[str, Any]:
    data = struct.pack(">i", 0) + array(*(struct.pack(">h", code) + text(said) + who for code, said, who in entries))
    return read(AlterQuotas([], False).prepare({49: (0, 1)}), data)


@pytest.mark.parametrize("validate_only", [False, True])
def test_quotas_are_set_entity_by_entity(validate_only: bool) -> None:
    request = AlterQuotas([ALICE, DEFAULT, MORE], validate_only).prepare({49: (0, 1)})

    def op(quota: Quota) -> bytes:
        return text(quota.key) + struct.pack(">d", quota.value) + b"\0"

    entries = [
        entity(user="alice") + array(op(ALICE), op(MORE)),
        entity(user=None, client_id="a") + array(op(DEFAULT)),
    ]
    assert request.encode() == array(*entries) + bytes([validate_only])
    assert (request.API_KEY, request.API_VERSION) == (49, 0)
    assert request.build_request_header(7, "me").encode() == struct.pack(">hhi", 49, 0, 7) + b"\0\2me"


def test_quotas_are_read_whatever_the_order_of_an_entity() -> None:
    def values(*quotas: Quota) -> bytes:
        return array(*(text(quota.key) + struct.pack(">d", quota.value) for quota in quotas))

    found = described(entity(user="alice") + values(ALICE, MORE), entity(client_id="a", user=None) + values(DEFAULT))

    assert quotas_in(found) == [ALICE, MORE, DEFAULT]


def test_an_answer_that_is_cut_is_an_error_not_a_short_list() -> None:
    whole = struct.pack(">ih", 0, 0) + text(None) + array(entity(user="a") + array(text("k") + struct.pack(">d", 1)))
    for size in range(len(whole)):
        with pytest.raises((struct.error, ValueError)):
            read(DescribeClientQuotasRequest([], False).prepare({48: (0, 1)}), whole[:size])


def test_a_refusal_names_its_entity() -> None:
    found = altered((0, None, entity(user="a")), (42, "Invalid value", entity(user=None)), (42, None, entity(ip="x")))

    assert refusals(found, "set") == ["user <default>: Invalid value", "ip x: Broker: Invalid request"]


def test_a_brokers_words_are_cut() -> None:
    (found,) = refusals(altered((42, "x" * 10_000, entity(user="a"))), "set")
    assert found == "user a: " + "x" * 300


def test_a_missing_right_and_a_controller_that_begins_are_errors() -> None:
    with pytest.raises(Refused, match="Cluster authorization failed"):
        refusals(altered((31, None, entity(user="a"))), "set client quotas")
    with pytest.raises(NotYet):
        refusals(altered((14, None, entity(user="a"))), "set client quotas")


@pytest.mark.parametrize(("versions", "can"), [({}, False), ({44: 1}, False), ({48: 0}, True), ({48: 1}, True)])
def test_which_brokers_can(versions: dict[int, int], can: bool) -> None:
    assert Capabilities(versions).tells_quotas is can


def cluster(versions: dict[int, int], **extra: str) -> Any:
    admin = SimpleNamespace(capabilities=Capabilities(versions))
    return SimpleNamespace(conn_id="c", extra={"bootstrap.servers": "b:9092", **extra}, admin=admin)


def test_brokers_and_logins_that_cannot_are_named() -> None:
    with pytest.raises(NotSupported, match=r"c: its brokers tell no quotas; Kafka 2\.6 and later do"):
        KafkaQuotas.of(cluster({}))
    with pytest.raises(NotSupported, match=r"only librdkafka can log in there.*sasl\.kerberos\.service\.name"):
        KafkaQuotas.of(cluster({48: 1}, **{"sasl.kerberos.service.name": "kafka"}))
    KafkaQuotas.of(cluster({48: 1}))
