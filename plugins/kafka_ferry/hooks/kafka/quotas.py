"""Client quotas by our own requests: librdkafka 2.16 has none for them (KIP-546), aiokafka only the one that reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from aiokafka.protocol.admin import DescribeClientQuotasRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String
from confluent_kafka import KafkaError

from kafka_ferry.core.quotas import Entity, Quota
from kafka_ferry.exceptions import NotSupported
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows
from kafka_ferry.hooks.kafka.wire import Wire, check

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook

_TEXT = String("utf-8")
_ENTITY = ("entity", Array(("entity_type", _TEXT), ("entity_name", _TEXT)))
_LONGEST = 300  # characters of a broker's words


class _Altered0(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 49, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", _TEXT), _ENTITY)),
    )


class _AlterQuotas0(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, RESPONSE_TYPE = 49, 0, _Altered0
    SCHEMA = Schema(
        ("entries", Array(_ENTITY, ("ops", Array(("key", _TEXT), ("value", Float64), ("remove", Boolean))))),
        ("validate_only", Boolean),
    )


class AlterQuotas(Request[_AlterQuotas0]):  # type: ignore[misc]
    """AlterClientQuotas: sets values; those of an entity that are not named stay."""

    API_KEY: ClassVar[int] = 49

    def __init__(self, quotas: Iterable[Quota], validate_only: bool) -> None:
        self._entities, self._validate_only = dict[Entity, list[tuple[str, float, bool]]](), validate_only
        for quota in quotas:
            self._entities.setdefault(quota.entity, []).append((quota.key, quota.value, False))

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class([(list(one), ops) for one, ops in self._entities.items()], self._validate_only)


class KafkaQuotas(Wire):
    """The quotas of one cluster. Raises what ``Wire`` says."""

    @classmethod
    def of(cls, cluster: KafkaClusterHook) -> KafkaQuotas:
        """Those of a connection's cluster.

        :raises NotSupported: its brokers have no such requests, or only librdkafka can log in there.
        """
        config = client_config(cluster.extra)
        if unknown := only_librdkafka_knows(config):
            raise NotSupported(f"{cluster.conn_id}: only librdkafka can log in there, and it has no requests for "
                               f"quotas ({', '.join(unknown)})")  # fmt: skip
        if not cluster.admin.capabilities.tells_quotas:
            raise NotSupported(f"{cluster.conn_id}: its brokers tell no quotas; Kafka 2.6 and later do (KIP-546)")
        return cls(config, cluster.conn_id)

    def quotas(self) -> list[Quota]:
        """All of them.

        :raises NotSupported: a service that speaks Kafka's protocol, and keeps quotas to itself.
        """
        what = "read the client quotas"

        async def ask(wire: BrokerWire) -> dict[str, Any]:
            found = await (await wire.any()).ask(DescribeClientQuotasRequest([], False))
            code = found["error_code"]
            check(code, what, only_passing=code != KafkaError.CLUSTER_AUTHORIZATION_FAILED)
            if code:
                said = str(found["error_message"] or KafkaError(code).str())[:_LONGEST]
                raise NotSupported(f"{self.name}: its brokers do not tell quotas: {said}")
            return found

        return quotas_in(self.run(ask, what))

    def set_quotas(self, quotas: Iterable[Quota], *, validate_only: bool = False) -> list[str]:
        """Set these; nothing is taken away. What the brokers refused, and why.

        :param validate_only: only ask whether they would take them.
        """
        wanted, what = list(quotas), "set client quotas"
        if not wanted:
            return []

        async def ask(wire: BrokerWire) -> list[str]:
            return refusals(await (await wire.any()).ask(AlterQuotas(wanted, validate_only)), what)

        return self.run(ask, what)


def quotas_in(answer: dict[str, Any]) -> list[Quota]:
    """What a DescribeClientQuotas response says."""
    return [
        Quota.of({part["entity_type"]: part["entity_name"] for part in one["entity"]}, own["name"], own["value"])
        for one in answer["entries"]
        for own in one["values"]
    ]


def refusals(answer: dict[str, Any], what: str) -> list[str]:
    """Why an AlterClientQuotas response refuses entities; a missing right is an error, as it is of all of them."""
    found = []
    for one in answer["entries"]:
        code = one["error_code"]
        check(code, what, only_passing=code != KafkaError.CLUSTER_AUTHORIZATION_FAILED)
        if code:
            whose = Quota.of({part["entity_type"]: part["entity_name"] for part in one["entity"]}, "", 0).whose
            found.append(f"{whose}: {str(one['error_message'] or KafkaError(code).str())[:_LONGEST]}")
    return found
