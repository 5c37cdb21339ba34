"""What brokers can do, as they say themselves (ApiVersions); the only place that knows which Kafka brought what.

Where only librdkafka can log in (OAuth, MSK IAM, Kerberos) nothing is known, and brokers are taken for new ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError as WireError

from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings, only_librdkafka_knows

_FETCH, _METADATA, _INCREMENTAL_ALTER_CONFIGS, _DESCRIBE_CLUSTER, _PRODUCERS = 1, 3, 44, 60, 61
_QUOTAS, _SCRAM_USERS = 48, 50
_SHARE_OFFSETS = 90
_SECONDS = 30.0


@dataclass(frozen=True)
class Capabilities:
    """Of one broker, as a rule of all: the highest version of each request, by its key; None: nobody told."""

    versions: Mapping[int, int] | None = None

    @property
    def for_kafka_4(self) -> bool:
        """Whether clients of Kafka 4 can talk to it: brokers from 2.1 on (KIP-896)."""
        return self._has(_FETCH, 10)

    @property
    def tells_rights(self) -> bool:
        """Whether it names authorized operations: from 2.3 on (KIP-430)."""
        return self._has(_METADATA, 8)

    @property
    def changes_configs(self) -> bool:
        """Whether single configs can be changed: from 2.3 on (KIP-339)."""
        return self._has(_INCREMENTAL_ALTER_CONFIGS, 0)

    @property
    def writers_are_idempotent(self) -> bool:
        """Whether who may WRITE to a topic may do so idempotently: from 2.8 on (KIP-679), which came with
        DescribeCluster (KIP-700). Before, that is a right on the cluster."""
        return self._has(_DESCRIBE_CLUSTER, 0)

    @property
    def tells_share_starts(self) -> bool:
        """Whether starts of share groups can be read, and set: from 4.1 on (KIP-932)."""
        return self._has(_SHARE_OFFSETS, 0)

    @property
    def tells_producers(self) -> bool:
        """Whether leaders tell who writes to a partition: from 2.8 on (KIP-664)."""
        return self._has(_PRODUCERS, 0)

    @property
    def tells_quotas(self) -> bool:
        """Whether client quotas can be read, and set: from 2.6 on (KIP-546)."""
        return self._has(_QUOTAS, 0)

    @property
    def tells_scram_users(self) -> bool:
        """Whether SCRAM users can be listed, and made: from 2.7 on (KIP-554), without ZooKeeper from 3.5 (KIP-900)."""
        return self._has(_SCRAM_USERS, 0)

    @property
    def makes_share_groups(self) -> bool:
        """Whether starts can be set of a share group that is not there, or on topics it does not read: from 4.2 on
        (KAFKA-19662), which came with the lag (KIP-1226)."""
        return self._has(_SHARE_OFFSETS, 1)

    @property
    def takes_groups_over(self) -> bool:
        """Whether an empty group with offsets alone becomes a streams group when its application starts: from 4.2 on
        (KAFKA-19570)."""
        return self.makes_share_groups

    def _has(self, key: int, version: int) -> bool:
        return self.versions is None or self.versions.get(key, -1) >= version


def capabilities_of(config: Mapping[str, Any], name: str) -> Capabilities:
    """Ask a broker. Not for use inside an event loop.

    :raises TransientError: none answers.
    """
    if only_librdkafka_knows(config):
        return Capabilities()
    settings = WireSettings.of(config)

    async def ask() -> Capabilities:
        wire = BrokerWire(settings)
        try:
            connection = await asyncio.wait_for(wire.any(), _SECONDS)
            return Capabilities({key: highest for key, (_, highest) in connection.versions.items()})
        finally:
            wire.close()
            await asyncio.sleep(0)  # transports close in the loop's next turn

    try:
        return asyncio.run(ask())
    except (OSError, TimeoutError, WireError) as error:
        raise TransientError(f"{name}: cannot ask what its brokers can do: {error or type(error).__name__}") from error
