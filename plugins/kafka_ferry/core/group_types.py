"""Types of groups: which there are, which are carried as what, and what keeps the others from being carried. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.words import shown

#: How brokers call what has committed offsets that any client can set: ``consumer``, or nothing for offsets alone.
CONSUMER_PROTOCOLS = ("", "consumer")

#: Types whose groups stand somewhere: with a start of their own (KIP-932), and with committed offsets (KIP-1071).
SHARE, STREAMS = "share", "streams"
#: Types of consumer groups, by the old protocol and the new one.
_CONSUMERS = ("classic", "consumer")
_CALLED = {
    "classic": "classic consumer", "consumer": "consumer (KIP-848)", SHARE: "share (KIP-932)",
    STREAMS: "streams (KIP-1071)", "connect": "Kafka Connect's workers", "": "of unknown type",
}  # fmt: skip
# States in which a group has no members, so that its offsets may be written (KIP-396).
_INACTIVE = ("EMPTY", "DEAD")
_WHAT = {
    SHARE: "a share group (KIP-932), whose progress is kept per record in the cluster, not as committed offsets: its "
    "start is not copied{why}; on the target it would start at its share.auto.offset.reset",
    STREAMS: "a streams group (KIP-1071): its committed offsets are not copied{why}; on the target the application "
    "would start at its auto.offset.reset",
    "connect": "the workers of a Kafka Connect cluster: they have no committed offsets",
}
_FIX = {
    SHARE: "kafka-share-groups --group {group} --reset-offsets --topic <topic>:<partition> --to-datetime <time of its "
    "next record> --execute on the target, or leave it out (exclude_groups)",
    STREAMS: "kafka-streams-groups --group {group} --reset-offsets --input-topic <topic>:<partition> --to-offset "
    "<offset> --execute on the target, or leave it out (exclude_groups)",
}
_OTHERWISE = "check its type with kafka-groups --list, or leave it out (exclude_groups)"
_NAMED = 20


@dataclass(frozen=True)
class OtherGroup:
    """A group that librdkafka's list of consumer groups leaves out.

    :param type: ``share``, ``streams``, ``connect``, …: the group's type (KIP-848), or its protocol's where the broker
        knows no types; empty where neither was told. ``state``: as the broker calls it; empty: not told.
    :param why: it is not carried, where another of its type might be.
    :param fix: for this one, instead of the command that sets its offsets.
    """

    type: str
    state: str = ""
    why: str = ""
    fix: str = ""

    @property
    def has_position(self) -> bool:
        """Whether it may stand somewhere in topics. A Connect cluster's workers do not."""
        return self.type != "connect"

    @property
    def has_members(self) -> bool:
        """Whether it is at work; not where its state was not told."""
        return bool(self.state) and has_members(self.state)

    def __str__(self) -> str:
        if self.type in _CONSUMERS:
            what = "a group that the client library cannot name: its id holds a NUL character"
        else:
            unknown = f"a group of type {self.type}" if self.type else "not a consumer group (its type is unknown)"
            what = _WHAT.get(self.type, f"{unknown}: it is not copied").format(why=f" ({self.why})" * bool(self.why))
        return f"{what}; state {self.state or 'unknown'}"

    def fix_of(self, group: str) -> str:
        """What to do for it by hand."""
        return self.fix or _FIX.get(self.type, _OTHERWISE).format(group=shown(group))


class AllGroups(NamedTuple):
    """Every group of a cluster.

    :param consumers: consumer groups with their state (``EMPTY``, ``STABLE`` …). ``others``: the rest.
    :param types: of the consumer groups: ``classic`` or ``consumer``; empty where it was not told.
    """

    consumers: dict[str, str]
    others: dict[str, OtherGroup]
    types: dict[str, str]

    @property
    def at_work(self) -> set[str]:
        """Groups of any type that have members, so that brokers refuse to set where they stand."""
        consumers = {name for name, state in self.consumers.items() if has_members(state)}
        return consumers | {name for name, group in self.others.items() if group.has_members}


def has_members(state: str) -> bool:
    """Whether a group in this state is at work, so that brokers refuse to set its offsets."""
    return state.upper() not in _INACTIVE


def by_type(types: Iterable[str]) -> str:
    """How many there are of each type: ``2 classic consumer, 1 share (KIP-932)``; empty: none.

    :param types: of each group, as ``OtherGroup.type`` has them.
    """
    counts, order = Counter(types), list(_CALLED)
    known = sorted(counts, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))
    return ", ".join(f"{counts[kind]:,} {_CALLED.get(kind, f'of type {shown(kind)}')}" for kind in known)


def is_other(reason: str) -> bool:
    """Whether a reason for leaving a group out is that of a group of another type which may stand somewhere.

    For manifests, which keep reasons and no types.
    """
    return reason.rpartition("; state ")[1] != "" and not reason.startswith(_WHAT["connect"])


def others_among(listed: Mapping[str, OtherGroup], consumer_groups: Iterable[str]) -> dict[str, OtherGroup]:
    """Those of all groups that are not among the consumer groups.

    :param listed: all groups, asked for **before** ``consumer_groups``: one that came meanwhile is no other group.
    """
    known = set(consumer_groups)
    return {
        name: group
        for name, group in listed.items()
        # A consumer group that is missing was deleted between the questions, unless its name cannot be told.
        if name not in known and (group.type not in _CONSUMERS or "\0" in name)
    }


def other_group_findings(others: Mapping[str, OtherGroup]) -> list[Finding]:
    """A warning for each that stands somewhere, advice for the rest; the first twenty, and how many more.

    :param others: those that the params mean.
    """
    found = [
        Finding(
            Severity.WARN if group.has_position else Severity.ADVISE, "other_groups", f"group {name!r}",
            f"is not copied: {group}", group.fix_of(name), "groups",
        )
        for name, group in sorted(others.items(), key=lambda item: (not item[1].has_position, item[0]))
    ]  # fmt: skip
    if len(found) <= _NAMED:
        return found
    rest = Finding(
        Severity.WARN, "other_groups", f"{len(found) - _NAMED} more groups", "are not copied either",
        "skipped_groups in plan.json names them all", "groups",
    )  # fmt: skip
    return [*found[:_NAMED], rest]


def taken_names(carried: Mapping[str, str], target: AllGroups) -> list[Finding]:
    """Groups whose name is that of a group of another kind on the target, where nothing can be set of them.

    :param carried: groups to their types, as ``OtherGroup.type`` has them.
    """
    there = {**target.types, **{name: group.type for name, group in target.others.items()}}
    found = [
        Finding(
            Severity.WARN, "group_names", f"group {name!r}",
            f"is a {kind} group, and of type {there[name]} on the target: its offsets cannot be set there",
            "delete the target's group of this name, if nobody needs it, or leave this one out (exclude_groups)",
            "groups",
        )
        for name, kind in sorted(carried.items())
        if there.get(name) and (kind == SHARE) != (there[name] == SHARE)
    ]  # fmt: skip
    return found[:_NAMED]
