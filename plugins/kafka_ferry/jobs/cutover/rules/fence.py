"""The fence: which ACLs stop the producers of a wave, and what of them is ours to take away. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from kafka_ferry.core.acls import Acl

_NAMED = 5


def fence_acls(topics: Iterable[str]) -> list[Acl]:
    """DENY WRITE for everybody, on each topic by its full name.

    For everybody: to name those who write now would leave out whoever comes. A replication reads from the source and
    writes nothing to these topics, and a DENY of WRITE takes no other right away (only an ALLOW implies DESCRIBE),
    unless it is the first ACL of its topic: see ``without_acls``. Super users are not asked for ACLs: them the proof of
    stop finds.
    """
    return [Acl("TOPIC", topic, "LITERAL", "User:*", "WRITE", "DENY") for topic in sorted(set(topics))]


def to_add(wanted: Sequence[Acl], there: Iterable[Acl]) -> tuple[list[Acl], list[Acl]]:
    """Those that have to be made, and those that somebody made before, which stay whatever happens."""
    known = set(there)
    return [acl for acl in wanted if acl not in known], [acl for acl in wanted if acl in known]


def without_acls(topics: Iterable[str], there: Iterable[Acl]) -> list[str]:
    """Topics that no ACL is about. Where ``allow.everyone.if.no.acl.found`` is true everybody may read and write them,
    until they get one of whatever kind; where it is not, only super users may."""
    known = [acl for acl in there if acl.resource == "TOPIC"]
    return sorted(topic for topic in set(topics) if not any(acl.matches(topic) for acl in known))


def copied_to_target(targets: Iterable[str], there: Iterable[Acl]) -> list[Acl]:
    """What would stop the applications on the target as well: MirrorMaker 2's ``sync.topic.acls`` copies a DENY."""
    return sorted(set(fence_acls(targets)) & set(there))


def lift_commands(acls: Sequence[Acl], servers: str) -> list[str]:
    """Kafka's own tool, to take the fence away by hand."""
    tool = shlex.join(["kafka-acls.sh", "--bootstrap-server", servers])
    return [f"{tool} {acl.command().replace('--add', '--remove --force', 1)}" for acl in acls[:_NAMED]]
