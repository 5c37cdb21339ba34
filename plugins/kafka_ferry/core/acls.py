"""Access control lists: which of the source concern a migration, which are carried to the target, what is left. Pure.

"Carried" is what MirrorMaker 2's ``sync.topic.acls`` carries (``MirrorSourceConnector.syncTopicAcls``, Kafka 4.3):
ACLs on one topic by its full name; ALLOW ALL becomes ALLOW READ; ALLOW WRITE is left out, as nobody else should write
to a topic that is being filled. It carries no prefixed and no wildcard ACLs, and none of groups: those we name.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding, Severity

WILDCARD = "*"
_NAMED = 200
# org.apache.kafka.common.acl.AclOperation: an ALLOW of the left implies the right.
_IMPLIES = {
    "READ": {"DESCRIBE"},
    "WRITE": {"DESCRIBE"},
    "DELETE": {"DESCRIBE"},
    "ALTER": {"DESCRIBE"},
    "ALTER_CONFIGS": {"DESCRIBE_CONFIGS"},
}


@dataclass(frozen=True, order=True)
class Acl:
    """One ACL, in Kafka's words.

    :param resource: ``TOPIC``, ``GROUP``, ``CLUSTER``, ``TRANSACTIONAL_ID``, ``DELEGATION_TOKEN`` or ``USER``, whose
        name is a principal.
    :param pattern: ``LITERAL`` or ``PREFIXED``; a literal name ``*`` means every resource.
    :param permission: ``ALLOW`` or ``DENY``.
    """

    resource: str
    name: str
    pattern: str
    principal: str
    operation: str
    permission: str = "ALLOW"
    host: str = WILDCARD

    @property
    def named(self) -> bool:
        """Whether whoever read it has words for it (``hooks/kafka/acl_calls.py``)."""
        return "UNKNOWN" not in (self.resource, self.operation)

    def matches(self, name: str) -> bool:
        """Whether it is about the resource of that name."""
        if self.pattern == "PREFIXED":
            return name.startswith(self.name)
        return self.name in (name, WILDCARD)

    def covers(self, other: Acl) -> bool:
        """Whether it gives (or denies) all that the other one does."""
        if (self.resource, self.permission) != (other.resource, other.permission):
            return False
        if self.principal not in (other.principal, "User:*") or self.host not in (other.host, WILDCARD):
            return False
        operations = {self.operation} | (_IMPLIES.get(self.operation, set()) if self.permission == "ALLOW" else set())
        if self.operation != "ALL" and other.operation not in operations:
            return False
        if other.pattern == "LITERAL":
            return self.matches(other.name)
        everything = self.pattern == "LITERAL" and self.name == WILDCARD
        return everything or (self.pattern == "PREFIXED" and other.name.startswith(self.name))

    def __str__(self) -> str:
        prefixed = " (prefix)" if self.pattern == "PREFIXED" else ""
        host = "" if self.host == WILDCARD else f" from host {self.host}"
        name = f"{self.resource.lower()} {self.name}{prefixed}"
        return f"{self.permission} {self.operation} on {name} for {self.principal}{host}"

    def command(self) -> str:
        """Arguments of Kafka's ``kafka-acls.sh`` that add it."""
        side = "allow" if self.permission == "ALLOW" else "deny"
        parts = ["--add", f"--{side}-principal", self.principal, "--operation", self.operation]
        option = "user-principal" if self.resource == "USER" else self.resource.lower().replace("_", "-")
        parts += [f"--{option}"] if self.resource == "CLUSTER" else [f"--{option}", self.name]
        parts += ["--resource-pattern-type", "prefixed"] if self.pattern == "PREFIXED" else []
        parts += [f"--{side}-host", self.host] if self.host != WILDCARD else []
        return shlex.join(parts)


@dataclass(frozen=True)
class AclDiff:
    """Source against target.

    :param carried: ACLs the target should have, with target names.
    :param missing: those of ``carried`` that nothing on the target covers.
    :param left: ACLs that are not carried and that nothing on the target covers, each with what to do.
    :param what: what ``carried`` are. ``by_hand``: what ``left`` are.
    :param extra: ACLs that only the target has, as far as they were looked for. ``to_delete``: those of them that
        somebody asked to delete.
    """

    carried: Sequence[Acl]
    missing: Sequence[Acl]
    left: Sequence[tuple[Acl, str]]
    what: str = "ACLs on topics"
    by_hand: str = "that MirrorMaker 2 never copies"
    extra: Sequence[Acl] = ()
    to_delete: Sequence[Acl] = ()

    def changes(self) -> list[Change]:
        """What ``acls=copy`` does, as lines of the plan."""
        last = "last, when all other checks passed"
        return [
            *(Change(Action.CREATE, "acl", str(acl), last) for acl in self.missing),
            *(Change(Action.DELETE, "acl", str(acl), last) for acl in self.to_delete),
        ]


