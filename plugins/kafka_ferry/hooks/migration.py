"""The outside systems of one migration: both clusters and, for MirrorMaker 2 on Connect, the workers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from kafka_ferry.connectors.mirror_maker2 import MirrorIntent, configs, residue_topics
from kafka_ferry.connectors.throughput import PROFILES
from kafka_ferry.hooks.connect import ConnectHook
from kafka_ferry.hooks.kafka import KafkaClusterHook
from kafka_ferry.hooks.progress import ConnectProgress
from kafka_ferry.migration.canary import canary_topic, other_canaries
from kafka_ferry.migration.convergence import Partition
from kafka_ferry.migration.resolve import ResolvedGroups, ResolvedTopics, resolve_groups, resolve_topics
from kafka_ferry.migration.spec import ComparisonSpec, MigrationSpec, Naming
from kafka_ferry.migration.topics import TopicState
from kafka_ferry.verification.content import PartitionRange

_SAMPLE = 100  # records of a topic's largest partition that tell its mean record size


class Migration:
    """What every task derives its truth from: the spec and the live systems, asked once per task.

    :param dag_id: part of the connectors' names, with the param ``migration``.
    """

    def __init__(self, dag_id: str, spec: MigrationSpec) -> None:
        self.spec = spec
        self.name = f"{dag_id}.{spec.migration}"
        self.source = KafkaClusterHook(spec.source_conn_id)
        self.target = KafkaClusterHook(spec.target_conn_id)
        self.connect = ConnectHook(spec.connect_conn_id)

    @cached_property
    def topics(self) -> ResolvedTopics:
        return resolve_topics(self.spec, self.source.admin)

    @cached_property
    def groups(self) -> ResolvedGroups:
        return resolve_groups(self.spec, self.source.admin, self.topics.topics)

    def target_topics(self) -> dict[str, TopicState]:
        """Those of the migration's target topics that exist, by target name."""
        return self.target.admin.topics(self.topics.targets(self.spec).values())

    def intent(self) -> MirrorIntent:
        """What MirrorMaker 2 shall do, from the spec and the clusters."""
        spec, topics, groups = self.spec, self.topics, self.groups
        sizes = [int(topic.effective.get("max.message.bytes", 0)) for topic in topics.topics.values()]
        return MirrorIntent(
            name=self.name,
            source_alias=spec.alias,
            target_alias="target",
            source=self.connect.client_settings(spec.source_conn_id),
            target=self.connect.client_settings(spec.target_conn_id),
            topics=[*topics.selection.patterns, *([re.escape(canary_topic(spec.migration))] * spec.canary)],
            topics_exclude=[*topics.selection.exclude_patterns, other_canaries(spec.migration)],
            groups=groups.selection.patterns,
            groups_exclude=groups.selection.exclude_patterns,
            tasks_max=spec.tasks_max,
            throughput=spec.throughput.value,
            isolation_level=spec.isolation_level,
            prefix=spec.naming is Naming.PREFIX,
            replication_factor=spec.replication_factor or -1,
            max_record_bytes=max(sizes),
            sync_configs=spec.keep_replicating,
            heartbeats=spec.heartbeats,
        )

    def connector_configs(self) -> dict[str, dict[str, str]]:
        return configs(self.intent())

    @property
    def connector_names(self) -> list[str]:
        """All connectors this migration may have made; known without asking anyone."""
        return [f"{self.name}.Mirror{kind}Connector" for kind in ("Source", "Checkpoint", "Heartbeat")]

    def expected_tasks(self) -> dict[str, int]:
        """Connector to the number of tasks that must run."""
        spec = self.spec
        source, checkpoint, heartbeat = self.connector_names
        expected = {
            source: min(PROFILES[spec.throughput].tasks(spec.tasks_max), len(self.topics.partitions)),
            checkpoint: min(spec.tasks_max, len(self.groups.committed)),
            heartbeat: 1,
        }
        return {name: expected[name] for name in self.wanted_connectors}

    @property
    def wanted_connectors(self) -> list[str]:
        """Those of ``connector_names`` that the spec asks for."""
        source, checkpoint, heartbeat = self.connector_names
        return [source] + [checkpoint] * bool(self.spec.groups) + [heartbeat] * self.spec.heartbeats

    def progress(self) -> ConnectProgress:
        return ConnectProgress(self.connect, self.connector_names[0], self.spec.alias, self.wanted_connectors)

    def residue(self) -> tuple[str, ...]:
        """Topics of MirrorMaker 2's own that this migration leaves on the target."""
        return residue_topics(self.spec.alias)

    def heartbeats_are_ours(self) -> bool:
        """Whether every record of the target's ``heartbeats`` topic carries this migration's alias.

        The topic's name is the same for every MirrorMaker 2, so another one may be using it. Record keys: source and
        target alias (``Heartbeat.KEY_SCHEMA``: two strings, each after its length as int16, big-endian).
        """
        if "heartbeats" not in self.target.admin.topic_ids(["heartbeats"]):
            return False
        begins = self.target.admin.offsets([("heartbeats", 0)], "earliest", "read_uncommitted")
        ends = self.target.admin.offsets([("heartbeats", 0)], "latest", "read_uncommitted")
        tp = ("heartbeats", 0)
        with self.target.reader("read_uncommitted") as reader:
            records = reader.read_records({tp: range(begins[tp], ends[tp])})
        own = self.spec.alias.encode()
        prefix = len(own).to_bytes(2, "big") + own
        return all((record.key or b"").startswith(prefix) for record in records.values())

    def prober(self) -> Callable[[Mapping[Partition, tuple[int, int]]], set[Partition]]:
        """Reads under the engine's isolation level whether anything is left in a range."""

        def probe(ranges: Mapping[Partition, tuple[int, int]]) -> set[Partition]:
            with self.source.reader(self.spec.isolation_level, few=True) as reader:
                first = reader.probe([PartitionRange(*tp, *ends) for tp, ends in ranges.items()])
            return {tp for tp, offset in first.items() if offset is None}

        return probe

    def record_bytes(self, begins: Mapping[Partition, int], ends: Mapping[Partition, int]) -> dict[str, float]:
        """Mean bytes of key and value by topic, from a sample; topics without records are left out."""
        largest: dict[str, Partition] = {}
        for tp in ends:
            if ends[tp] > begins[tp]:
                best = largest.get(tp[0], tp)
                largest[tp[0]] = max(best, tp, key=lambda item: ends[item] - begins[item])
        ranges = [PartitionRange(*tp, begins[tp], min(ends[tp], begins[tp] + _SAMPLE)) for tp in largest.values()]
        with self.source.reader(self.spec.isolation_level, few=True) as reader:
            contents = reader.read(ranges)
        return {topic: content.bytes / len(content) for (topic, _), content in contents.items() if len(content)}


def migration_of(context: Mapping[str, Any]) -> Migration:
    """The migration of the run a task belongs to.

    :raises BadParam: the run's params cannot work.
    """
    params = context["params"]
    kind = ComparisonSpec if "rename" in params else MigrationSpec
    return Migration(context["dag_run"].dag_id, kind.from_params(params))
