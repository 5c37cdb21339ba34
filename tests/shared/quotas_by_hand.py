"""Client quotas of a test: taken away again, which Kafka Ferry never does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka_ferry.core.quotas import Quota
from kafka_ferry.hooks.kafka.quotas import AlterQuotas, KafkaQuotas
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire


def take_away(cluster: KafkaQuotas, quotas: Sequence[Quota]) -> None:
    """End these quotas, whatever their values are."""
    request = AlterQuotas(quotas, validate_only=False)
    request._entities = {one: [(key, 0.0, True) for key, _, _ in ops] for one, ops in request._entities.items()}

    async def ask(wire: BrokerWire) -> Any:
        return await (await wire.any()).ask(request)

    if quotas:
        assert not any(one["error_code"] for one in cluster.run(ask, "take quotas away")["entries"])
