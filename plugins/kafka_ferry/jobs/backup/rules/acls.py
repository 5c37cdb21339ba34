"""Which ACLs of a backup a restore makes, and what it says of the others. Pure.

A restore gives topics back, so their ACLs come back as they were, ALLOW WRITE and ALLOW ALL too; a migration leaves
those out (``core.acls``), as nobody may write there while it copies. They are made once the records are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kafka_ferry.core.acls import WILDCARD, Acl
from kafka_ferry.core.checks import Check, Status

_NAMED = 200


@dataclass(frozen=True)
class RestoredAcls:
    """The manifest's ACLs against the target's.

    :param wanted: ACLs on one restored topic or group by its full name, with target names.
    :param missing: those of ``wanted`` that are not on the target.
    :param left: ACLs on more than that (prefixes, wildcards) that are not on the target.
    """

    wanted: Sequence[Acl]
    missing: Sequence[Acl]
    left: Sequence[Acl]


def restored_acls(
    backed_up: Iterable[Acl], there: Iterable[Acl], topics: Mapping[str, str], groups: Iterable[str]
) -> RestoredAcls:
    """:param topics: topic of the backup to its name on the target. ``groups``: those that are restored."""
    known, names = set(there), {"TOPIC": dict(topics), "GROUP": {group: group for group in groups}}
    wanted, left = set(), set()
    for acl in set(backed_up):
        own = names.get(acl.resource, {})
        if acl.pattern == "LITERAL" and acl.name != WILDCARD:
            if acl.name in own:
                wanted.add(replace(acl, name=own[acl.name]))
        elif any(acl.matches(name) for name in own):
            left.add(acl)
    return RestoredAcls(sorted(wanted), sorted(wanted - known), sorted(left - known))


def restored_acls_check(found: RestoredAcls, refused: Sequence[str] = ()) -> Check:
    """FAIL when one is missing; those that are about more than what was restored are named (EXPLAINED).

    :param refused: why the target did not take some.
    """
    missing = [f"missing on the target: {acl}. Fix: kafka-acls {acl.command()}" for acl in found.missing]
    left = [
        f"not created: {acl}. It covers more than what was restored; create it, or a narrower one: "
        f"kafka-acls {acl.command()}"
        for acl in found.left
    ]
    return Check(
        name="acls",
        status=Status.FAIL if missing else Status.EXPLAINED if left else Status.PASS,
        expected=f"{len(found.wanted)} ACLs of these topics and groups",
        actual=f"{len(found.wanted) - len(missing)} there",
        detail=f"{len(left)} on prefixes or wildcards must be created by hand" if left else "",
        differences=[*refused, *missing, *left][:_NAMED],
    )
