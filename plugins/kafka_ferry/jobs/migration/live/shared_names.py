"""Which names migrations share, so that only one may work on each at a time (``jobs/common/run_lock.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.jobs.common.run_lock import SharedName
from kafka_ferry.jobs.migration.engines.registry import engine_of

if TYPE_CHECKING:
    from kafka_ferry.jobs.migration.live.migration import Migration


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
    return [
        SharedName(param, spec.alias, f"alias/{migration.target.admin.describe_cluster().cluster_id}/{spec.alias}", why)
    ]
