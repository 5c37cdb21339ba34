"""Compare the contents of both clusters, in mapped tasks of about equal weight."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.common.shard import ShardOperator
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.migration.live.artifacts import read_frozen
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.jobs.migration.rules.spec import GroupOffsets
from kafka_ferry.records.sharding import shard
from kafka_ferry.report.artifacts import FINGERPRINTS, STAGES, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.jobs.migration.live.migration import Migration
    from kafka_ferry.records.job import PartitionJob
    from kafka_ferry.records.topic_job import TopicJob

_TOLD = 50  # partitions named in the log of one task; the report has them all


def shards_of(frozen: Frozen, by_topic: bool = False) -> list[list[Partition]]:
    """The partitions of each mapped task; always the same for the same freeze.

    :param by_topic: keep those of a topic together.
    """
    sizes = {tp: (end - frozen.begins[tp]) * frozen.record_bytes.get(tp[0], 0.0) for tp, end in frozen.ends.items()}
    if not by_topic:
        return shard((tp, round(size)) for tp, size in sorted(sizes.items()))
    topics: dict[str, list[Partition]] = {}
    for tp in sorted(sizes):
        topics.setdefault(tp[0], []).append(tp)
    shards = shard((mine, round(sum(sizes[tp] for tp in mine))) for mine in topics.values())
    return [[tp for mine in some for tp in mine] for some in shards]


class _OfMigration(FerryOperator):
    """A task of a migration, or of a job that builds on one."""

    def migration(self, context: Context) -> Migration:
        from kafka_ferry.jobs.migration.live.migration import migration_of

        return migration_of(context, self.engine)


class ShardsOperator(_OfMigration):
    """Say how many mapped tasks there shall be; each computes its own partitions."""

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.jobs.migration.live.checkpoints import wait_for_checkpoints
        from kafka_ferry.jobs.migration.live.jobs import by_topic

        artifacts = RunArtifacts.of(context)
        frozen = read_frozen(artifacts)
        migration = self.migration(context)
        mapped = [name for name in artifacts.names(STAGES) if name.startswith(f"{STAGES}/fingerprint.")]
        for stale in [*artifacts.names(FINGERPRINTS), *mapped]:  # of an earlier try, with other shards
            artifacts.delete(stale)
        if migration.spec.group_offsets is GroupOffsets.MM2:
            wait_for_checkpoints(migration, self.log)
        count = len(shards_of(frozen, by_topic(migration)))
        self.log.info("%d partitions in %d mapped task(s)", len(frozen.ends), count)
        return list(range(count))


class FingerprintOperator(_OfMigration, ShardOperator):
    """Fingerprint and compare one shard's partitions on both sides, several processes at once."""

    def jobs(
        self, context: Context, migration: Migration, frozen: Frozen, partitions: list[Partition]
    ) -> Sequence[PartitionJob] | Sequence[TopicJob]:
        """What to compare of these partitions."""
        from kafka_ferry.jobs.migration.live.jobs import jobs_of

        return jobs_of(migration, frozen, partitions)

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.migration.live.fingerprint_process import compare_partitions
        from kafka_ferry.jobs.migration.live.jobs import by_topic
        from kafka_ferry.jobs.migration.rules.around import proves_schemas

        migration, artifacts = self.migration(context), RunArtifacts.of(context)
        frozen = read_frozen(artifacts)
        mine = shards_of(frozen, by_topic(migration))[self.number]
        jobs = self.jobs(context, migration, frozen, mine)
        results = compare_partitions(
            migration.source.extra,
            migration.target.extra,
            jobs,
            migration.spec.isolation_level,
            processes=processes(),
            without_headers=migration.spec.headers_left_out,
            schema_ids=proves_schemas(migration.spec),
        )
        artifacts.write_json(f"{FINGERPRINTS}/{self.number:03}.json", [result.to_json() for result in results])
        for result in [result for result in results if result.comparison.detail][:_TOLD]:
            self.log.warning("%s: %s", result.place, result.comparison.detail)
        records = sum(result.comparison.source_records for result in results)
        failed = sum(result.comparison.status == "fail" for result in results)
        self.log.info(
            "%d %s, %s records compared, %d differ",
            len(results),
            "topics" if by_topic(migration) else "partitions",
            f"{records:,}",
            failed,
        )
        return {"partitions": len(mine), "records": records, "failed": failed}


def processes() -> int:
    """How many processes a fingerprint task uses: ``FERRY_FINGERPRINT_PROCESSES``, else one per core, at most 4."""
    configured = os.environ.get("FERRY_FINGERPRINT_PROCESSES")
    return int(configured) if configured else min(4, os.cpu_count() or 1)
