"""What the user of a connection may do on a cluster, from what the cluster said about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kafka_ferry.core.acls import WILDCARD, Acl

#: What a right is about: type in Kafka's words (``TOPIC``, ``GROUP``, ``CLUSTER``) and name.
Resource = tuple[str, str]
CLUSTER: Resource = ("CLUSTER", "kafka-cluster")


@dataclass(frozen=True)
class Rights:
    """The rights of one connection's user.

    :param principal: ``User:x`` as ACLs name it; None where the connection does not tell it.
    :param answers: by resource the operations that the brokers answered for: allowed or not.
    :param acls: those of the cluster; None where they cannot be read, or do not explain what the brokers answered.
        They are asked only where the brokers have no answer: a topic that does not exist has no authorized operations.
    :param reason: why ``acls`` is None.
    :param everything: no authorizer, or a super user.
    """

    conn_id: str
    principal: str | None
    answers: Mapping[Resource, Mapping[str, bool]] = field(default_factory=dict)
    acls: Sequence[Acl] | None = None
    reason: str = ""
    everything: bool = False

    def may(self, resource: Resource, operation: str) -> bool | None:
        """Whether the operation is allowed; None: nobody told."""
        if self.everything:
            return True
        answer = self.answers.get(resource, {}).get(operation)
        if answer is None and self.acls is not None and self.principal:
            return allowed_by(self.acls, self.principal, resource, operation)
        return answer

    def denials(self, resource: Resource, operation: str) -> list[Acl]:
        """The DENY ACLs that forbid it, as far as ACLs are known: an ALLOW does not outweigh them."""
        wanted = _acl(resource, operation, self.principal or "", "DENY")
        return [acl for acl in self.acls or () if acl.covers(wanted)]

    def checked(self, acls: Sequence[Acl]) -> Rights:
        """With these ACLs, if they explain every right that the brokers confirm.

        They do not where rights come from elsewhere: a super user, ``allow.everyone.if.no.acl.found``, another
        authorizer, a principal builder. Then they must not be used to say that a right is missing.
        """
        granted = [
            (resource, operation)
            for resource, answers in self.answers.items()
            for operation, allowed in answers.items()
            if allowed
        ]
        if self.principal is None:
            return replace(self, reason="the principal of the connection is unknown")
        mine = _about_us(acls, self.principal)
        unexplained = [item for item in granted if not allowed_by(mine, self.principal, *item)]
        if unexplained:
            # StandardAuthorizer: only a super user may CLUSTER_ACTION without an ACL for it.
            super_user = (CLUSTER, "CLUSTER_ACTION") in unexplained
            return replace(self, everything=super_user, reason="its ACLs do not explain what its user is allowed to do")
        return replace(self, acls=mine, reason="")


def allowed_by(acls: Iterable[Acl], principal: str, resource: Resource, operation: str) -> bool:
    """As StandardAuthorizer decides: a DENY wins, and without an ALLOW nothing is allowed.

    CREATE on a topic is also given by CREATE on the cluster.
    """
    known = list(acls)
    if any(acl.covers(_acl(resource, operation, principal, "DENY")) for acl in known):
        return False
    if any(acl.covers(_acl(resource, operation, principal, "ALLOW")) for acl in known):
        return True
    create = resource[0] == "TOPIC" and operation == "CREATE"
    return create and allowed_by(known, principal, CLUSTER, "CREATE")


def _about_us(acls: Iterable[Acl], principal: str) -> list[Acl]:
    """Those that may concern us. Which host we are to the brokers is not known: an ALLOW for some host counts, a DENY
    for some host does not, so that a right is called missing only when it surely is."""
    return [
        replace(acl, host=WILDCARD)
        for acl in acls
        if acl.principal in (principal, "User:*") and (acl.host == WILDCARD or acl.permission == "ALLOW")
    ]


def _acl(resource: Resource, operation: str, principal: str, permission: str) -> Acl:
    return Acl(*resource, "LITERAL", principal, operation, permission)
