"""What the workers of our connectors on MSK Connect are told, and what their refusals mean. Pure.

A worker configuration takes few settings of clients, and what connectors may override is MSK Connect's own and not told
(developer guide, "Supported worker configuration properties"). So what tunes a producer stands there. That a consumer
leaves out what was aborted can only be asked for by the connector: Kafka Connect then keeps to it or refuses the
connector, and never ignores it (KIP-458).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kafka_ferry.jobs.s3.connect.rules.intent import BYTES
from kafka_ferry.jobs.s3.connect.rules.own_connectors import LARGEST_REQUEST
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Way

#: The connector's offsets, in a topic that outlives it. Among the names that its role has to be allowed anyway, and
#: that no export selects.
KEPT: Final = "__amazon_msk_connect_offsets_{connector}.kept"
_OWN: Final[Mapping[Way, Mapping[str, str]]] = {
    # Kafka's default: each commit ends the objects that are open.
    "sink": {"offset.flush.interval.ms": "60000"},
    "source": {
        # Progress is what was flushed.
        "offset.flush.interval.ms": "1000",
        "producer.enable.idempotence": "true",
        "producer.max.request.size": str(LARGEST_REQUEST),
    },
}


def worker_properties(way: Way, offsets_topic: str, more: Mapping[str, str]) -> dict[str, str]:
    """:param more: the user's, over ours; never over converters and the offsets topic."""
    return {
        **_OWN[way],
        **more,
        "key.converter": BYTES,
        "value.converter": BYTES,
        "header.converter": BYTES,
        "offset.storage.topic": offsets_topic,
    }


def worker_words(problem: str) -> str:
    """What to do about a failure that has to do with MSK Connect's own settings; empty: it has not."""
    if "policy does not allow" in problem and "isolation.level" in problem:
        return (
            "\nMSK Connect's workers let no connector choose how its consumer reads. Fix: isolation_level: "
            "read_uncommitted, which exports aborted records, too; or transport: connect or engine"
        )
    return ""
