"""Which params belong to which engine. Pure."""

from __future__ import annotations

from kafka_ferry.jobs.migration.engines.host_spec import DedicatedSpec, StandaloneSpec
from kafka_ferry.jobs.migration.engines.mirror_maker1_spec import MirrorMaker1Spec
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec
from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

_SPECS = {
    kind.engine: kind
    for kind in (
        MigrationSpec,
        ComparisonSpec,
        DedicatedSpec,
        StandaloneSpec,
        MirrorMaker1Spec,
        ReplicateSpec,
        MskConnectSpec,
        MskReplicatorSpec,
    )
}


#: DAGs of migrations and of comparisons, in the order that the docs have.
ENGINES = tuple(_SPECS)


def spec_of(engine: str) -> type[MigrationSpec]:
    """The spec that the DAG of an engine checks its params with."""
    return _SPECS[engine]
