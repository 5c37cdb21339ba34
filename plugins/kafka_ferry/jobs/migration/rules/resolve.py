"""The topics and groups a migration means, read from the live source. Pure: it is handed what reads the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import SHARE, STREAMS, AllGroups, OtherGroup
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import (
    Selection,
    TopicState,
    default_topic_exclude,
    mm2_group_refusal,
    mm2_topic_refusal,
    select,
)
from kafka_ferry.core.unmatched import did_you_mean
from kafka_ferry.core.unnamed_groups import CANNOT_NAME, without_unnamed
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.canary import PREFIX as CANARY
from kafka_ferry.jobs.migration.rules.spec import GroupOffsets, MigrationSpec

LEFT_TO_MM2 = (
    "the empty group id: MirrorMaker 2 is not given it, as brokers describe no such group; group_offsets: exact "
    "copies it"
)
_NOT_BY_MM2 = "MirrorMaker 2 does not carry its type, and group_offsets is mm2"
_EXACT = "group_offsets: exact copies it; or leave it out (exclude_groups)"


class Source(Protocol):
    """The admin calls needed here; ``hooks.kafka.admin.KafkaAdmin`` has them."""

    def topic_names(self) -> list[str]: ...

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]: ...

    def all_groups(self) -> AllGroups: ...

    def can_name(self, group: str) -> bool: ...

    def committed(self, groups: Iterable[str]) -> dict[str, dict[Partition, int]]: ...

    @property
    def no_share_starts(self) -> str: ...

    def share_starts(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]: ...


@dataclass(frozen=True)
class ResolvedTopics:
    """Topics to migrate, as they are on the source.

    :param names: all topics of the source.
    """

    selection: Selection
    topics: Mapping[str, TopicState]
    names: tuple[str, ...] = ()

    @property
    def partitions(self) -> list[Partition]:
        return [(name, p) for name, topic in self.topics.items() for p in range(topic.partitions)]

    def targets(self, spec: MigrationSpec) -> dict[str, str]:
        """Source topic to target topic."""
        return {name: spec.target_topic(name) for name in self.topics}


@dataclass(frozen=True)
class ResolvedGroups:
    """Groups to migrate with their commits on the migrated topics; groups without any are not carried by anyone.

    :param committed: offsets; of share groups, their starts.
    :param states: ``EMPTY``, ``STABLE`` …, of all groups that could be carried.
    :param others: groups of other types that the params mean: nobody carries them, and they are named.
    :param names: every group of the source, of any type.
    :param kinds: groups that could be carried and are no consumer groups, to their type: ``share`` or ``streams``.
    :param types: every group of the source to its type, as ``OtherGroup.type`` has it.
    :param reads: groups that the params mean to all topics on which they stand, whether these are migrated or not.
    """

    selection: Selection
    committed: Mapping[str, Mapping[Partition, int]]
    states: Mapping[str, str]
    others: Mapping[str, OtherGroup] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def all_states(self) -> dict[str, str]:
        """Every group of the source to its state; empty where it was not told."""
        return dict.fromkeys(self.names, "") | {n: g.state for n, g in self.others.items()} | dict(self.states)

    @property
    def consumers(self) -> list[str]:
        """Those to carry that MirrorMaker 2 sees: consumer groups, without the empty id."""
        return [group for group in self.committed if group and group not in self.kinds]

    @property
    def shares(self) -> list[str]:
        """Share groups to carry."""
        return [group for group in self.committed if self.kinds.get(group) == SHARE]

    @property
    def skipped(self) -> dict[str, str]:
        """Every group that the params mean and that is left behind, with the reason."""
        found = {item.name: item.reason for item in self.selection.skipped}
        return {**found, **{name: str(group) for name, group in self.others.items()}}

    @property
    def bare(self) -> list[str]:
        """Groups that the params mean and that have no commit on these topics: there is nothing to carry."""
        return sorted(set(self.selection.names) - self.committed.keys())

    @property
    def unasked(self) -> list[str]:
        """Groups that the params do not mean."""
        meant = {*self.selection.names, *self.selection.others, *(item.name for item in self.selection.skipped)}
        return sorted(self.names - meant)


def resolve_topics(spec: MigrationSpec, source: Source) -> ResolvedTopics:
    """Which topics the spec means now.

    :raises BadParam: an entry is wrong, or nothing at all matches.
    """
    names = [name for name in source.topic_names() if not name.startswith(CANARY)]
    selection = select(
        "topics",
        names,
        spec.topics,
        spec.exclude_topics,
        never=mm2_topic_refusal,
        by_default=default_topic_exclude,
    )
    if not selection.names:
        seen = ", ".join(name for name in names if not name.startswith("__")) or "none"
        why = "; ".join(f"{item.name}: {item.reason}" for item in selection.skipped[:5])
        problem = f"nothing on the source matches {spec.topics}" + (f" ({why})" if why else "")
        hint = "".join(did_you_mean(entry, names) for entry in spec.topics[:3])
        raise BadParam("topics", f"{problem}{hint}", f"topics there: {seen[:500]}")
    return ResolvedTopics(selection, source.topics(selection.names), tuple(names))


def resolve_groups(
    spec: MigrationSpec, source: Source, topics: Mapping[str, TopicState], no_starts: Callable[[], str] = str
) -> ResolvedGroups:
    """Which groups the spec means now. No group at all is fine.

    :param no_starts: why starts of share groups cannot be set on the target, empty where they can; asked when there is
        a share group.
    """
    consumers, rest, types = source.all_groups()
    others = _with_reasons(spec, source, rest, no_starts)
    kinds = {name: rest[name].type for name in rest.keys() - others.keys()}
    states = consumers | {name: rest[name].state.upper() for name in kinds}
    selection = select(
        "groups",
        states,
        spec.groups,
        spec.exclude_groups,
        never=lambda _: None,
        by_default=mm2_group_refusal,
        others=others,
    )
    exact = spec.group_offsets is GroupOffsets.EXACT
    selection = without_unnamed(selection, source.can_name if exact else bool, CANNOT_NAME if exact else LEFT_TO_MM2)
    shares = [name for name in selection.names if kinds.get(name) == SHARE]
    starts = source.share_starts(shares) if shares else {}
    everywhere = {
        **source.committed([name for name in selection.names if name not in shares]),
        **{group: {tp: start.offset for tp, start in own.items()} for group, own in starts.items()},
    }
    committed = {
        group: {tp: offset for tp, offset in offsets.items() if tp[0] in topics}
        for group, offsets in everywhere.items()
    }
    return ResolvedGroups(
        selection,
        {group: offsets for group, offsets in committed.items() if offsets},
        states,
        {name: others[name] for name in selection.others},
        frozenset([*states, *others]),
        kinds,
        {**types, **{name: group.type for name, group in rest.items()}},
        {group: frozenset(topic for topic, _ in offsets) for group, offsets in everywhere.items()},
    )


def _with_reasons(
    spec: MigrationSpec, source: Source, others: Mapping[str, OtherGroup], no_starts: Callable[[], str]
) -> dict[str, OtherGroup]:
    """Of the groups that are no consumer groups those that cannot be carried, with what is known of why."""
    mm2 = spec.group_offsets is not GroupOffsets.EXACT
    has_shares = not mm2 and any(group.type == SHARE for group in others.values())
    reasons = {SHARE: (source.no_share_starts or no_starts()) if has_shares else "", STREAMS: ""}
    if mm2:
        return {
            name: replace(group, why=_NOT_BY_MM2, fix=_EXACT) if group.type in reasons else group
            for name, group in others.items()
        }
    return {
        name: replace(group, why=reasons.get(group.type, ""))
        for name, group in others.items()
        if reasons.get(group.type, "none") or "\0" in name
    }
