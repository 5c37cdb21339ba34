"""Admin calls that take ACLs away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kafka_ferry.core.acls import Acl
from kafka_ferry.hooks.kafka.acl_bindings import to_filter
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook


class KafkaAcls(KafkaAdmin):
    """Raises what ``KafkaAdmin`` raises."""

    @classmethod
    def of(cls, cluster: KafkaClusterHook) -> KafkaAcls:
        """Those of a connection's cluster."""
        return cls(client_config(cluster.extra), cluster.conn_id)

    def delete_acls(self, acls: Iterable[Acl]) -> None:
        """Delete exactly these; one that is not there counts as deleted."""
        wanted = list(acls)
        if not only_librdkafka_knows(self._config):
            self._acl_wire().delete_acls(wanted)
            return
        filters = {to_filter(acl): acl for acl in wanted}
        if filters:
            for one, future in self._client.delete_acls(list(filters), request_timeout=self.timeout).items():
                self._result(future, f"delete the ACL {filters[one]}")
