"""Admin calls for a consumer group of our own."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import KafkaError

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.config import client_config

#: A process that was killed leaves members behind until its session times out (10 s, as we set it).
PATIENCE = 30.0
_STAYS = (KafkaError.NON_EMPTY_GROUP, KafkaError.GROUP_ID_NOT_FOUND)


class KafkaGroups(KafkaAdmin):
    """Raises what ``KafkaAdmin`` raises."""

    @classmethod
    def of(cls, cluster: KafkaClusterHook) -> KafkaGroups:
        """Those of a connection's cluster."""
        return cls(client_config(cluster.extra), cluster.conn_id)

    def delete_group(self, group: str, patience: float = PATIENCE) -> bool:
        """Delete a group with its offsets; returns whether it was there.

        :raises TransientError: it has members still, after ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        while True:
            future = self._client.delete_consumer_groups([group], request_timeout=self.timeout)[group]
            # `_result` answers None when it was deleted, and something else when one of these was the answer.
            if self._result(future, f"delete group {group!r}", *_STAYS) is None:
                return True
            if group not in self.consumer_groups():
                return False
            if time.monotonic() > deadline:
                raise TransientError(f"{self.name}: group {group!r} still has members, so it cannot be deleted")
            time.sleep(1)

    def set_offsets(self, group: str, offsets: Mapping[Partition, int], patience: float = PATIENCE) -> None:
        """Commit for a group; waits until it has no members any more.

        :raises TransientError: it still has some after ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        while refused := self.commit({group: offsets}):
            if time.monotonic() > deadline:
                raise TransientError(f"{self.name}: offsets of group {group!r} cannot be set: {refused[group]}")
            time.sleep(1)
