"""The spec and the trigger form of every DAG."""

from __future__ import annotations

from typing import Any

from kafka_ferry.jobs.backup.params import backup_params, restore_params, verify_params
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec, VerifySpec
from kafka_ferry.jobs.cdc.params import stream_params
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.migration.engines.host_params import dedicated_params, standalone_params
from kafka_ferry.jobs.migration.engines.host_spec import DedicatedSpec, StandaloneSpec
from kafka_ferry.jobs.migration.engines.mirror_maker1_params import mirror_maker1_params
from kafka_ferry.jobs.migration.engines.mirror_maker1_spec import MirrorMaker1Spec
from kafka_ferry.jobs.migration.engines.msk_connect_params import msk_connect_params
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.engines.msk_replicator_params import msk_replicator_params
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec
from kafka_ferry.jobs.migration.engines.replicate_params import replicate_params
from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec
from kafka_ferry.jobs.migration.params import comparison_params, migration_params
from kafka_ferry.jobs.migration.rules.spec import ComparisonSpec, MigrationSpec
from kafka_ferry.jobs.s3.exchange_spec import ExportSpec, ImportSpec
from kafka_ferry.jobs.s3.params import export_params, import_params

DAGS: dict[str, tuple[Any, Any]] = {
    "mirror_maker2_on_connect": (MigrationSpec, migration_params),
    "mirror_maker2_on_msk_connect": (MskConnectSpec, msk_connect_params),
    "mirror_maker2_dedicated": (DedicatedSpec, dedicated_params),
    "mirror_maker2_standalone": (StandaloneSpec, standalone_params),
    "mirror_maker1": (MirrorMaker1Spec, mirror_maker1_params),
    "replicate_topics": (ReplicateSpec, replicate_params),
    "msk_replicator": (MskReplicatorSpec, msk_replicator_params),
    "backup_topics": (BackupSpec, backup_params),
    "restore_topics": (RestoreSpec, restore_params),
    "verify_backup": (VerifySpec, verify_params),
    "verify_clusters": (ComparisonSpec, comparison_params),
    "export_topics_to_s3": (ExportSpec, export_params),
    "import_topics_from_s3": (ImportSpec, import_params),
    "stream_database_changes": (StreamSpec, stream_params),
}
