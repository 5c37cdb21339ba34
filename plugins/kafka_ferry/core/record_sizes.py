"""What a Java producer must be set to so that it sends whatever a broker accepted. Pure.

The producer checks a record against ``max.request.size`` and ``buffer.memory`` as it is *before* compression
(``KafkaProducer.ensureValidRecordSize``; KAFKA-4169), a broker checks the batch against ``max.message.bytes`` as it is
*after* it: 1.8 MB of zeros that zstd made small lie on a cluster with default settings, and stop a default producer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: The largest number there is: what limits a request then is ``buffer.memory``, as all that is in it lies there.
MAX_REQUEST_SIZE: Final = 2**31 - 1

#: A record must fit in here before compression. Less than brokers' ``socket.request.max.bytes`` (by default 100 MiB),
#: so that no request of many batches is larger than what they take. Memory is taken as it is needed.
BUFFER_MEMORY: Final = 96 * 1024 * 1024


def producer_settings(max_record_bytes: int) -> dict[str, str]:
    """``max.request.size`` and ``buffer.memory``.

    :param max_record_bytes: largest ``max.message.bytes`` of the topics; a record that is not compressed may be as
        large.
    """
    return {
        "max.request.size": str(MAX_REQUEST_SIZE),
        "buffer.memory": str(max(BUFFER_MEMORY, 2 * max_record_bytes)),
    }


def without_prefix(settings: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Those keys that have it, without it."""
    return {key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)}
