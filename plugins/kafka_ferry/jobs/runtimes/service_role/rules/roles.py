"""The service execution role of a connector: trust and permissions, per kind of connector, least first.

Source: developer guide, "Understand service execution role", and "Authorization policy resources" for the ARNs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from kafka_ferry.core.arns import account_of, region_of

SERVICE = "kafkaconnect.amazonaws.com"
INTERNAL = "__amazon_msk_connect_*"  # config, offset and status topics and groups of every connector

READ = "kafka-cluster:ReadData"
_READ = ("kafka-cluster:DescribeTopic", READ)
_WRITE = ("kafka-cluster:DescribeTopic", "kafka-cluster:WriteData")
_ALL = ("kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", READ, "kafka-cluster:WriteData")
_GROUPS = ("kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup")


class Kind(StrEnum):
    """What a connector does with the cluster."""

    SOURCE = "source"  # writes to topics
    SINK = "sink"  # reads topics in a group connect-<name>
    DEBEZIUM = "debezium"  # a source that keeps its schema history in a topic
    MIRROR_MAKER2 = "mirror_maker2"  # makes and configures topics; reads its own
    S3_SINK = "s3_sink"  # ours: a sink that asks for the topics' configs, too
    S3_SOURCE = "s3_source"  # ours: a source that writes idempotently to topics that are there


#: Those that read topics in a group connect-<name>.
SINKS = (Kind.SINK, Kind.S3_SINK)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As IAM spells it."""
        return {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}


def trust_policy(account: str, connector: str = "*", region: str = "*", partition: str = "aws") -> dict[str, Any]:
    """Who may take the role: MSK Connect for one connector of one account (the confused deputy's fix)."""
    condition = {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": f"arn:{partition}:kafkaconnect:{region}:{account}:connector/{connector}/*"},
    }
    principal = {"Service": SERVICE}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def permission_policy(
    kind: Kind, cluster_arn: str, connector: str, topics: Iterable[str], *, secrets: Iterable[str] = ()
) -> dict[str, Any]:
    """What the connector may do on an IAM cluster.

    :param topics: names or patterns with ``*``; of a Debezium connector also its history topic.
    :param secrets: ARNs in Secrets Manager that a config provider reads.
    """
    statements = statements_of(kind, cluster_arn, connector, tuple(topics))
    if named := tuple(secrets):
        statements.append(of_secrets(named))
    return policy_of(statements)


def policy_of(statements: Iterable[Statement]) -> dict[str, Any]:
    """A document of statements."""
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


def of_secrets(arns: tuple[str, ...]) -> Statement:
    """To read secrets."""
    return Statement(("secretsmanager:GetSecretValue",), arns)


def statements_of(
    kind: Kind,
    cluster_arn: str,
    connector: str,
    topics: tuple[str, ...],
    *,
    groups: tuple[str, ...] = ("*",),
    internal: tuple[tuple[str, ...], tuple[str, ...]] = ((INTERNAL,), (INTERNAL,)),
) -> list[Statement]:
    """The statements of :func:`permission_policy`: cluster, topics, internal topics, groups.

    :param groups: for which MirrorMaker 2 commits what it translates.
    :param internal: the workers' own topics, and groups.
    """

    def named(what: str, names: Iterable[str]) -> tuple[str, ...]:
        cluster = cluster_arn.split(":cluster/", 1)[1]  # NAME/UUID
        partition = cluster_arn.split(":", 2)[1]
        head = f"arn:{partition}:kafka:{region_of(cluster_arn)}:{account_of(cluster_arn)}"
        return tuple(f"{head}:{what}/{cluster}/{name}" for name in names)

    on_cluster = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
    if kind in (Kind.DEBEZIUM, Kind.MIRROR_MAKER2):
        # Debezium asks for the default replication factor before it makes its history topic.
        on_cluster.append("kafka-cluster:DescribeClusterDynamicConfiguration")
    if kind in (Kind.MIRROR_MAKER2, Kind.S3_SOURCE):
        on_cluster.append("kafka-cluster:WriteDataIdempotently")
    on_topics = {
        Kind.SOURCE: (*_WRITE, "kafka-cluster:CreateTopic"),
        Kind.SINK: _READ,
        Kind.S3_SINK: (*_READ, "kafka-cluster:DescribeTopicDynamicConfiguration"),
        Kind.S3_SOURCE: _WRITE,
        Kind.DEBEZIUM: _ALL,
        Kind.MIRROR_MAKER2: (
            *_ALL,
            "kafka-cluster:AlterTopic",
            "kafka-cluster:AlterTopicDynamicConfiguration",
            "kafka-cluster:DescribeTopicDynamicConfiguration",
        ),
    }[kind]
    of_groups = [*internal[1], f"connect-{connector}"]
    if kind is Kind.MIRROR_MAKER2:
        of_groups += groups
    return [
        Statement(tuple(on_cluster), (cluster_arn,)),
        Statement(on_topics, named("topic", topics)),
        Statement(_ALL, named("topic", internal[0])),
        Statement(_GROUPS, named("group", of_groups)),
    ]


def missing(needed: Iterable[Statement], policies: Iterable[Mapping[str, Any]]) -> list[str]:
    """``<action> on <resource>`` that no Allow of the policies covers, or a Deny takes away.

    Conditions, ``NotAction`` and ``NotResource`` are not followed: a statement that has one grants nothing here, and a
    Deny that has one is counted, so the answer may name too much, never too little.
    """
    allows: list[tuple[list[str], list[str]]] = []
    denies: list[tuple[list[str], list[str]]] = []
    for policy in policies:
        for statement in _listed(policy.get("Statement")):
            pair = (_listed(statement.get("Action")), _listed(statement.get("Resource")))
            if statement.get("Effect") == "Deny":
                denies.append((pair[0] or ["*"], pair[1] or ["*"]))
            elif not statement.get("Condition"):
                allows.append(pair)
    return [
        f"{action} on {resource}"
        for statement in needed
        for resource in statement.resources
        for action in statement.actions
        if not _covered(action, resource, allows) or _covered(action, resource, denies)
    ]


def _covered(action: str, resource: str, statements: Iterable[tuple[list[str], list[str]]]) -> bool:
    # IAM compares actions without case, resources with it; both may have * and ?.
    return any(
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in actions)
        and any(fnmatchcase(resource, pattern) for pattern in resources)
        for actions, resources in statements
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
