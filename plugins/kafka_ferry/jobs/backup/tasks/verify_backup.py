"""The tasks that read a backup to the last byte. No cluster is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.jobs.backup.tasks.backup import BackupOperator
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.shard import ShardOperator, write_shards
from kafka_ferry.records.sharding import shard
from kafka_ferry.report.artifacts import CHECKS_MADE, DONE, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class PlanVerifyOperator(PlanningOperator):
    """Say what would be read, and refuse what cannot be."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.plan_text import backup_plan_text
        from kafka_ferry.jobs.backup.rules.spec import VerifySpec
        from kafka_ferry.jobs.backup.store.verify_job import VerifyJob, plan_of_verification

        spec, artifacts = self.asked(context, VerifySpec), RunArtifacts.of(context)
        plan = plan_of_verification(VerifyJob(spec))
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", backup_plan_text(plan), path)
        self.end_dry_run(spec.dry_run)
        return {"backups": plan.backups, "records": plan.records, "bytes": plan.bytes}


class VerifyShardsOperator(BackupOperator):
    """Say how many mapped tasks there shall be: objects by size."""

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.jobs.backup.store.verify_job import verify_job

        segments = verify_job(context).segments()
        weighted = [(segment.key, segment.size) for _, _, segment in segments if segment.key]
        return write_shards(RunArtifacts.of(context), shard(weighted), "verify")


class VerifyObjectsOperator(ShardOperator, BackupOperator):
    """Read one shard's objects whole: SHA-256, offsets, counts, fingerprints."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.store.verify_job import verify_job
        from kafka_ferry.jobs.backup.store.work import in_processes

        job, own = verify_job(context), set(self.share(context))
        segments = [one for one in job.segments() if one[2].key in own]
        answers = in_processes(
            segments,
            lambda one: one[2].size,
            lambda some: {
                "kind": "verify",
                "store": job.order,
                "segments": [(topic, part, segment.model_dump(mode="json")) for topic, part, segment in some],
            },
        )
        damage = [one for answer in answers for one in answer["damage"]]
        for one in damage[:50]:
            self.log.error("%s-%d offsets %d to %d: %s", one["topic"], one["partition"], one["begin"], one["end"] - 1,
                           one["problem"])  # fmt: skip
        told = {
            "objects": len(segments),
            "records": sum(segment.records for _, _, segment in segments),
            "bytes": sum(segment.size for _, _, segment in segments),
            "damage": damage,
        }
        RunArtifacts.of(context).write_json(f"{DONE}/verify/{self.number:03}.json", told)
        return {key: told[key] for key in ("objects", "records", "bytes")} | {"damaged": len(damage)}


class ValidateVerifyOperator(BackupOperator):
    """Judge manifests and objects, and keep each backup's verdict beside it."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.backup.store.verify_job import judge, verify_job

        artifacts = RunArtifacts.of(context)
        found = [artifacts.read_json(name) or {} for name in artifacts.names(f"{DONE}/verify")]
        made = judge(verify_job(context), found)
        artifacts.write_json(CHECKS_MADE, made)
        return {check["name"]: check["status"] for check in made["checks"]}
