"""What MirrorMaker 2 shall do, in whatever form it runs; and which of its traces are ours."""

from __future__ import annotations

import re
from collections.abc import Callable

from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.canary import other_canaries
from kafka_ferry.jobs.migration.rules.spec import Naming


def mirror_intent(migration: Migration, settings: Callable[[str], dict[str, str]]) -> MirrorIntent:
    """The intent, from the spec and the clusters.

    :param settings: Airflow connection id of a Kafka cluster to its Java client settings.
    """
    spec, topics, groups = migration.spec, migration.topics, migration.groups
    sizes = [int(topic.effective.get("max.message.bytes", 0)) for topic in topics.topics.values()]
    return MirrorIntent(
        name=migration.name,
        source_alias=spec.alias,
        target_alias="target",
        source=settings(spec.source_conn_id),
        target=settings(spec.target_conn_id),
        topics=[*topics.selection.patterns, *([re.escape(migration.canary)] * spec.canary)],
        topics_exclude=[*topics.selection.exclude_patterns, other_canaries(migration.canary)],
        groups=groups.selection.patterns,
        groups_exclude=groups.selection.exclude_patterns,
        tasks_max=spec.tasks_max,
        throughput=spec.throughput.value,
        isolation_level=spec.isolation_level,
        prefix=spec.naming is Naming.PREFIX,
        rename_format=spec.topic_rename.format if spec.topic_rename else "",
        replication_factor=spec.replication_factor or -1,
        max_record_bytes=max(sizes),
        sync_configs=spec.keep_replicating,
        heartbeats=spec.heartbeats,
        exactly_once=spec.exactly_once,
    )


def heartbeats_are_ours(migration: Migration) -> bool:
    """Whether every record of the target's ``heartbeats`` topic carries this migration's alias.

    The topic's name is the same for every MirrorMaker 2, so another one may be using it. Record keys: source and
    target alias (``Heartbeat.KEY_SCHEMA``: two strings, each after its length as int16, big-endian).
    """
    admin, tp = migration.target.admin, ("heartbeats", 0)
    if "heartbeats" not in admin.topic_ids(["heartbeats"]):
        return False
    begins = admin.offsets([tp], "earliest", "read_uncommitted")
    ends = admin.offsets([tp], "latest", "read_uncommitted")
    with migration.target.reader("read_uncommitted") as reader:
        records = reader.read_records({tp: range(begins[tp], ends[tp])})
    own = migration.spec.alias.encode()
    prefix = len(own).to_bytes(2, "big") + own
    return all((record.key or b"").startswith(prefix) for record in records.values())