def carried(source: Iterable[Acl], topics: Mapping[str, str]) -> list[Acl]:
    """The ACLs MirrorMaker 2 would make on the target.

    :param topics: source topic to target topic.
    """
    found = {
        replace(acl, name=topics[acl.name], operation="READ" if _is_allow(acl, "ALL") else acl.operation)
        for acl in source
        if acl.resource == "TOPIC" and acl.pattern == "LITERAL" and acl.name in topics and not _is_allow(acl, "WRITE")
    }
    return sorted(found)


def compare_acls(
    source: Iterable[Acl], target: Iterable[Acl], topics: Mapping[str, str], groups: Iterable[str]
) -> AclDiff:
    """Hold the ACLs that concern these topics and groups against the target's."""
    theirs, there, names = list(source), list(target), list(groups)
    wanted = carried(theirs, topics)
    missing = [acl for acl in wanted if not _covered(acl, there)]
    left = []
    for acl in sorted(set(theirs)):
        if (advice := _advice(acl, topics, names)) is not None:
            renamed = _renamed(acl, topics)
            # An ALLOW ALL is carried as READ: what it allowed beyond that is left.
            if not _covered(renamed, there):
                left.append((renamed, advice))
    return AclDiff(wanted, missing, left)


def check_acls(diff: AclDiff) -> Check:
    """FAIL when an ACL that should be carried is not on the target, or one that should be deleted still is; what is
    never carried, and what only the target has, is named (EXPLAINED).
    """
    missing = [f"missing on the target: {acl}. Fix: acls=copy, or kafka-acls {acl.command()}" for acl in diff.missing]
    left = [f"not copied: {acl}. {advice}: kafka-acls {acl.command()}" for acl, advice in diff.left]
    doomed = set(diff.to_delete)
    still = [
        f"still on the target, and not on the source: {acl}. Fix: acls=copy, or kafka-acls "
        f"{acl.command().replace('--add', '--remove', 1)}"
        for acl in diff.to_delete
    ]
    extra = [f"only on the target, and kept: {acl}" for acl in diff.extra if acl not in doomed]
    details = [
        *([f"{len(left)} {diff.by_hand} must be created by hand"] if left else []),
        *([f"{len(extra)} only on the target"] if extra else []),
    ]
    return Check(
        name="acls",
        status=Status.FAIL if missing or still else Status.EXPLAINED if left or extra else Status.PASS,
        expected=f"{len(diff.carried)} {diff.what}",
        actual=f"{len(diff.carried) - len(missing)} there",
        detail="; ".join(details),
        differences=[*missing, *still, *left, *extra][:_NAMED],
    )


def stopping_findings(missing: Iterable[Acl], principal: str | None, topics: Collection[str]) -> list[Finding]:
    """ACLs that may not be made where replication goes on: it writes as a user that they deny something to.

    :param principal: who writes on the target; None: not known, so it may be any. ``topics``: that it writes to.
    """
    return [
        Finding(
            Severity.REFUSE, "acls", f"ACL {acl}",
            "would be copied, and stop the replication that keep_replicating keeps running",
            "acls: check, and create it at the cutover", "acls",
        )
        for acl in missing
        if acl.permission == "DENY" and (principal is None or acl.principal in ("User:*", principal))
        if acl.resource != "TOPIC" or any(map(acl.matches, topics))
    ]  # fmt: skip


def _advice(acl: Acl, topics: Mapping[str, str], groups: Sequence[str]) -> str | None:
    """What to do with an ACL that is not carried; None when it is, or concerns nothing of ours."""
    if acl.resource == "GROUP" and any(acl.matches(group) for group in groups):
        return "ACLs of groups are never copied; create it before its consumers move"
    if acl.resource != "TOPIC" or not any(acl.matches(topic) for topic in topics):
        return None
    if acl.pattern == "PREFIXED" or acl.name == WILDCARD:
        return "It covers more than these topics; create it, or a narrower one, before its clients move"
    if _is_allow(acl, "WRITE") or _is_allow(acl, "ALL"):
        return "Nobody else may write while records are copied; create it at the cutover"
    return None


def _renamed(acl: Acl, topics: Mapping[str, str]) -> Acl:
    """Prefixes and wildcards keep their names: which prefix is right under a new naming, only people know."""
    if acl.resource == "TOPIC" and acl.pattern == "LITERAL":
        return replace(acl, name=topics.get(acl.name, acl.name))
    return acl


def _covered(acl: Acl, by: Iterable[Acl]) -> bool:
    return any(other.covers(acl) for other in by)


def _is_allow(acl: Acl, operation: str) -> bool:
    return acl.permission == "ALLOW" and acl.operation == operation
