"""Where the replication of a live migration must resume."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.resume import Side, resume_offsets
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
    :raises ForeignData: a target topic holds records that are not the source's.
    """
    level, pairs = migration.spec.isolation_level, _pairs(migration, target_topics)
    with migration.source.reader(level) as source, migration.target.reader("read_committed") as target_reader:
        return resume_offsets(
            Side(migration.source.admin, source), Side(migration.target.admin, target_reader), pairs, level, known, only
        )


def resume_topics_of(migration: Migration, target_topics: Mapping[str, TopicState]) -> dict[Partition, int]:
    """The same where records may have changed their partition: these topics are read whole, on both sides."""
    level, pairs = migration.spec.isolation_level, _pairs(migration, target_topics)
    with migration.source.reader(level) as source, migration.target.reader("read_committed") as target_reader:
        return resume_topics(
            Side(migration.source.admin, source), Side(migration.target.admin, target_reader), pairs, level
        )


def _pairs(migration: Migration, target_topics: Mapping[str, TopicState]) -> dict[str, tuple[TopicState, TopicState]]:
    return {
        name: (topic, target_topics[target])
        for name, topic in migration.topics.topics.items()
        if (target := migration.spec.target_topic(name)) in target_topics
    }
