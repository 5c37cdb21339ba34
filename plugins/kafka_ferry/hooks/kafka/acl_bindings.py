"""ACLs between confluent_kafka's words and ours."""

from __future__ import annotations

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from kafka_ferry.core.acls import Acl

#: Every ACL of a cluster.
EVERY_ACL = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)
#: Matches nothing: a topic cannot have such a name.
NO_ACL = AclBindingFilter(
    ResourceType.TOPIC,
    "no topic/",
    ResourcePatternType.LITERAL,
    "User:nobody",
    "*",
    AclOperation.READ,
    AclPermissionType.ALLOW,
)
# What KafkaAdmin does → the right it takes (kafka.apache.org/documentation/#operations_resources_and_protocols).
_RIGHTS = (
    ("create topic", "CREATE on the topic"),
    ("describe topic", "DESCRIBE on the topic"),
    ("read the configuration of topic", "DESCRIBE_CONFIGS on the topic"),
    ("list offsets", "DESCRIBE on the topic"),
    ("add partitions", "ALTER on the topic"),
    ("set configs", "ALTER_CONFIGS on the topic"),
    ("delete topic", "DELETE on the topic"),
    ("list consumer groups", "DESCRIBE on the groups"),
    ("read offsets of group", "DESCRIBE on the group and on its topics"),
    ("commit for group", "READ on the group and on its topics"),
    ("read a broker's configuration", "DESCRIBE_CONFIGS on the cluster"),
    ("read the ACLs", "DESCRIBE on the cluster"),
    ("read the client quotas", "DESCRIBE_CONFIGS on the cluster"),
    ("set client quotas", "ALTER_CONFIGS on the cluster"),
    ("list the SCRAM users", "DESCRIBE on the cluster"),
    ("make the SCRAM user", "ALTER on the cluster"),
    ("check for an authorizer", "ALTER on the cluster"),
    ("create the ACL", "ALTER on the cluster"),
    ("delete the ACL", "ALTER on the cluster"),
)
# librdkafka calls the cluster a broker (rd_kafka_ResourceType_t).
_TO_OURS = {"BROKER": "CLUSTER"}
_TO_THEIRS = {"CLUSTER": "BROKER"}


def from_binding(binding: AclBinding) -> Acl:
    """A ``confluent_kafka`` binding as an :class:`Acl`."""
    resource = binding.restype.name
    return Acl(
        _TO_OURS.get(resource, resource),
        binding.name,
        binding.resource_pattern_type.name,
        binding.principal,
        binding.operation.name,
        binding.permission_type.name,
        binding.host,
    )


def is_librdkafkas(acl: Acl) -> bool:
    """Whether librdkafka has words for its resource and its operation."""
    resources, operations = ResourceType.__members__, AclOperation.__members__
    return _TO_THEIRS.get(acl.resource, acl.resource) in resources and acl.operation in operations


def to_binding(acl: Acl) -> AclBinding:
    """The way back."""
    return AclBinding(*_parts(acl))


def to_filter(acl: Acl) -> AclBindingFilter:
    """What matches this ACL alone."""
    return AclBindingFilter(*_parts(acl))


def _parts(acl: Acl) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
    return (
        ResourceType[_TO_THEIRS.get(acl.resource, acl.resource)],
        acl.name,
        ResourcePatternType[acl.pattern],
        acl.principal,
        acl.host,
        AclOperation[acl.operation],
        AclPermissionType[acl.permission],
    )


def right_to(what: str) -> str:
    """The right (operation and resource) that an admin call needs.

    :param what: how ``KafkaAdmin`` names the call in its errors.
    """
    return next((right for begin, right in _RIGHTS if what.startswith(begin)), "it")
