"""Admin calls about ACLs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation, AdminClient

from kafka_ferry.core.acls import Acl
from kafka_ferry.exceptions import NotAuthorized, NotSupported, TransientError
from kafka_ferry.hooks.kafka.acl_bindings import EVERY_ACL, NO_ACL, from_binding, is_librdkafkas, right_to, to_binding
from kafka_ferry.hooks.kafka.group_calls import ALLOWED
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.acl_wire import AclWire
    from kafka_ferry.hooks.kafka.capabilities import Capabilities


class AclCalls:
    """The part of ``KafkaAdmin`` that is about ACLs."""

    _config: dict[str, Any]
    _client: AdminClient
    name: str
    timeout: float

    def _result(self, future: Future[Any], what: str, *allowed: int) -> Any:
        raise NotImplementedError

    @cached_property
    def capabilities(self) -> Capabilities:
        raise NotImplementedError

    def acls(self) -> list[Acl] | None:
        """Every ACL of the cluster; None where it has no authorizer (SECURITY_DISABLED). Where only librdkafka can log
        in, those that it has no words for are not ``named``.
        """
        if only_librdkafka_knows(self._config):
            return self._librdkafkas()
        try:
            return self._acl_wire().acls()
        except TransientError:
            # librdkafka says why, or knows a way.
            found = self._librdkafkas()
            if found and not all(acl.named for acl in found):
                raise
            return found

    def create_acls(self, acls: Iterable[Acl]) -> None:
        """Add ACLs; one that is there already counts as added."""
        wanted = list(acls)
        if not only_librdkafka_knows(self._config):
            self._acl_wire().create_acls(wanted)
            return
        if strange := next((acl for acl in wanted if not is_librdkafkas(acl)), None):
            raise NotSupported(f"{self.name}: only librdkafka can log in there, and it cannot make the ACL {strange}")
        bindings = {to_binding(acl): acl for acl in wanted}
        if bindings:
            for binding, future in self._client.create_acls(list(bindings), request_timeout=self.timeout).items():
                self._result(future, f"create the ACL {bindings[binding]}")

    def _acl_wire(self) -> AclWire:
        from kafka_ferry.hooks.kafka.acl_wire import AclWire  # late: few ask

        return AclWire(self._config, self.name)

    def _librdkafkas(self) -> list[Acl] | None:
        """As librdkafka gives them.

        An empty answer is not believed: librdkafka 2.16 drops the error of DescribeAcls, and gives an empty list where
        there is no authorizer and where ACLs may not be read (measured).
        """
        found = self._result(self._client.describe_acls(EVERY_ACL, request_timeout=self.timeout), "read the ACLs")
        if found:
            return sorted(map(from_binding, found))
        future = self._client.describe_cluster(include_authorized_operations=True, request_timeout=self.timeout)
        may: Collection[AclOperation] = self._result(future, "describe the cluster").authorized_operations or ()
        if not self.capabilities.tells_rights:  # then the call below has to
            may = (AclOperation.DESCRIBE, AclOperation.ALTER)
        if AclOperation.DESCRIBE not in may:
            right = right_to("read the ACLs")
            raise NotAuthorized(f"{self.name}: not allowed to read the ACLs. Fix: grant {right} to its user")
        # Without an authorizer everything is allowed. Deleting what cannot exist tells the two apart, and does nothing.
        if AclOperation.ALTER in may:
            futures = self._client.delete_acls([NO_ACL], request_timeout=self.timeout)
            if self._result(futures[NO_ACL], "check for an authorizer", KafkaError.SECURITY_DISABLED) is ALLOWED:
                return None
        return []
