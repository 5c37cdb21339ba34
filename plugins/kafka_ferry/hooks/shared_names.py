"""Which names runs of all DAGs share, so that only one may work on each at a time (``hooks/run_lock.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.hooks.engines import engine_of
from kafka_ferry.hooks.run_lock import SharedName

if TYPE_CHECKING:
    from kafka_ferry.hooks.database.streaming import Streaming
    from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
    from kafka_ferry.hooks.migration import Migration


def migration_names(migration: Migration) -> list[SharedName]:
    """What this migration runs as, which bears the DAG's id; and on the target MirrorMaker 2's own topics, which do
    not: the source alias alone names them."""
    return [own_name(migration), *alias_names(migration)]


def own_name(migration: Migration) -> SharedName:
    """The part that is known without asking a cluster."""
    return SharedName("migration", migration.spec.migration, f"runs as/{engine_of(migration).runs_as}")


def alias_names(migration: Migration) -> list[SharedName]:
    """The part that counts in all DAGs; none where the engine leaves no topics of its own."""
    spec, topics = migration.spec, engine_of(migration).own_topics()
    if not topics:
        return []
    param = "source_alias" if spec.source_alias else "migration"
    why = f"both would share {topics[0]} on {spec.target_conn_id}"
    return [SharedName(param, spec.alias, f"alias/{_id(migration.target)}/{spec.alias}", why)]


def stream_names(streaming: Streaming) -> list[SharedName]:
    """The connector, which bears the DAG's id; and the topics, which do not."""
    spec = streaming.spec
    param = "topic_prefix" if spec.topic_prefix else "stream"
    why = f"both would write topics {spec.prefix}.* on {spec.target_conn_id}"
    return [
        SharedName("stream", spec.stream, f"runs as/{' '.join(streaming.runtime.names)}"),
        SharedName(param, spec.prefix, f"prefix/{_id(streaming.target)}/{spec.prefix}", why),
    ]


def stored_name(param: str, name: str, location: str) -> SharedName:
    """Backups, or exports, of one name in one place go on from each other."""
    return SharedName(param, name, f"store/{location.rstrip('/')}/{name}")


def read_name(param: str, name: str, location: str, target: KafkaClusterHook) -> SharedName:
    """Two that bring one backup, or export, into a cluster would append what the other did not know of yet."""
    return SharedName(param, name, f"into/{_id(target)}/{location.rstrip('/')}/{name}")


def _id(cluster: KafkaClusterHook) -> str:
    return cluster.admin.describe_cluster().cluster_id
