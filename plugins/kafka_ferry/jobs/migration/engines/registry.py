"""Which engines there are, and which one moves a migration's records."""

from __future__ import annotations

from importlib import import_module

from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec

_ENGINES = {
    "mirror_maker2_on_connect": "mirror_maker2_on_connect.MirrorMaker2OnConnect",
    "mirror_maker2_on_msk_connect": "mirror_maker2_on_msk_connect.MirrorMaker2OnMskConnect",
    "replicate_topics": "replicate_topics.ReplicateTopics",
    "mirror_maker2_dedicated": "mirror_maker2_dedicated.MirrorMaker2Dedicated",
    "mirror_maker2_standalone": "mirror_maker2_standalone.MirrorMaker2Standalone",
    "mirror_maker1": "mirror_maker1.MirrorMaker1",
    "msk_replicator": "msk_replicator.MskReplicator",
}


def engine_of(migration: Migration) -> Engine:
    """The engine that the migration's spec is for; loaded only when it is used."""
    return engine_kind(migration.spec.engine)(migration)


def no_groups(migration: Migration) -> str:
    """Why group offsets on the target can be neither made right nor judged; empty when they can."""
    spec = migration.spec
    if isinstance(spec, ComparisonSpec):
        return "records changed their partition, so a source offset has no counterpart" if spec.any_partition else ""
    kind = engine_kind(spec.engine)
    return "" if kind.carries_groups else f"{kind.title} does not copy consumer groups"


def engine_kind(engine: str) -> type[Engine]:
    """Its class, for what is known of it without a migration.

    :raises KeyError: no engine is called so.
    """
    module, _, name = _ENGINES[engine].partition(".")
    kind: type[Engine] = getattr(import_module(f"{__package__}.{module}"), name)
    return kind
