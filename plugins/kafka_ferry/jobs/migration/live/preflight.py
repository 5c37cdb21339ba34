"""Ask the live clusters and workers what preflight must know, in a fixed number of calls whatever the size."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cached_property

from kafka_ferry.core.finding import Finding, worst_first
from kafka_ferry.core.group_types import SHARE, STREAMS, AllGroups, has_members, other_group_findings, taken_names
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.retention import configs_after, topic_defaults
from kafka_ferry.core.streams_application import application_findings
from kafka_ferry.core.unmatched import unmatched_findings
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.permissions import Permissions
from kafka_ferry.jobs.migration.live.quotas import quota_findings
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.rules.collisions import collision_findings
from kafka_ferry.jobs.migration.rules.large_records import record_findings
from kafka_ferry.jobs.migration.rules.preflight import (
    TopicFacts,
    cutoffs,
    group_findings,
    size_findings,
    streams_group_findings,
    to_lift,
    topic_findings,
)
from kafka_ferry.jobs.migration.rules.share_groups import ShareGroup, share_group_findings

_KEYS_PER_END = 20  # records looked at for a null key, at each end of a partition
_PARTITIONS_PER_TOPIC = 4


class Preflight:
    """What the live systems say about one migration. Changes nothing.

    :param now_ms: the time to compare records with, ms since 1970; default: now.
    :param permissions: to ask also whether what must be changed may be changed.
    """

    def __init__(self, migration: Migration, now_ms: int | None = None, permissions: Permissions | None = None) -> None:
        self._migration, self._spec, self._permissions = migration, migration.spec, permissions
        self._now = int(time.time() * 1000) if now_ms is None else now_ms
        self._source, self._target = KafkaSurvey.of(migration.source), KafkaSurvey.of(migration.target)

    def findings(self) -> list[Finding]:
        """All findings, the worst first."""
        holds = self._spec.hold_retention and not self._spec.keep_replicating
        skipped = [item.name for item in self._migration.groups.selection.skipped if item.name.startswith("connect-")]
        facts = self.topic_facts()
        rights = self._permissions.findings_for(facts, self._migration.groups.committed) if self._permissions else []
        return worst_first(
            [
                *rights,
                *topic_findings(facts, hold=holds),
                *self._sizes(facts, holds),
                *OtherReplicators(self._migration, self._now).findings(),
                *self._refused_configs(),
                *self._msk_limits(facts),
                *self._collisions(),
                *self._unmatched(),
                *group_findings(self._migration.groups.selection, self._on_our_topics(skipped)),
                *other_group_findings(self._migration.groups.others),
                *self._share_groups(),
                *self._set_there(),
                *self._applications(),
                *quota_findings(self._migration),
            ]
        )

    def _sizes(self, facts: list[TopicFacts], holds: bool) -> list[Finding]:
        # Missing rights are told elsewhere; a policy, or a managed service's own limits, by asking.
        refused = self._target.try_configs(to_lift(facts), validate_only=True) if holds else {}
        broker, engine = self._target.brokers()[0], engine_of(self._migration)
        limits, codec = engine.size_limits(), engine.codec
        large = record_findings(facts, self._migration.sampled, broker, refused, limits, codec, hold=holds)
        return [*size_findings(facts, broker, refused, hold=holds), *large]

    def _refused_configs(self) -> list[Finding]:
        skip = self._spec.refused_configs == "skip"
        return self._migration.refused_configs.findings(self._spec.target_conn_id, skip=skip)

    def _msk_limits(self, facts: list[TopicFacts]) -> list[Finding]:
        if not (msk := self._migration.msk_target):
            return []
        desired, groups = [one.desired for one in facts], len(self._migration.groups.committed)
        existing = {one.desired.name: one.existing for one in facts if one.existing}
        return msk.findings(self._spec, desired, existing, groups)

    def _collisions(self) -> list[Finding]:
        spec, canary = self._spec, self._migration.canary
        own = [*engine_of(self._migration).own_topics(), *([spec.target_topic(canary)] if spec.canary else [])]
        targets = self._migration.topics.targets(spec)
        return collision_findings(spec, targets, own, self._target.topic_names())

    def _unmatched(self) -> list[Finding]:
        topics, groups = self._migration.topics.selection.unmatched, self._migration.groups
        named = [entry for entry in groups.selection.unmatched if entry != ".*"]
        there = self._migration.source.admin.topic_names() if topics else []
        return [*unmatched_findings("topics", topics, there), *unmatched_findings("groups", named, groups.states)]

    def _share_groups(self) -> list[Finding]:
        groups, topics = self._migration.groups, self._migration.topics
        meant = [name for name in groups.selection.names if groups.kinds.get(name) == SHARE]
        if not meant:
            return []
        positions = GroupPositions(self._migration.source.admin, groups.kinds)
        starts = positions.commits(groups.shares)
        done = positions.acknowledged(starts, topics.partitions)
        makes = self._migration.target.admin.capabilities.makes_share_groups
        facts = []
        for name in meant:
            here = done.get(name, {})
            mine = {topic for topic, _ in here}
            facts.append(
                ShareGroup(
                    name, len(here), None if None in here.values() else sum(filter(None, here.values())),
                    [tp for tp in topics.partitions if tp[0] in mine and tp not in here],
                    has_members(groups.states[name]), makes or name in self._on_target.others,
                )
            )  # fmt: skip
        return share_group_findings(facts, goes_on=self._spec.keep_replicating)

    def _set_there(self) -> list[Finding]:
        groups = self._migration.groups
        carried = {group: groups.types.get(group, "") for group in groups.committed}
        if not carried:
            return []
        admin, there = self._migration.target.admin, self._on_target.others
        streams = [name for name, kind in carried.items() if kind == STREAMS and name not in there]
        old = streams_group_findings(streams) if streams and not admin.capabilities.takes_groups_over else []
        return [*taken_names(carried, self._on_target), *old]

    @cached_property
    def _on_target(self) -> AllGroups:
        return self._migration.target.admin.all_groups()

    def _applications(self) -> list[Finding]:
        migration = self._migration
        selected, carried = migration.topics.topics, migration.groups.committed
        return application_findings(migration.applications, selected, carried, self._spec.target_topic)

    def _on_our_topics(self, groups: Iterable[str]) -> list[str]:
        mine = self._migration.topics.topics
        committed = self._migration.source.admin.committed(groups)
        return [group for group, offsets in committed.items() if any(tp[0] in mine for tp in offsets)]

    # -- topics --------------------------------------------------------------------------------------------------------

    def topic_facts(self, *, with_keys: bool = True) -> list[TopicFacts]:
        """Each topic of the migration on both sides.

        :param with_keys: read a sample of records for null keys, where the target is compacted.
        """
        states = self._migration.topics.topics
        existing = self._migration.target_topics()
        desired = {topic.source: topic for topic in self._migration.desired_topics(states.values())}
        defaults = topic_defaults(self._target.brokers()[0])
        configs = {name: configs_after(topic, existing.get(topic.name), defaults) for name, topic in desired.items()}
        wanted = {name: cutoffs(state, configs[name], self._now) for name, state in states.items()}
        counts = {
            kind: self._records_before({name: getattr(moment, kind) for name, moment in wanted.items()})
            for kind in ("expiring", "soon", "overdue", "too_old")
        }
        future = self._records_since({name: moment.in_future for name, moment in wanted.items()})
        compacting = [name for name in states if "compact" in configs[name].get("cleanup.policy", "")]
        keys = self._null_keys(compacting) if with_keys else {}
        return [
            TopicFacts(
                source=state,
                desired=desired[name],
                existing=existing.get(desired[name].name),
                configs=configs[name],
                expiring=counts["expiring"].get(name, 0),
                soon=counts["soon"].get(name, 0),
                overdue=counts["overdue"].get(name, 0),
                too_old=counts["too_old"].get(name, 0),
                in_future=future.get(name, 0),
                sampled=keys.get(name, (0, 0))[0],
                null_keys=keys.get(name, (0, 0))[1],
            )
            for name, state in states.items()
        ]

    @cached_property
    def _begins(self) -> dict[Partition, int]:
        admin, level = self._migration.source.admin, self._spec.isolation_level
        return admin.offsets(self._migration.topics.partitions, "earliest", level)

    @cached_property
    def _ends(self) -> dict[Partition, int]:
        admin, level = self._migration.source.admin, self._spec.isolation_level
        return admin.offsets(self._migration.topics.partitions, "latest", level)

    def _records_before(self, times: Mapping[str, int | None]) -> dict[str, int]:
        """By topic how many records stand before the first one that is of its time or later."""
        counts: dict[str, int] = {}
        for tp, offset in self._offsets_at(times).items():
            first = self._ends[tp] if offset is None else offset
            counts[tp[0]] = counts.get(tp[0], 0) + max(0, first - self._begins[tp])
        return counts

    def _records_since(self, times: Mapping[str, int | None]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for tp, offset in self._offsets_at(times).items():
            if offset is not None:
                counts[tp[0]] = counts.get(tp[0], 0) + max(0, self._ends[tp] - offset)
        return counts

    def _offsets_at(self, times: Mapping[str, int | None]) -> dict[Partition, int | None]:
        asked = {
            tp: moment
            for tp in self._migration.topics.partitions
            if (moment := times[tp[0]]) is not None and self._ends[tp] > self._begins[tp]
        }
        return self._source.offsets_at(asked)

    def _null_keys(self, topics: Iterable[str]) -> dict[str, tuple[int, int]]:
        """By topic how many records were looked at and how many of them have no key."""
        wanted: dict[Partition, list[int]] = {}
        for name in topics:
            mine = [(name, place) for place in range(self._migration.topics.topics[name].partitions)]
            for tp in [tp for tp in mine if self._ends[tp] > self._begins[tp]][:_PARTITIONS_PER_TOPIC]:
                begin, end = self._begins[tp], self._ends[tp]
                head = set(range(begin, min(end, begin + _KEYS_PER_END)))
                wanted[tp] = sorted(head | set(range(max(begin, end - _KEYS_PER_END), end)))
        if not wanted:
            return {}
        result: dict[str, tuple[int, int]] = {}
        with self._migration.source.reader(self._spec.isolation_level, few=True) as reader:
            for (topic, _, _), record in reader.read_records(wanted).items():
                seen, bare = result.get(topic, (0, 0))
                result[topic] = seen + 1, bare + (record.key is None)
        return result
