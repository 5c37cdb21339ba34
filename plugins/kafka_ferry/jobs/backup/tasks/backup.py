"""The tasks of a backup, from the plan to what it proves. Each may be repeated: the store says what is done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kafka_ferry.jobs.common.plan import PlanningOperator, read_plan, write_plan
from kafka_ferry.jobs.common.shard import ShardOperator, write_shards
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.records.sharding import shard
from kafka_ferry.report.artifacts import CHECKS_MADE, DONE, PRUNING, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.core.checks import Check
    from kafka_ferry.jobs.backup.rules.manifest import Segment
    from kafka_ferry.jobs.backup.store.job import BackupJob


class BackupOperator(FerryOperator):
    """Base of these tasks."""

    def job(self, context: Context) -> BackupJob:
        from kafka_ferry.jobs.backup.store.job import backup_job

        return backup_job(context)


class PlanBackupOperator(PlanningOperator):
    """Say what would be backed up; refuse what cannot work. Changes nothing.

    Ends the run when ``dry_run`` is true, and, but for the report, when another backup covers this data interval.
    """

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.age import tell_age_in
        from kafka_ferry.jobs.backup.plan_text import backup_plan_text
        from kafka_ferry.jobs.backup.rules.spec import BackupSpec
        from kafka_ferry.jobs.backup.store.job import BackupJob
        from kafka_ferry.jobs.backup.store.planning import plan_of_backup

        run, artifacts = context["dag_run"], RunArtifacts.of(context)
        spec = self.asked(context, BackupSpec)
        job = BackupJob(spec, run)
        plan = plan_of_backup(job)
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", backup_plan_text(plan), path)
        # Before this run has made one: so the age grows for as long as runs begin and fail.
        tell_age_in(job.catalogue, run.dag_id, spec.backup)
        self.end_dry_run(spec.dry_run)
        if covered := plan.covered:
            self.log.info("nothing to do: covered by backup %s, begun %s", covered.backup_id, covered.created)
            raise self.nothing_below("report")
        told = {"mode": plan.mode, "parent": plan.parent, "records": plan.records, "bytes": plan.bytes}
        return told | {"topics": len(plan.topics)}


class FreezeBackupOperator(BackupOperator):
    """Freeze the ranges and write the manifest, before the first object; a retry finds the one it wrote."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.rules.plan import BackupPlan, Covered
        from kafka_ferry.jobs.backup.store.backup_lock import wait_for_lock
        from kafka_ferry.jobs.backup.store.freeze import begin_backup
        from kafka_ferry.jobs.backup.store.job import now
        from kafka_ferry.jobs.backup.store.shared_names import stored_name

        job, artifacts = self.job(context), RunArtifacts.of(context)
        wait_for_lock(context, stored_name("backup", job.spec.backup, job.spec.location))
        plan = read_plan(artifacts, BackupPlan)
        # Another run may have backed up this data interval while this one waited.
        names = [line.source for line in plan.topics] if plan else []
        if plan and names and (covered := job.covered(names, str(plan.source.cluster_id))):
            found = Covered(backup_id=covered.backup_id, created=covered.created)
            write_plan(artifacts, plan.model_copy(update={"covered": found}))
            self.log.info("nothing to do: covered by backup %s, begun %s", covered.backup_id, covered.created)
            raise self.nothing_below("report")
        manifest = begin_backup(job.source.admin, job.catalogue, job.spec, job.backup_id, now(), job.look_around)
        for note in manifest.notes:
            self.log.info("%s", note)
        partitions = sum(1 for _ in manifest.partitions())
        self.log.info(
            "backup %s (%s, parent %s) is %s: %d topics, %d partitions, %d offsets", manifest.backup_id,
            manifest.mode, manifest.parent, manifest.state, len(manifest.topics), partitions,
            sum(one.end - one.begin for _, one in manifest.partitions()),
        )  # fmt: skip
        return {"backup_id": manifest.backup_id, "mode": manifest.mode, "parent": manifest.parent}


class BackupShardsOperator(BackupOperator):
    """Say how many mapped tasks there shall be, of about equal weight."""

    def execute_task(self, context: Context) -> list[int]:
        job, artifacts = self.job(context), RunArtifacts.of(context)
        sizes = job.record_bytes()
        left = job.catalogue.ranges_left(job.manifest)
        weighted = [(list(one.at), round((one.end - one.begin) * sizes.get(one.topic, 1000))) for one in left]
        return write_shards(artifacts, shard(weighted), "export")


