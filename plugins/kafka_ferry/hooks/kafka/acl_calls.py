"""Admin calls about ACLs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation, AdminClient

from kafka_ferry.core.acls import Acl
from kafka_ferry.exceptions import NotAuthorized
from kafka_ferry.hooks.kafka.acl_bindings import EVERY_ACL, NO_ACL, from_binding, right_to, to_binding
from kafka_ferry.hooks.kafka.group_calls import ALLOWED

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.capabilities import Capabilities


class AclCalls:
    """The part of ``KafkaAdmin`` that is about ACLs."""

    _client: AdminClient
    name: str
    timeout: float

    def _result(self, future: Future[Any], what: str, *allowed: int) -> Any:
        raise NotImplementedError

    @cached_property
    def capabilities(self) -> Capabilities:
        raise NotImplementedError

    def acls(self) -> list[Acl] | None:
        """Every ACL of the cluster; None where it has no authorizer (SECURITY_DISABLED).

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

    def create_acls(self, acls: Iterable[Acl]) -> None:
        """Add ACLs; one that is there already counts as added."""
        bindings = {to_binding(acl): acl for acl in acls}
        if bindings:
            for binding, future in self._client.create_acls(list(bindings), request_timeout=self.timeout).items():
                self._result(future, f"create the ACL {bindings[binding]}")
