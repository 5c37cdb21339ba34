"""Ask the live clusters and workers what preflight must know, in a fixed number of calls whatever the size."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cached_property

from kafka_ferry.hooks.kafka import KafkaClusterHook
from kafka_ferry.hooks.kafka_survey import KafkaSurvey
from kafka_ferry.hooks.migration import Migration
from kafka_ferry.migration.convergence import Partition
from kafka_ferry.migration.finding import Finding, worst_first
from kafka_ferry.migration.internal_topics import InternalTopic, kind_and_alias, topic_of_key
from kafka_ferry.migration.preflight import NOT_SEEN, TopicFacts, group_findings, moments, topic_findings
from kafka_ferry.migration.provision import desired_topics
from kafka_ferry.migration.replicators import (
    GroupFacts,
    OtherConnector,
    Ours,
    connector_findings,
    group_replicators,
    internal_topic_findings,
)
from kafka_ferry.migration.retention import configs_after, topic_defaults
from kafka_ferry.migration.topics import TopicState

_KEYS_PER_END = 20  # records looked at for a null key, at each end of a partition
_PARTITIONS_PER_TOPIC = 4
_WITNESSES = 2000  # last records of an internal topic that tell which topics it speaks of
_INTERNAL_TOPICS = 50


class Preflight:
    """What the live systems say about one migration. Changes nothing.

    :param now_ms: the time to hold records against, ms since 1970; default: now.
    """

    def __init__(self, migration: Migration, now_ms: int | None = None) -> None:
        self._migration, self._spec = migration, migration.spec
        self._now = int(time.time() * 1000) if now_ms is None else now_ms
        self._source, self._target = KafkaSurvey.of(migration.source), KafkaSurvey.of(migration.target)

    def findings(self) -> list[Finding]:
        """All findings, the worst first."""
        holds = self._spec.hold_retention and not self._spec.keep_replicating
        skipped = [item.name for item in self._migration.groups.selection.skipped if item.name.startswith("connect-")]
        return worst_first(
            [
                *topic_findings(self.topic_facts(), hold=holds),
                *self.other_replicators(),
                *group_findings(self._migration.groups.selection, self._on_our_topics(skipped)),
                NOT_SEEN,
            ]
        )

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
        desired = {topic.source: topic for topic in desired_topics(self._spec, states.values())}
        defaults = topic_defaults(self._brokers[0])
        configs = {name: configs_after(topic, existing.get(topic.name), defaults) for name, topic in desired.items()}
        wanted = {name: moments(state, configs[name], self._now) for name, state in states.items()}
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
    def _brokers(self) -> tuple[dict[str, str], set[str]]:
        return self._target.brokers()

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
            mine = [tp for tp in self._ends if tp[0] == name and self._ends[tp] > self._begins[tp]]
            for tp in sorted(mine)[:_PARTITIONS_PER_TOPIC]:
                begin, end = self._begins[tp], self._ends[tp]
                head = set(range(begin, min(end, begin + _KEYS_PER_END)))
                wanted[tp] = sorted(head | set(range(max(begin, end - _KEYS_PER_END), end)))
        if not wanted:
            return {}
        result: dict[str, tuple[int, int]] = {}
        with self._migration.source.reader(self._spec.isolation_level) as reader:
            for (topic, _, _), record in reader.read_records(wanted).items():
                seen, bare = result.get(topic, (0, 0))
                result[topic] = seen + 1, bare + (record.key is None)
        return result

    # -- other replicators ---------------------------------------------------------------------------------------------

    def other_replicators(self) -> list[Finding]:
        """Who else copies these topics, or uses our alias."""
        ours, connectors = self._ours(), self._connectors()
        known = {
            connector.config[key]
            for connector in connectors
            for key in ("source.cluster.alias", "target.cluster.alias")
            if key in connector.config and "mirror" in connector.config.get("connector.class", "").lower()
        }
        if ours.running:
            known.add(ours.alias)
        target_names = self._migration.target.admin.topic_names()
        internal = [
            *self._internal_topics(self._migration.source, self._source, self._migration.source.admin.topic_names()),
            *self._internal_topics(self._migration.target, self._target, target_names),
        ]
        return worst_first(
            [
                *connector_findings(ours, connectors),
                *internal_topic_findings(ours, internal, known, target_names),
                *group_replicators(self._groups()),
            ]
        )

    def _ours(self) -> Ours:
        migration = self._migration
        names = migration.connector_names
        cluster_id = migration.target.admin.describe_cluster().cluster_id
        return Ours(
            connectors=names,
            running=bool(set(names) & set(migration.connect.connectors())),
            alias=self._spec.alias,
            topics=migration.topics.targets(self._spec),
            addresses=self._brokers[1] | _bootstrap(migration.target),
            source_addresses=self._source.brokers()[1] | _bootstrap(migration.source),
            worker_on_target=migration.connect.info().kafka_cluster_id == cluster_id,
        )

    def _connectors(self) -> list[OtherConnector]:
        """All connectors of the Connect cluster, in one request (``expand``: KIP-465)."""
        found = self._migration.connect.rest.request("GET", "/connectors", params={"expand": ["info", "status"]})
        return [
            OtherConnector(name, about["status"]["connector"]["state"], about["info"]["config"])
            for name, about in found.items()
        ]

    def _internal_topics(
        self, cluster: KafkaClusterHook, survey: KafkaSurvey, names: Iterable[str]
    ) -> list[InternalTopic]:
        found = {name: about for name in names if (about := kind_and_alias(name)) is not None}
        chosen = cluster.admin.topics(sorted(found)[:_INTERNAL_TOPICS])
        partitions = _partitions(chosen)
        newest = survey.newest(partitions)
        begins = cluster.admin.offsets(partitions, "earliest", "read_uncommitted")
        ends = cluster.admin.offsets(partitions, "latest", "read_uncommitted")
        wanted = {tp: range(max(begins[tp], ends[tp] - _WITNESSES), ends[tp]) for tp in partitions}
        spoken: dict[str, set[str]] = {name: set() for name in chosen}
        with cluster.reader("read_uncommitted") as reader:
            for (name, _, _), record in reader.read_records(wanted).items():
                topic = topic_of_key(found[name][0], record.key)
                if topic is not None:
                    spoken[name].add(topic)
        result = []
        for name in chosen:
            times = [at for tp, at in newest.items() if tp[0] == name and at is not None]
            silent = max(0.0, (self._now - max(times)) / 1000) if times else None
            on_target = cluster is self._migration.target
            result.append(InternalTopic(name, on_target, *found[name], frozenset(spoken[name]), silent))
        return result

    def _groups(self) -> list[GroupFacts]:
        """Groups with members that have commits on every partition of some of the topics: of all, if there are few."""
        topics = self._migration.topics.topics
        states = self._migration.source.admin.consumer_groups()
        alive = [group for group, state in states.items() if state not in ("EMPTY", "DEAD")]
        complete: dict[str, list[str]] = {}
        for group, offsets in self._migration.source.admin.committed(alive).items():
            full = [
                name for name, state in topics.items() if all((name, p) in offsets for p in range(state.partitions))
            ]
            if len(full) >= min(2, len(topics)):
                complete[group] = full
        clients = self._source.client_ids(complete)
        return [GroupFacts(group, full, clients[group]) for group, full in complete.items()]


def _partitions(topics: Mapping[str, TopicState]) -> list[Partition]:
    return [(name, p) for name, state in topics.items() for p in range(state.partitions)]


def _bootstrap(cluster: KafkaClusterHook) -> set[str]:
    servers = cluster.extra.get("bootstrap.servers") or cluster.extra.get("metadata.broker.list") or ""
    return {server.rpartition("://")[2].strip().lower() for server in servers.split(",")}