class ExportOperator(ShardOperator, BackupOperator):
    """Export what is left of one shard's ranges, in several processes."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.store.export import cores
        from kafka_ferry.jobs.backup.store.work import added, in_processes

        job = self.job(context)
        manifest, own, sizes = job.manifest, set(self.partitions(context)), job.record_bytes()
        left = [one for one in job.catalogue.ranges_left(manifest) if one.at in own]
        common = {
            "kind": "export",
            "config": job.source.extra,
            "store": job.order,
            "backup": manifest.backup,
            "backup_id": manifest.backup_id,
            "isolation_level": manifest.isolation_level,
        }
        answers = in_processes(
            left,
            lambda one: round((one.end - one.begin) * sizes.get(one.topic, 1000)),
            lambda portion: {**common, "ranges": [one.to_json() for one in portion]},
            cores(job.source.extra, left),
        )
        done = added(answers)
        RunArtifacts.of(context).write_json(f"{DONE}/export/{self.number:03}.json", done)
        self.log.info("%d partitions had something left to export: %s", len(left), done)
        return done


class FinishBackupOperator(BackupOperator):
    """Declare the backup COMPLETE, when every frozen range is covered; the last object of it that is written."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.rules.manifest import State
        from kafka_ferry.jobs.backup.store.export import Exported
        from kafka_ferry.jobs.backup.store.freeze import check_topic_ids
        from kafka_ferry.jobs.backup.store.job import now

        job, artifacts = self.job(context), RunArtifacts.of(context)
        manifest = job.manifest
        if manifest.state is not State.COMPLETE:
            check_topic_ids(job.source.admin, manifest)  # else records of another life of the topic could be in it
            parts = [artifacts.read_json(name) or {} for name in artifacts.names(f"{DONE}/export")]
            seconds = round((datetime.now(UTC) - manifest.created_at).total_seconds(), 3)
            manifest = job.catalogue.finish(manifest, now(), [Exported(**part) for part in parts if part], seconds)
        self.log.info("backup %s is COMPLETE: %s", manifest.backup_id, manifest.totals)
        return manifest.totals.model_dump(mode="json")


class CopyBackupOperator(BackupOperator):
    """With ``copy_to``: bring the backup to another region or account, by its manifest."""

    def execute_task(self, context: Context) -> dict[str, int] | None:
        from dataclasses import asdict

        job = self.job(context)
        done = job.bring_copy()
        if done is None:
            self.log.info("copy_to is empty: there is one copy")
            return None
        self.log.info("%s -> %s: %s", job.spec.location, job.spec.copy_to, done)
        return asdict(done)


