"""Admin calls about SCRAM users (KIP-554)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from kafka_ferry.core.scram_users import ScramUser
from kafka_ferry.exceptions import NotSupported
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.group_calls import ALLOWED

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook


_LIST = "list the SCRAM users"
_NOBODY = 91  # RESOURCE_NOT_FOUND


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
        found = self._result(self._client.describe_user_scram_credentials(request_timeout=self.timeout), _LIST)
        names = self._real_names([name for name in found if "%" in name])
        return sorted(
            ScramUser(names.get(name, name), one.mechanism.name.replace("_", "-"), one.iterations)
            for name, about in found.items()
            for one in about.scram_credential_infos
        )

    def _real_names(self, listed: list[str]) -> dict[str, str]:
        """Brokers with ZooKeeper may list a name as it is called there, ``a%20b`` for ``a b``, and know it by its real
        name when they are asked for that (measured on 2.8.2)."""
        meant = {name: unquote(name) for name in listed}
        asked = sorted({real for name, real in meant.items() if real != name})
        if not asked:
            return {}
        futures = self._client.describe_user_scram_credentials(asked, request_timeout=self.timeout)
        there = {real for real, future in futures.items() if self._result(future, _LIST, _NOBODY) is not ALLOWED}
        return {name: real for name, real in meant.items() if real in there}

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
