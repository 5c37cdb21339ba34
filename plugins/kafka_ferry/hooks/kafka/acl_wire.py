"""ACLs by our own requests: librdkafka 2.16 gives delegation tokens and users as UNKNOWN, as it does operations that
came with Kafka 3 and 4 (measured), and drops the error of DescribeAcls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1, DescribeAclsRequest_v1
from aiokafka.protocol.api import Request
from confluent_kafka import KafkaError

from kafka_ferry.core.acls import Acl
from kafka_ferry.hooks.kafka.batches import chunks
from kafka_ferry.hooks.kafka.reading.broker_wire import BrokerWire
from kafka_ferry.hooks.kafka.wire import Wire, check

# org.apache.kafka.common.resource.ResourceType and PatternType, …acl.AclOperation and AclPermissionType.
_RESOURCES = {2: "TOPIC", 3: "GROUP", 4: "CLUSTER", 5: "TRANSACTIONAL_ID", 6: "DELEGATION_TOKEN", 7: "USER"}
_PATTERNS = {3: "LITERAL", 4: "PREFIXED"}
_OPERATIONS = {
    2: "ALL", 3: "READ", 4: "WRITE", 5: "CREATE", 6: "DELETE", 7: "ALTER", 8: "DESCRIBE", 9: "CLUSTER_ACTION",
    10: "DESCRIBE_CONFIGS", 11: "ALTER_CONFIGS", 12: "IDEMPOTENT_WRITE", 13: "CREATE_TOKENS", 14: "DESCRIBE_TOKENS",
    15: "TWO_PHASE_COMMIT",
}  # fmt: skip
_PERMISSIONS = {2: "DENY", 3: "ALLOW"}
_ANY = 1
_AT_ONCE = 500
_LONGEST = 300  # characters of a broker's words


class _DescribeAcls(Request[DescribeAclsRequest_v1]):  # type: ignore[misc]
    """Every ACL. Version 1 tells prefixes, and brokers from 2.0 on have it; later ones differ in spelling alone."""

    API_KEY: ClassVar[int] = 29

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(_ANY, None, _ANY, None, None, _ANY, _ANY)


class CreateAcls(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """aiokafka's own makes one."""

    API_KEY: ClassVar[int] = 30

    def __init__(self, acls: Iterable[Acl]) -> None:
        self._acls = [_codes(acl) for acl in acls]

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._acls)


class DeleteAcls(Request[DeleteAclsRequest_v1]):  # type: ignore[misc]
    """Each ACL is a filter that matches it alone."""

    API_KEY: ClassVar[int] = 31

    def __init__(self, acls: Iterable[Acl]) -> None:
        self._filters = [_codes(acl) for acl in acls]

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._filters)


class AclWire(Wire):
    """The ACLs of one cluster. Raises what ``Wire`` says."""

    def acls(self) -> list[Acl] | None:
        """Every ACL, of whatever resource; None where there is no authorizer (SECURITY_DISABLED)."""
        what = "read the ACLs"

        async def ask(wire: BrokerWire) -> list[Acl] | None:
            found = await (await wire.any()).ask(_DescribeAcls())
            if found["error_code"] == KafkaError.SECURITY_DISABLED:
                return None
            check(found["error_code"], what)
            return acls_in(found)

        return self.run(ask, what)

    def create_acls(self, acls: Iterable[Acl]) -> None:
        """Add ACLs; one that is there already counts as added."""
        for some in chunks(acls, _AT_ONCE):
            self._create(some)

    def delete_acls(self, acls: Iterable[Acl]) -> None:
        """Delete exactly these; one that is not there counts as deleted."""
        for some in chunks(acls, _AT_ONCE):
            self._delete(some)

    def _delete(self, acls: list[Acl]) -> None:
        async def ask(wire: BrokerWire) -> None:
            found = await (await wire.any()).ask(DeleteAcls(acls))
            for acl, one in zip(acls, found["filter_responses"], strict=True):
                for code in (one["error_code"], *(match["error_code"] for match in one["matching_acls"])):
                    check(code, f"delete the ACL {acl}")

        self.run(ask, f"delete {len(acls)} ACLs")

    def _create(self, acls: list[Acl]) -> None:
        async def ask(wire: BrokerWire) -> None:
            found = await (await wire.any()).ask(CreateAcls(acls))
            for acl, one in zip(acls, found["creation_responses"], strict=True):
                said = str(one["error_message"] or "")[:_LONGEST]
                check(one["error_code"], f"create the ACL {acl}{f' ({said})' if said else ''}")

        self.run(ask, f"create {len(acls)} ACLs")


def _codes(acl: Acl) -> tuple[int, str, int, str, str, int, int]:
    return (
        _code(_RESOURCES, acl.resource), acl.name, _code(_PATTERNS, acl.pattern), acl.principal, acl.host,
        _code(_OPERATIONS, acl.operation), _code(_PERMISSIONS, acl.permission),
    )  # fmt: skip


def acls_in(answer: Mapping[str, Any]) -> list[Acl]:
    """What a DescribeAcls response says, sorted."""
    return sorted(
        Acl(
            _name(_RESOURCES, about["resource_type"]), about["resource_name"],
            _name(_PATTERNS, about["resource_pattern_type"]), one["principal"],
            _name(_OPERATIONS, one["operation"]), _name(_PERMISSIONS, one["permission_type"]), one["host"],
        )
        for about in answer["resources"]
        for one in about["acls"]
    )  # fmt: skip


def _name(names: Mapping[int, str], code: int) -> str:
    """What a later Kafka brought is called by its number, so that it is carried all the same."""
    return names.get(code, f"NUMBER_{code}")


def _code(names: Mapping[int, str], name: str) -> int:
    codes = {known: code for code, known in names.items()}
    return codes[name] if name in codes else int(name.removeprefix("NUMBER_"))