class PruneOperator(BackupOperator):
    """Delete backups beyond ``keep_last`` and ``keep_days`` that no kept one builds on; at ``copy_to``, too."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.store.store_clock import clock_problem

        job, artifacts = self.job(context), RunArtifacts.of(context)
        spec = job.spec
        artifacts.delete(PRUNING)
        if spec.keep_last is None and spec.keep_days is None:
            self.log.info("neither keep_last nor keep_days is set: all backups are kept")
            return {"deleted": []}
        now = datetime.now(UTC)
        problem = clock_problem(job.store, now)
        if problem:  # by a clock that is ahead, all are too old
            self.log.error("nothing is pruned: %s", problem)
            told = {"deleted": [], "bytes": 0, "dry_run": spec.prune_dry_run, "refused": problem}
            artifacts.write_json(PRUNING, told | {"kept": {}})
            return told
        pruning = job.catalogue.pruning(spec.keep_last, spec.keep_days, now)
        manifests, _ = job.catalogue.manifests()
        gone = [manifests[backup_id] for backup_id in pruning.delete]
        freed = sum(s.size for one in gone for _, _, s in one.segments() if s.key in pruning.keys)
        # Several may have pointed to one such object.
        freed += sum({one.schemas.key: one.schemas.size for one in gone if one.schemas
                      and one.schemas.key in pruning.keys}.values())  # fmt: skip
        for backup_id, why in pruning.kept.items():
            self.log.info("kept %s: %s", backup_id, why)
        for backup_id in pruning.delete:
            self.log.info("%s %s", "would delete" if spec.prune_dry_run else "delete", backup_id)
        locked, refused = dict(pruning.locked), {}
        if not spec.prune_dry_run:
            refused = job.catalogue.delete(pruning)
            if job.copy is not None:
                there = job.copy.pruning(spec.keep_last, spec.keep_days, now)
                refused |= {f"{spec.copy_to}: {key}": why for key, why in job.copy.delete(there).items()}
                locked |= {f"{spec.copy_to}: {backup_id}": why for backup_id, why in there.locked.items()}
        for key, why in list(refused.items())[:20]:
            self.log.error("could not delete %s: %s (%d in all)", key, why, len(refused))
        told = {"deleted": list(pruning.delete), "bytes": freed, "dry_run": spec.prune_dry_run}
        artifacts.write_json(PRUNING, told | {"kept": dict(pruning.kept), "locked": locked, "not_deleted": refused})
        return told | {"locked": len(locked), "not_deleted": len(refused)}  # into an XCom: no list of objects


class ValidateBackupOperator(BackupOperator):
    """Hold the manifest, and those it builds on, against the objects that are there. Reads no object."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.words import number_of
        from kafka_ferry.jobs.backup.rules.archive import backup_lines
        from kafka_ferry.jobs.backup.rules.judge import backup_checks, clocks_check, quotas_check, topic_lines
        from kafka_ferry.jobs.backup.rules.order import futures
        from kafka_ferry.jobs.backup.store.job import now
        from kafka_ferry.jobs.backup.store.schemas import check_schemas
        from kafka_ferry.jobs.backup.store.verify import presence_damage, structure_damage

        job, artifacts = self.job(context), RunArtifacts.of(context)
        chain = job.catalogue.chain(job.backup_id)
        segments = [(topic.name, one.partition, part) for manifest in chain for topic, one, part in manifest.segments()]
        damage = [one for manifest in chain for one in structure_damage(manifest)]
        damage += presence_damage(job.store, job.spec.backup, segments)
        registry, lost = check_schemas(job.store, chain[-1:], why_none="param registry_conn_id is empty")
        for one in damage:
            self.log.error("%s", one)
        job.catalogue.note_verdict(job.backup_id, "objects", "FAIL" if damage or lost else "PASS", now())
        manifests, damaged = job.catalogue.manifests()
        objects = sum(segment.key is not None for _, _, segment in segments)
        pruning = artifacts.read_json(PRUNING) or {}
        checks = backup_checks(chain[-1], [*map(str, damage), *damaged], objects, pruning)
        checks.append(quotas_check(chain[-1], asked=job.spec.quotas))
        checks.append(registry)
        checks.append(self._copy_check(job, segments))
        checks.append(clocks_check(futures(manifests, datetime.now(UTC))))
        totals = chain[-1].totals
        made = {
            "checks": [check.model_dump(mode="json") for check in checks],
            "topics": [line.model_dump(mode="json") for line in topic_lines(chain[-1].topics)],
            "backups": [
                line.model_dump(mode="json")
                for line in backup_lines(manifests, job.catalogue.verdicts(), job.backup_id)
            ],
            "sentence": f"{number_of(totals.records, 'record')} in {number_of(len(chain[-1].topics), 'topic')}: "
            f"in backup {job.backup_id}, whose objects all exist.",
            "throughput": {"records": totals.records, "bytes": totals.bytes, "seconds": totals.seconds},
        }
        artifacts.write_json(CHECKS_MADE, made)
        return {check.name: check.status.value for check in checks}

    def _copy_check(self, job: BackupJob, segments: list[tuple[str, int, Segment]]) -> Check:
        from kafka_ferry.jobs.backup.rules.judge import copy_check
        from kafka_ferry.jobs.backup.store.presence import absent
        from kafka_ferry.jobs.backup.store.verify import presence_damage

        if job.copy is None:
            return copy_check(None, "", 0)
        lacking = [str(one) for one in presence_damage(job.copy.store, job.spec.backup, segments)]
        part = job.manifest.schemas
        if part and absent(job.copy.store, job.spec.backup, [part]):
            lacking.append(f"{part.key}: missing, or cut short")
        if job.backup_id not in job.copy.complete():
            lacking.insert(0, f"manifest of {job.backup_id}: missing, or not COMPLETE")
        return copy_check(lacking, str(job.spec.copy_to), len({part.key for _, _, part in segments if part.key}))
