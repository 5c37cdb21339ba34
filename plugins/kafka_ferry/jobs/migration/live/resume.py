"""Where the replication of a live migration must resume."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from kafka_ferry.core.finding import refuse
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.migration.live.handed_over import handed_over
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.resume import ForeignData, Side, resume_offsets
from kafka_ferry.jobs.migration.rules.resume_multiset import resume_topics


def resume_of(
    migration: Migration,
    target_topics: Mapping[str, TopicState],
    known: Mapping[Partition, int] | None = None,
    only: Collection[Partition] | None = None,
) -> dict[Partition, int]:
    """Next source offset per partition that already has records on the target.

    :param target_topics: target topics that exist, by name.
    :param known, only: as of ``jobs.migration.rules.resume.resume_offsets``.
    :raises ForeignData: a target topic holds records that are not the source's. ``BadParam``: as applications work
        there by now.
    """
    level, pairs = migration.spec.isolation_level, _pairs(migration, target_topics)
    with (
        _whose(migration),
        _side(migration.source, level) as source,
        _side(migration.target, "read_committed") as target,
    ):
        return resume_offsets(source, target, pairs, level, known, only)


def resume_topics_of(migration: Migration, target_topics: Mapping[str, TopicState]) -> dict[Partition, int]:
    """The same where records may have changed their partition: these topics are read whole, on both sides."""
    level, pairs = migration.spec.isolation_level, _pairs(migration, target_topics)
    with (
        _whose(migration),
        _side(migration.source, level) as source,
        _side(migration.target, "read_committed") as target,
    ):
        return resume_topics(source, target, pairs, level)


@contextmanager
def _whose(migration: Migration) -> Iterator[None]:
    """Foreign records are the applications' own where a cutover has handed the topics over, maybe since the plan."""
    try:
        yield
    except ForeignData:
        refuse(handed_over(migration))
        raise


@contextmanager
def _side(cluster: KafkaClusterHook, level: Literal["read_committed", "read_uncommitted"]) -> Iterator[Side]:
    with cluster.reader(level) as reader, cluster.reader(level, few=True) as few:
        yield Side(cluster.admin, reader, few)


def _pairs(migration: Migration, target_topics: Mapping[str, TopicState]) -> dict[str, tuple[TopicState, TopicState]]:
    return {
        name: (topic, target_topics[target])
        for name, topic in migration.topics.topics.items()
        if (target := migration.spec.target_topic(name)) in target_topics
    }
