"""Ask the live clusters and workers who else copies the same topics."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping

from kafka_ferry.core.finding import Finding, worst_first
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import BadConnection, NotAuthorized
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.internal_topics import InternalTopic, kind_and_alias, topic_of_key
from kafka_ferry.jobs.migration.rules.replicators import (
    GroupFacts,
    OtherConnector,
    Ours,
    addresses,
    connector_findings,
    group_replicators,
)
from kafka_ferry.jobs.migration.rules.traces import internal_topic_findings, unseen

_WITNESSES = 2000  # last records of an internal topic that tell which topics it speaks of
_INTERNAL_TOPICS = 50


class OtherReplicators:
    """What the live systems say about others that copy the topics of one migration. Changes nothing.

    :param now_ms: the time to compare their last writes with, ms since 1970; default: now.
    """

    def __init__(self, migration: Migration, now_ms: int | None = None) -> None:
        self._migration, self._now = migration, round(time.time() * 1000) if now_ms is None else now_ms
        self._source, self._target = KafkaSurvey.of(migration.source), KafkaSurvey.of(migration.target)

    def findings(self) -> list[Finding]:
        """All findings, the worst first."""
        ours, connectors = self._ours(), self.connectors()
        known = {connector.offset_syncs[1] for connector in connectors if connector.is_mirror}
        names = self._migration.target.admin.topic_names()
        found = connector_findings(ours, connectors) + group_replicators(self._groups())
        for cluster in (self._migration.source, self._migration.target):
            there = names if cluster is self._migration.target else cluster.admin.topic_names()
            try:
                internal = self._internal_topics(cluster, there, known)
            except (BadConnection, NotAuthorized) as error:  # no right is needed here for the migration itself
                found.append(unseen(cluster.conn_id, error))
            else:
                found += internal_topic_findings(ours, internal, known, names)
        return worst_first(found)

    def _ours(self) -> Ours:
        migration = self._migration
        engine, connect = engine_of(migration), migration.connect
        cluster_id = migration.target.admin.describe_cluster().cluster_id
        return Ours(
            connectors=engine.connectors,
            running=engine.is_there(),
            alias=migration.spec.alias,
            own_topics=engine.own_topics(),
            topics=migration.topics.targets(migration.spec),
            addresses=self._target.brokers()[1] | _bootstrap(migration.target),
            source_addresses=self._source.brokers()[1] | _bootstrap(migration.source),
            worker_on_target=connect is not None and connect.info().kafka_cluster_id == cluster_id,
        )

    def connectors(self) -> list[OtherConnector]:
        """All connectors of the Connect cluster, in one request (``expand``: KIP-465); none when none is named."""
        if self._migration.connect is None:
            return []
        found = self._migration.connect.rest.request("GET", "/connectors", params={"expand": ["info", "status"]})
        return [
            OtherConnector(name, about["status"]["connector"]["state"], about["info"]["config"])
            for name, about in found.items()
        ]

    def _internal_topics(
        self, cluster: KafkaClusterHook, names: Iterable[str], known: Collection[str]
    ) -> list[InternalTopic]:
        """Topics of MirrorMaker 2s that this Connect cluster does not run: those that it runs may end meanwhile."""
        about = {name: kind_and_alias(name) for name in names}
        found = {
            name: kind for name, kind in about.items() if kind and not (kind[0] == "offset-syncs" and kind[1] in known)
        }
        chosen = cluster.admin.topics(sorted(found)[:_INTERNAL_TOPICS])
        partitions = _partitions(chosen)
        begins = cluster.admin.offsets(partitions, "earliest", "read_uncommitted")
        ends = cluster.admin.offsets(partitions, "latest", "read_uncommitted")
        wanted = {tp: range(max(begins[tp], ends[tp] - _WITNESSES), ends[tp]) for tp in partitions}
        spoken: dict[str, set[str]] = {name: set() for name in chosen}
        newest: dict[str, int] = {}
        with cluster.reader("read_uncommitted") as reader:
            for (name, _, _), record in reader.read_records(wanted).items():
                newest[name] = max(record.timestamp_ms, newest.get(name, 0))
                topic = topic_of_key(found[name][0], record.key)
                if topic is not None:
                    spoken[name].add(topic)
        result = []
        for name in chosen:
            silent = max(0.0, (self._now - newest[name]) / 1000) if name in newest else None
            on_target = cluster is self._migration.target
            result.append(InternalTopic(name, on_target, *found[name], frozenset(spoken[name]), silent))
        return result

    def _groups(self) -> list[GroupFacts]:
        """Groups with members that have commits on every partition of some of the topics: of all, if there are few."""
        topics = self._migration.topics.topics
        states = self._migration.source.admin.consumer_groups()
        ours = engine_of(self._migration).groups
        alive = [group for group, state in states.items() if state not in ("EMPTY", "DEAD") and group not in ours]
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
    return addresses(servers)
