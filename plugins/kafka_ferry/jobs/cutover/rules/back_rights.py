"""Which rights a way back needs on the cluster that is left, and on the one that is gone back to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.needs import Need
from kafka_ferry.core.rights import CLUSTER, Rights
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec, Fence
from kafka_ferry.jobs.migration.rules.permissions import source_needs

_FENCED = "WRITE"  # what a fence denies


def needs_left(spec: CutoverSpec, topics: Iterable[str]) -> list[Need]:
    """On the cluster that is left. Groups that may not be described are refused where they are looked for.

    :param spec: of the way back, as a cutover of its own.
    """
    fences = spec.fence is Fence.ACL
    why = "to stop the producers (param fence is acl; webhook and prove do without)"
    return [*source_needs(spec, topics, ()), *([Need(CLUSTER, "ALTER", why)] if fences else [])]


def needs_gone_back_to(
    spec: CutoverSpec, topics: Iterable[str], groups: Iterable[str], own: Iterable[str], there: Collection[str],
    *, lifts: bool,
) -> list[Need]:  # fmt: skip
    """On the cluster that is gone back to: a migration only reads it, a way back writes to it.

    :param own: topics that MirrorMaker 2 keeps there; ``there``: those that exist.
    :param lifts: whether the cutover's fence has to be taken away.
    """
    needs = [need for need in source_needs(spec, (), ()) if need.resource == CLUSTER]
    if lifts:
        needs.append(Need(CLUSTER, "ALTER", "to take the cutover's fence away"))
    for name in topics:
        topic = ("TOPIC", name)
        needs.append(Need(topic, "WRITE", "to write back what was written since the hand-over"))
        needs.append(Need(topic, "READ", "to compare its records"))
        needs.append(Need(topic, "DESCRIBE_CONFIGS", "to compare its configs"))
    needs += [Need(("GROUP", group), "READ", "to set its offsets") for group in groups]
    for name in own:
        topic = ("TOPIC", name)
        needs += [] if name in there else [Need(topic, "CREATE", "without it MirrorMaker 2 copies nothing")]
        needs.append(Need(topic, "WRITE", "for MirrorMaker 2 to keep there where it stands"))
        needs.append(Need(topic, "DELETE", "to remove it at the end"))
    return needs


def once_lifted(rights: Rights, fence: Collection[Acl]) -> Rights:
    """As they will be when the cutover's fence is gone: until then nobody may write, whoever has the right."""
    gone, fenced = set(fence), {("TOPIC", acl.name) for acl in fence}
    answers = {
        resource: {op: may for op, may in told.items() if not (resource in fenced and op == _FENCED)}
        for resource, told in rights.answers.items()
    }
    acls = None if rights.acls is None else [acl for acl in rights.acls if acl not in gone]
    return replace(rights, answers=answers, acls=acls)
