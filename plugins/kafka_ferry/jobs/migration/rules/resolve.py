"""The topics and groups a migration means, read from the live source. Pure: it is handed what reads the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kafka_ferry.core.group_types import OtherGroup
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


class Source(Protocol):
    """The admin calls needed here; ``hooks.kafka.admin.KafkaAdmin`` has them."""

    def topic_names(self) -> list[str]: ...

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]: ...

    def all_groups(self) -> tuple[dict[str, str], dict[str, OtherGroup]]: ...

    def can_name(self, group: str) -> bool: ...

    def committed(self, groups: Iterable[str]) -> dict[str, dict[Partition, int]]: ...


@dataclass(frozen=True)
class ResolvedTopics:
    """Topics to migrate, as they are on the source."""

    selection: Selection
    topics: Mapping[str, TopicState]

    @property
    def partitions(self) -> list[Partition]:
        return [(name, p) for name, topic in self.topics.items() for p in range(topic.partitions)]

    def targets(self, spec: MigrationSpec) -> dict[str, str]:
        """Source topic to target topic."""
        return {name: spec.target_topic(name) for name in self.topics}


@dataclass(frozen=True)
class ResolvedGroups:
    """Groups to migrate with their commits on the migrated topics; groups without any are not carried by anyone.

    :param states: ``EMPTY``, ``STABLE`` …
    :param others: groups of other types that the params mean: nobody carries them, and they are named.
    :param names: every group of the source, of any type.
    """

    selection: Selection
    committed: Mapping[str, Mapping[Partition, int]]
    states: Mapping[str, str]
    others: Mapping[str, OtherGroup] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

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
    return ResolvedTopics(selection, source.topics(selection.names))


def resolve_groups(spec: MigrationSpec, source: Source, topics: Mapping[str, TopicState]) -> ResolvedGroups:
    """Which groups the spec means now. No group at all is fine."""
    states, others = source.all_groups()
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
    committed = {
        group: {tp: offset for tp, offset in offsets.items() if tp[0] in topics}
        for group, offsets in source.committed(selection.names).items()
    }
    return ResolvedGroups(
        selection,
        {group: offsets for group, offsets in committed.items() if offsets},
        states,
        {name: others[name] for name in selection.others},
        frozenset([*states, *others]),
    )
