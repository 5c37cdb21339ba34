"""The clusters of one migration, and what a run of it is about; what moves the records stands in ``hooks/engines``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.group_types import SHARE
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.streams_application import StreamsApplication, applications
from kafka_ferry.core.topics import TopicState
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader, headers_of
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.migration.live.msk_target import ask_msk_target
from kafka_ferry.jobs.migration.live.refused_configs import ask_for_refused
from kafka_ferry.jobs.migration.rules.canary import canary_topic
from kafka_ferry.jobs.migration.rules.msk_limits import MskTarget
from kafka_ferry.jobs.migration.rules.provision import desired_topics
from kafka_ferry.jobs.migration.rules.refused_configs import RefusedConfigs
from kafka_ferry.jobs.migration.rules.resolve import ResolvedGroups, ResolvedTopics, resolve_groups, resolve_topics
from kafka_ferry.jobs.migration.rules.sample import Sample, Sampling
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, ProvisionThrough
from kafka_ferry.jobs.migration.rules.specs import spec_of
from kafka_ferry.records.batch_messages import BatchMessage
from kafka_ferry.records.content import PartitionRange

_SAMPLE = 100  # records of a topic's largest partition that tell its mean record size


class Migration:
    """What every task derives its truth from: the spec and the live systems, asked once per task.

    :param dag_id: part of the names of what runs, with the param ``migration``.
    :ivar canary: its canary's name on the source.
    :ivar connect: the Connect cluster to run on, or to look for other replicators on; None when none was named.
    """

    def __init__(self, dag_id: str, spec: MigrationSpec) -> None:
        self.spec = spec
        self.name = f"{dag_id}.{spec.migration}"
        self.canary = canary_topic(spec.migration, dag_id)
        self.source = KafkaClusterHook(spec.source_conn_id, spec.headers_left_out)
        self.target = KafkaClusterHook(spec.target_conn_id, spec.headers_left_out)
        self.connect = ConnectHook(spec.connect_conn_id) if spec.connect_conn_id else None

    @cached_property
    def topics(self) -> ResolvedTopics:
        return resolve_topics(self.spec, self.source.admin)

    @cached_property
    def groups(self) -> ResolvedGroups:
        return resolve_groups(self.spec, self.source.admin, self.topics.topics, self.no_share_starts)

    @property
    def applications(self) -> list[StreamsApplication]:
        """Kafka Streams applications of the source."""
        topics, groups = self.topics, self.groups
        types = groups.types
        # What any of these are called is no application's id.
        states = {name: state for name, state in groups.all_states.items() if types.get(name) not in (SHARE, "connect")}
        compacted = {name for name, topic in topics.topics.items() if topic.compacted}
        return applications(topics.names, states, types, groups.reads, compacted)

    def no_share_starts(self) -> str:
        """Why starts of share groups cannot be set on the target; empty where they can."""
        return self.target.admin.no_share_starts

    def target_topics(self) -> dict[str, TopicState]:
        """Those of the migration's target topics that exist, by target name."""
        return self.target.admin.topics(self.topics.targets(self.spec).values())

    @cached_property
    def refused_configs(self) -> RefusedConfigs:
        """What the target does not take of the topics' configs; with MSK's topic API its brokers are not asked."""
        desired, msk = desired_topics(self.spec, self.topics.topics.values()), self.msk_target
        if self.spec.provision_through is not ProvisionThrough.KAFKA:
            return msk.refused(desired, {}) if msk else RefusedConfigs()
        existing = self.target_topics()
        asked = ask_for_refused(KafkaSurvey.of(self.target), desired, existing)
        return asked.also(msk.refused(desired, existing)) if msk else asked

    @cached_property
    def msk_target(self) -> MskTarget | None:
        """What kind of MSK cluster the target is; None: none."""
        return ask_msk_target(self.spec, self.target)

    def desired_topics(self, source: Iterable[TopicState]) -> list[DesiredTopic]:
        """Source topics as they should be on the target, without what param ``refused_configs`` leaves out."""
        desired = desired_topics(self.spec, source)
        return self.refused_configs.without(desired) if self.spec.refused_configs == "skip" else desired

    def prober(self) -> Callable[[Mapping[Partition, tuple[int, int]]], set[Partition]]:
        """Reads under the engine's isolation level whether anything is left in a range."""

        def probe(ranges: Mapping[Partition, tuple[int, int]]) -> set[Partition]:
            with self.source.reader(self.spec.isolation_level, few=True) as reader:
                first = reader.probe([PartitionRange(*tp, *ends) for tp, ends in ranges.items()])
            return {tp for tp, offset in first.items() if offset is None}

        return probe

    @cached_property
    def sampled(self) -> dict[str, Sample]:
        """Some records of each topic as it is now; topics without records are left out."""
        admin, level = self.source.admin, self.spec.isolation_level
        places = self.topics.partitions
        return self.sample(admin.offsets(places, "earliest", level), admin.offsets(places, "latest", level))

    def record_bytes(self, begins: Mapping[Partition, int], ends: Mapping[Partition, int]) -> dict[str, float]:
        """Mean bytes of key and value by topic, from a sample; topics without records are left out."""
        return {topic: one.bytes / one.records for topic, one in self.sample(begins, ends).items()}

    def sample(self, begins: Mapping[Partition, int], ends: Mapping[Partition, int]) -> dict[str, Sample]:
        """The first hundred records of each topic's largest partition."""
        largest: dict[str, Partition] = {}
        for tp in ends:
            if ends[tp] > begins[tp]:
                best = largest.get(tp[0], tp)
                largest[tp[0]] = max(best, tp, key=lambda item: ends[item] - begins[item])
        ranges = [PartitionRange(*tp, begins[tp], min(ends[tp], begins[tp] + _SAMPLE)) for tp in largest.values()]
        with self.source.reader(self.spec.isolation_level, few=True) as reader:
            return samples(reader, ranges)


def migration_of(context: Mapping[str, Any], engine: str) -> Migration:
    """The migration of the run a task belongs to.

    :param engine: what moves the records; decides which params there are.
    :raises BadParam: the run's params cannot work.
    """
    return Migration(context["dag_run"].dag_id, spec_of(engine).from_params(context["params"]))


def samples(reader: LibrdkafkaReader, ranges: Sequence[PartitionRange]) -> dict[str, Sample]:
    """By topic; those without a record in their range are left out.

    :param ranges: one of each topic. Of the records of a range one is kept in memory.
    """
    found = {span.topic: Sampling(span.partition) for span in ranges}
    for (topic, _), messages in reader.stream(ranges):
        for one in messages:
            headers = [(name.encode("utf-8", "surrogateescape"), value) for name, value in headers_of(one) or ()]
            batch = one.batch() if isinstance(one, BatchMessage) else None
            found[topic].take(one.offset() or 0, one.key(), one.value(), headers, batch)
    return {topic: sample for topic, one in found.items() if (sample := one.sample())}
