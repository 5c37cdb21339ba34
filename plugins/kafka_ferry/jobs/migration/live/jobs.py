"""What to compare, asked from the live clusters in the order that keeps live traffic from looking like a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.engines.registry import engine_kind
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.records.job import PartitionJob
from kafka_ferry.records.topic_job import TopicJob
from kafka_ferry.records.translate import GroupMark


def by_topic(migration: Migration) -> bool:
    """Whether whole topics are compared, as records may have changed their partition."""
    spec = migration.spec
    if isinstance(spec, ComparisonSpec):
        return spec.any_partition
    return not engine_kind(spec.engine).keeps_partitions


def jobs_of(
    migration: Migration, frozen: Frozen, partitions: Sequence[Partition]
) -> Sequence[PartitionJob] | Sequence[TopicJob]:
    """What to compare of these partitions; of whole topics they are all there are."""
    if by_topic(migration):
        return topic_jobs(migration, frozen, partitions)
    return partition_jobs(migration, frozen, partitions)


def topic_jobs(migration: Migration, frozen: Frozen, partitions: Sequence[Partition]) -> list[TopicJob]:
    """One job per topic that exists on both sides, over all partitions of each. Missing ones are found elsewhere."""
    spec = migration.spec
    source_topics = migration.source.admin.topics({topic for topic, _ in partitions})
    target_topics = migration.target.admin.topics({spec.target_topic(name) for name in source_topics})
    pairs = {
        name: (topic, target_topics[spec.target_topic(name)])
        for name, topic in source_topics.items()
        if spec.target_topic(name) in target_topics
    }
    # Also partitions that the source got since the freeze: nothing of theirs must have arrived, but it may have.
    ours = [(name, number) for name, (source, _) in pairs.items() for number in range(source.partitions)]
    theirs = [(target.name, number) for _, target in pairs.values() for number in range(target.partitions)]
    target_begins = migration.target.admin.offsets(theirs, "earliest", "read_committed")
    target_ends = migration.target.admin.offsets(theirs, "latest", "read_committed")
    source_begins = migration.source.admin.offsets(ours, "earliest", spec.isolation_level)
    source_ends = migration.source.admin.offsets(ours, "latest", spec.isolation_level)
    return [
        TopicJob(
            source_topic=name,
            target_topic=target.name,
            source=tuple(
                (tp[1], source_begins[tp], frozen.ends.get(tp, source_begins[tp]), source_ends[tp])
                for tp in ours
                if tp[0] == name
            ),
            target=tuple(
                (number, target_begins[target.name, number], target_ends[target.name, number])
                for number in range(target.partitions)
            ),
            mode="last_value" if source.compacted else "multiset",
            with_timestamp=source.has_writers_time and target.has_writers_time,
            duplicates=spec.duplicates,
        )
        for name, (source, target) in pairs.items()
    ]


def partition_jobs(migration: Migration, frozen: Frozen, partitions: Sequence[Partition]) -> list[PartitionJob]:
    """One job per partition that exists on both sides. Missing ones are found by the topics and partitions checks."""
    spec = migration.spec
    names = {topic for topic, _ in partitions}
    source_topics = migration.source.admin.topics(names)
    target_topics = migration.target.admin.topics({spec.target_topic(name) for name in names})
    both = [tp for tp in partitions if _exists(tp, source_topics, target_topics, spec.target_topic(tp[0]))]
    mapped = {tp: (spec.target_topic(tp[0]), tp[1]) for tp in both}
    marks = _marks(migration, mapped)
    target_begins = migration.target.admin.offsets(mapped.values(), "earliest", "read_committed")
    target_ends = migration.target.admin.offsets(mapped.values(), "latest", "read_committed")
    source_begins = migration.source.admin.offsets(both, "earliest", spec.isolation_level)
    source_ends = migration.source.admin.offsets(both, "latest", spec.isolation_level)
    jobs = []
    for tp, target in mapped.items():
        pair = source_topics[tp[0]], target_topics[target[0]]
        jobs.append(
            PartitionJob(
                source_topic=tp[0],
                target_topic=target[0],
                partition=tp[1],
                source_begin=source_begins[tp],
                frozen_end=frozen.ends[tp],
                source_end=source_ends[tp],
                target_begin=target_begins[target],
                target_end=target_ends[target],
                # By the source: where only the target compacts, what its cleaner removed is lost, and must be said.
                mode="last_value" if pair[0].compacted else "ordered",
                with_timestamp=all(topic.has_writers_time for topic in pair),
                duplicates=spec.duplicates,
                marks=tuple(marks.get(tp, ())),
            )
        )
    return jobs


def _exists(tp: Partition, source: Mapping[str, TopicState], target: Mapping[str, TopicState], name: str) -> bool:
    return tp[0] in source and name in target and tp[1] < min(source[tp[0]].partitions, target[name].partitions)


def _marks(migration: Migration, mapped: Mapping[Partition, Partition]) -> dict[Partition, list[GroupMark]]:
    names, kinds = list(migration.groups.committed), migration.groups.kinds
    source = GroupPositions(migration.source.admin, kinds)
    # The target's first: a group at work on the source is carried on meanwhile, and must not seem ahead.
    on_target = GroupPositions(migration.target.admin, kinds).commits(names)
    committed = source.commits(names)
    acknowledged = source.acknowledged(committed, mapped)
    marks: dict[Partition, list[GroupMark]] = {}
    for group, offsets in committed.items():
        for tp, commit in offsets.items():
            if tp in mapped:
                there = on_target[group].get(mapped[tp])
                mark = GroupMark(
                    group, commit.offset, there.offset if there else None, commit.metadata,
                    there.metadata if there else "", kinds.get(group, ""), acknowledged.get(group, {}).get(tp),
                )  # fmt: skip
                marks.setdefault(tp, []).append(mark)
    return marks
