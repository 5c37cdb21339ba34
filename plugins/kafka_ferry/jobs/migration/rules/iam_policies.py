"""IAM policies that grant on an MSK cluster what ACLs grant on the source. Pure.

Source: MSK's developer guide, "Semantics of IAM authorization policy actions and resources": which action stands for
which operation of an ACL, which other actions it needs, and how resources are named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka_ferry.core.acls import WILDCARD, Acl
from kafka_ferry.core.arns import account_of, region_of

#: The artifact that holds the documents, by principal.
FILE = "iam_policies.json"
#: Characters of a managed policy, without blanks (IAM's quota).
MOST_CHARACTERS = 6144
_SHOWN = 20

# Kafka's operation → the action, and what it needs besides (on the same resource).
_TOPIC: Mapping[str, tuple[str, ...]] = {
    "READ": ("ReadData", "DescribeTopic"),
    "WRITE": ("WriteData", "DescribeTopic"),
    "CREATE": ("CreateTopic",),
    "DELETE": ("DeleteTopic", "DescribeTopic"),
    "ALTER": ("AlterTopic", "DescribeTopic"),
    "DESCRIBE": ("DescribeTopic",),
    "DESCRIBE_CONFIGS": ("DescribeTopicDynamicConfiguration",),
    "ALTER_CONFIGS": ("AlterTopicDynamicConfiguration", "DescribeTopicDynamicConfiguration"),
}
_GROUP: Mapping[str, tuple[str, ...]] = {
    "READ": ("AlterGroup", "DescribeGroup"),
    "DELETE": ("DeleteGroup", "DescribeGroup"),
    "DESCRIBE": ("DescribeGroup",),
}
_CLUSTER: Mapping[str, tuple[str, ...]] = {
    "ALTER": ("AlterCluster", "DescribeCluster"),
    "DESCRIBE": ("DescribeCluster",),
    "DESCRIBE_CONFIGS": ("DescribeClusterDynamicConfiguration",),
    "ALTER_CONFIGS": ("AlterClusterDynamicConfiguration", "DescribeClusterDynamicConfiguration"),
    "IDEMPOTENT_WRITE": ("WriteDataIdempotently",),
}
_TRANSACTIONAL_ID: Mapping[str, tuple[str, ...]] = {
    "WRITE": ("AlterTransactionalId", "DescribeTransactionalId"),
    "DESCRIBE": ("DescribeTransactionalId",),
}
_ACTIONS = {"TOPIC": _TOPIC, "GROUP": _GROUP, "CLUSTER": _CLUSTER, "TRANSACTIONAL_ID": _TRANSACTIONAL_ID}
_KINDS = {"TOPIC": "topic", "GROUP": "group", "TRANSACTIONAL_ID": "transactional-id"}
# Who may write may do so idempotently (KIP-679), and in transactions always does: on MSK that is a right of its own.
_IDEMPOTENT = "WriteDataIdempotently"
_SPECIAL = {"*": "${*}", "?": "${?}", "$": "${$}"}  # of IAM's patterns and variables


@dataclass(frozen=True)
class IamPolicies:
    """What was made of ACLs.

    :param documents: by principal, the policy for the role or user that stands for it.
    :param left: ACLs that no policy says, and why.
    """

    documents: Mapping[str, dict[str, Any]]
    left: Sequence[tuple[Acl, str]]

    def to_json(self) -> str:
        """The artifact."""
        left = [{"acl": str(acl), "why": why} for acl, why in self.left]
        return json.dumps({"policies": self.documents, "not_in_policies": left}, indent=1) + "\n"

    @property
    def too_long(self) -> list[str]:
        """Principals whose document is larger than a managed policy may be."""
        return [who for who, document in self.documents.items() if len(_compact(document)) > MOST_CHARACTERS]

    def notes(self) -> list[str]:
        """For the plan."""
        if not self.documents and not self.left:
            return []
        found = [
            f"the target's clients log in by IAM: policies that grant {len(self.documents)} principals what their ACLs "
            f"grant are in {FILE}; nobody attaches them for you"
        ]
        if self.left:
            acl, why = self.left[0]
            found.append(f"{len(self.left)} ACLs are in no policy ({FILE} names each), such as {acl}: {why}")
        if self.too_long:
            found.append(
                f"the policy is longer than the {MOST_CHARACTERS} characters of a managed one, so split it: "
                f"{', '.join(self.too_long[:5])}"
            )
        return found

    def lines(self) -> list[str]:
        """For the report: the documents, each in a line."""
        shown = [f"IAM policy for {who}: {_compact(document)}" for who, document in self.documents.items()]
        more = [f"IAM policies for {len(shown) - _SHOWN} more principals: {FILE}"] if len(shown) > _SHOWN else []
        return shown[:_SHOWN] + more + [f"in no IAM policy: {acl}. {why}" for acl, why in self.left]


def iam_policies(acls: Iterable[Acl], cluster_arn: str) -> IamPolicies:
    """:param acls: with the target's names and principals. ``cluster_arn``: of the target."""
    rights: dict[str, dict[tuple[str, str], set[str]]] = {}
    left = []
    for acl in sorted(set(acls)):
        if why := _why_not(acl):
            left.append((acl, why))
            continue
        effect = acl.permission.capitalize()
        mine = rights.setdefault(acl.principal, {})
        for resource, actions in _granted(acl, cluster_arn):
            mine.setdefault((effect, resource), set()).update(actions)
    documents = {}
    for principal, mine in sorted(rights.items()):
        if any(effect == "Allow" for effect, _ in mine):
            mine.setdefault(("Allow", cluster_arn), set()).add("Connect")
        documents[principal] = _document(mine)
    return IamPolicies(documents, left)


