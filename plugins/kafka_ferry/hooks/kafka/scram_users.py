"""Admin calls about SCRAM users (KIP-554)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from kafka_ferry.core.scram_users import ScramUser
from kafka_ferry.exceptions import NotSupported
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook


class KafkaScramUsers(KafkaAdmin):
    """Raises what ``KafkaAdmin`` raises."""

    @classmethod
    def of(cls, cluster: KafkaClusterHook) -> KafkaScramUsers:
        """Those of a connection's cluster.

        :raises NotSupported: its brokers have no such requests.
        """
        if not cluster.admin.capabilities.tells_scram_users:
            raise NotSupported(
                f"{cluster.conn_id}: its brokers tell no SCRAM users; Kafka 2.7 and later do, without ZooKeeper 3.5"
            )
        return cls(client_config(cluster.extra), cluster.conn_id)

    def users(self) -> list[ScramUser]:
        """All of them, by each of their mechanisms."""
        found = self._result(
            self._client.describe_user_scram_credentials(request_timeout=self.timeout), "list the SCRAM users"
        )
        return sorted(
            ScramUser(name, one.mechanism.name.replace("_", "-"), one.iterations)
            for name, about in found.items()
            for one in about.scram_credential_infos
        )

    def make(self, users: Mapping[ScramUser, str]) -> None:
        """Make users, each with this password; one that is there gets it. An answer is by user, so each mechanism is a
        request of its own."""
        for mechanism in sorted({user.mechanism for user in users}):
            wanted = [
                UserScramCredentialUpsertion(
                    user.name,
                    ScramCredentialInfo(ScramMechanism[mechanism.replace("-", "_")], user.iterations),
                    password.encode(),
                )
                for user, password in users.items()
                if user.mechanism == mechanism
            ]
            futures = self._client.alter_user_scram_credentials(wanted, request_timeout=self.timeout)
            for name, future in futures.items():
                self._result(future, f"make the SCRAM user {name!r}")
