"""Groups that are no consumer groups, and what keeps them from being carried. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafka_ferry.core.finding import Finding, Severity

#: How brokers call what has committed offsets that any client can set: ``consumer``, or nothing for offsets alone.
CONSUMER_PROTOCOLS = ("", "consumer")

#: Types of consumer groups, by the old protocol and the new one.
_CONSUMERS = ("classic", "consumer")
_WHAT = {
    "share": "a share group (KIP-932): its progress is kept per record in the cluster, not as committed offsets; "
    "on the target it would start at its share.auto.offset.reset",
    "streams": "a streams group (KIP-1071): its committed offsets are not copied yet; on the target the application "
    "would start at its auto.offset.reset, without its state",
    "connect": "the workers of a Kafka Connect cluster: they have no committed offsets",
}
_FIX = {
    "share": "set its start with kafka-share-groups --reset-offsets on the target, or leave it out (exclude_groups)",
    "streams": "set its offsets with kafka-streams-groups --reset-offsets on the target, or leave it out "
    "(exclude_groups)",
}
_OTHERWISE = "check its type with kafka-groups --list, or leave it out (exclude_groups)"
_NAMED = 20


@dataclass(frozen=True)
class OtherGroup:
    """A group that librdkafka's list of consumer groups leaves out.

    :param type: ``share``, ``streams``, ``connect``, …: the group's type (KIP-848), or its protocol's where the broker
        knows no types; empty where neither was told. ``state``: as the broker calls it; empty: not told.
    """

    type: str
    state: str = ""

    @property
    def has_position(self) -> bool:
        """Whether it may stand somewhere in topics. A Connect cluster's workers do not."""
        return self.type != "connect"

    def __str__(self) -> str:
        if self.type in _CONSUMERS:
            what = "a group that the client library cannot name: its id holds a NUL character"
        else:
            unknown = f"a group of type {self.type}" if self.type else "not a consumer group (its type is unknown)"
            what = _WHAT.get(self.type, f"{unknown}: it is not copied")
        return f"{what}; state {self.state or 'unknown'}"


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
            f"is not copied: {group}", _FIX.get(group.type, _OTHERWISE), "groups",
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