def _why_not(acl: Acl) -> str:
    actions = _ACTIONS.get(acl.resource)
    if actions is None:
        return "IAM has no such resource"
    if acl.host != WILDCARD:
        return "it is for one host: give the policy a condition by hand"
    if (
        acl.operation != "ALL"
        and acl.operation not in actions
        and (acl.resource, acl.operation) != ("CLUSTER", "CREATE")
    ):
        return "IAM has no such action"
    return ""


def _granted(acl: Acl, cluster_arn: str) -> list[tuple[str, set[str]]]:
    """Resources with the actions on them. A DENY takes away what it names alone: what goes with an ALLOW stays."""
    allow = acl.permission == "ALLOW"
    if (acl.resource, acl.operation) == ("CLUSTER", "CREATE"):
        return [(_arn(cluster_arn, "topic", "*"), {"CreateTopic"})]
    actions = _ACTIONS[acl.resource]
    names = list(actions) if acl.operation == "ALL" else [acl.operation]
    granted = {action for name in names for action in (actions[name] if allow else actions[name][:1])}
    resource = cluster_arn
    if acl.resource != "CLUSTER":
        name = WILDCARD if acl.name == WILDCARD and acl.pattern == "LITERAL" else _literal(acl.name)
        resource = _arn(cluster_arn, _KINDS[acl.resource], name + ("*" if acl.pattern == "PREFIXED" else ""))
    found = [(resource, granted)]
    if (acl.resource, acl.operation) == ("CLUSTER", "ALL"):
        found.append((_arn(cluster_arn, "topic", "*"), {"CreateTopic"}))
    writes = acl.resource in ("TOPIC", "TRANSACTIONAL_ID") and "WRITE" in names
    return [*found, (cluster_arn, {_IDEMPOTENT})] if allow and writes else found


def _arn(cluster_arn: str, kind: str, name: str) -> str:
    cluster = cluster_arn.split(":cluster/", 1)[1]  # NAME/UUID
    partition = cluster_arn.split(":", 2)[1]
    return f"arn:{partition}:kafka:{region_of(cluster_arn)}:{account_of(cluster_arn)}:{kind}/{cluster}/{name}"


def _literal(name: str) -> str:
    return "".join(_SPECIAL.get(one, one) for one in name)


def _document(rights: Mapping[tuple[str, str], set[str]]) -> dict[str, Any]:
    """Resources of the same actions in one statement, so that it stays short."""
    same: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (effect, resource), actions in sorted(rights.items()):
        same.setdefault((effect, tuple(sorted(actions))), []).append(resource)
    statements = [
        {"Effect": effect, "Action": [f"kafka-cluster:{action}" for action in actions], "Resource": resources}
        for (effect, actions), resources in same.items()
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
