"""Every ACL of a source, of whatever resource, as the target should have it. Pure.

More than MirrorMaker 2 carries (``core.acls``): prefixes and wildcards, WRITE and ALL, groups, transactional ids, the
cluster, users, and every topic, also one that is not copied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from kafka_ferry.core.acls import WILDCARD, Acl, AclDiff
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.principals import EVERYBODY


def compare_whole(
    source: Iterable[Acl],
    target: Iterable[Acl],
    topic: Callable[[str], str],
    prefix: Callable[[str], str | None],
    *,
    ours: str | None = None,
    delete_of: Collection[str] = (),
) -> AclDiff:
    """Hold every ACL of the source against the target's.

    :param source: with the target's principals.
    :param topic: a topic's name on the target. ``prefix``: what all names on the target begin with whose names on the
        source begin with this; None: nothing does.
    :param ours: who works on the target, and needs ACLs there that the source need not have. ``delete_of``: expressions
        of principals whose ACLs are to be deleted that only the target has.
    """
    there = set(target)
    known, wanted, left = _Known(there), set[Acl](), list[tuple[Acl, str]]()
    for acl in sorted(set(source)):
        found, why = _on_target(acl, topic, prefix)
        if found:
            wanted.add(found)
        else:
            left.append((acl, why))
    missing = [acl for acl in sorted(wanted) if not known.covers(acl)]
    given = _Known([*wanted, *(acl for acl, _ in left)])
    extra = [acl for acl in sorted(there) if acl.principal != ours and not given.covers(acl)]
    doomed = [acl for acl in extra if any(re.fullmatch(one, acl.principal) for one in delete_of)]
    return AclDiff(
        sorted(wanted), missing, [(acl, why) for acl, why in left if not known.covers(acl)],
        what="ACLs, every one of the source", by_hand="that cannot be carried as they are",
        extra=extra, to_delete=doomed,
    )  # fmt: skip


def _on_target(acl: Acl, topic: Callable[[str], str], prefix: Callable[[str], str | None]) -> tuple[Acl | None, str]:
    if not acl.named:
        return None, "Only librdkafka can log in there, and it has no words for it"
    if acl.resource == "DELEGATION_TOKEN" and acl.name != WILDCARD:
        return None, "Tokens are not carried: one made on the target has an id of its own; create it for that one"
    if acl.resource != "TOPIC" or acl.name == WILDCARD:
        return acl, ""
    if acl.pattern != "PREFIXED":
        return replace(acl, name=topic(acl.name)), ""
    begin = prefix(acl.name)
    if begin is None:
        return None, "Topics are renamed one by one, and no prefix covers what it covers; create those that are needed"
    return replace(acl, name=begin), ""


def writers_findings(missing: Iterable[Acl], topics: Collection[str]) -> list[Finding]:
    """ACLs that let clients write to topics which a replication goes on filling.

    :param topics: names on the target.
    """
    found = [
        acl
        for acl in missing
        if acl.resource == "TOPIC" and acl.permission == "ALLOW" and acl.operation in ("WRITE", "ALL")
        if any(map(acl.matches, topics))
    ]
    return [
        Finding(
            Severity.WARN, "acls", f"ACL {acl}",
            "would be made, and lets clients write to topics that keep_replicating goes on filling",
            "acl_scope: topics, and the others at the cutover", "acl_scope",
        )
        for acl in found
    ]  # fmt: skip


def principals_findings(unmatched: Iterable[str]) -> list[Finding]:
    """Expressions of the param ``principals`` that match nobody."""
    return [
        Finding(
            Severity.WARN, "principals", f"expression {pattern}",
            "matches no principal of the source's ACLs, quotas and users: it has no effect",
            "an expression that matches a whole principal, with its type, such as User:CN=.*", "principals",
        )
        for pattern in unmatched
    ]  # fmt: skip


class _Known:
    """ACLs of a cluster by whom they are about: 10,000 against 10,000 one by one would take minutes."""

    def __init__(self, acls: Iterable[Acl]) -> None:
        self._all = set(acls)
        self._of: dict[tuple[str, str, str], list[Acl]] = {}
        for acl in self._all:
            self._of.setdefault((acl.resource, acl.permission, acl.principal), []).append(acl)

    def covers(self, acl: Acl) -> bool:
        if acl in self._all:
            return True
        whose = {acl.principal, EVERYBODY}
        near = (one for who in whose for one in self._of.get((acl.resource, acl.permission, who), ()))
        return any(one.covers(acl) for one in near)
