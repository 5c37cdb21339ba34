"""The spec and the trigger form of every DAG."""

from __future__ import annotations

from functools import partial
from typing import Any

from kafka_ferry.core.spec import Spec
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec, VerifySpec
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.engines.host_spec import DedicatedSpec, StandaloneSpec
from kafka_ferry.jobs.migration.engines.mirror_maker1_spec import MirrorMaker1Spec
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec
from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.s3.exchange_spec import ExportSpec, ImportSpec


def _made(spec: type[Spec]) -> tuple[Any, Any]:
    return spec, partial(params_of, spec)


DAGS: dict[str, tuple[Any, Any]] = {
    "mirror_maker2_on_connect": _made(MigrationSpec),
    "mirror_maker2_on_msk_connect": _made(MskConnectSpec),
    "mirror_maker2_dedicated": _made(DedicatedSpec),
    "mirror_maker2_standalone": _made(StandaloneSpec),
    "mirror_maker1": _made(MirrorMaker1Spec),
    "replicate_topics": _made(ReplicateSpec),
    "msk_replicator": _made(MskReplicatorSpec),
    "backup_topics": _made(BackupSpec),
    "restore_topics": _made(RestoreSpec),
    "verify_backup": _made(VerifySpec),
    "verify_clusters": _made(ComparisonSpec),
    "export_topics_to_s3": _made(ExportSpec),
    "import_topics_from_s3": _made(ImportSpec),
    "stream_database_changes": _made(StreamSpec),
}
