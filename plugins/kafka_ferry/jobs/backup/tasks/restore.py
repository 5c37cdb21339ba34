"""The tasks of a restore. Each may be repeated: what stands on the target says where to resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.leftovers import leftovers_check
from kafka_ferry.jobs.backup.tasks.backup import BackupOperator
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.shard import ShardOperator, write_shards
from kafka_ferry.records.sharding import shard
from kafka_ferry.report.artifacts import CHECKS_MADE, DONE, GROUPS, HELD_CONFIGS, LEFTOVERS, RunArtifacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from kafka_ferry.core.checks import Check
    from kafka_ferry.jobs.backup.store.restore import RestoreRange
    from kafka_ferry.jobs.backup.store.restore_run import RestoreRun


_NOT_MADE = {"acls": "no ACL is created", "quotas": "no quota is set"}
_LAST = tuple(_NOT_MADE)


class PlanRestoreOperator(PlanningOperator):
    """Say what would be restored; refuse what cannot work, or would mix records with others. Changes nothing."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.plan_text import backup_plan_text
        from kafka_ferry.jobs.backup.rules.spec import RestoreSpec
        from kafka_ferry.jobs.backup.store.restore_job import RestoreJob, plan_of_restore

        spec, artifacts = self.asked(context, RestoreSpec), RunArtifacts.of(context)
        plan = plan_of_restore(RestoreJob(spec), artifacts.write_text)
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", backup_plan_text(plan), path)
        self.end_dry_run(spec.dry_run)
        return {"backup_id": plan.backup_id, "records": plan.records, "bytes": plan.bytes, "topics": len(plan.topics)}


class ProvisionRestoreOperator(BackupOperator):
    """Make absent topics, and hold what would delete, compact or restamp records; what to put back is noted first."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.jobs.backup.store.backup_lock import wait_for_lock
        from kafka_ferry.jobs.backup.store.restore_job import restore_job
        from kafka_ferry.jobs.backup.store.shared_names import read_name
        from kafka_ferry.jobs.registry.live.stage import carry

        job, artifacts = restore_job(context), RunArtifacts.of(context)
        wait_for_lock(context, read_name("backup", job.spec.backup, job.spec.location, job.target))
        memory: dict[str, dict[str, str]] = artifacts.read_json(HELD_CONFIGS) or {}
        job.restore_run.check()
        if job.carrier:  # before the records, so that who reads them there can
            carry(context, job.carrier, artifacts)
        job.restore_run.remember(memory)
        artifacts.write_json(HELD_CONFIGS, memory)
        made = job.restore_run.provision(memory)
        self.log.info("%d topics, %d of them created now: %s", len(memory), len(made), ", ".join(made[:50]))
        return made[:50]


class RestoreShardsOperator(BackupOperator):
    """Say how many mapped tasks there shall be, of about equal weight."""

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.jobs.backup.store.restore_job import restore_job

        ranges = restore_job(context).restore_run.ranges()
        weighted = [(list(one.at), _weight(one)) for one in ranges]
        return write_shards(RunArtifacts.of(context), shard(weighted), "restore", "compare")


class RestoreOperator(ShardOperator, BackupOperator):
    """Write what is not yet on the target."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.store.restore_job import restore_job
        from kafka_ferry.jobs.backup.store.work import added, in_processes

        job, own = restore_job(context), set(self.partitions(context))
        ranges = [one for one in job.restore_run.ranges() if one.at in own]
        common = {"kind": "restore", "config": job.target.extra, "store": job.order}
        answers = in_processes(
            ranges,
            _weight,
            lambda some: {**common, "ranges": [one.to_json() for one in some]},
        )
        done = added(answers)
        RunArtifacts.of(context).write_json(f"{DONE}/restore/{self.number:03}.json", done)
        self.log.info("%d partitions: %s", len(ranges), done)
        return done


class CompareRestoredOperator(ShardOperator, BackupOperator):
    """Read back what was restored: against the manifest's fingerprints, and against the source where one is named."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
        from kafka_ferry.jobs.backup.store.restore_job import restore_job
        from kafka_ferry.jobs.backup.store.source_check import BackedUp
        from kafka_ferry.jobs.backup.store.work import in_processes

        job, own = restore_job(context), set(self.partitions(context))
        restore_run = job.restore_run
        ranges = [one for one in restore_run.ranges() if one.at in own]
        common = {"kind": "compare", "config": job.target.extra, "store": job.order}
        answers = in_processes(ranges, _weight, lambda some: {**common, "ranges": [one.to_json() for one in some]})
        found: dict[str, Any] = {"lines": [line for answer in answers for line in answer["lines"]], "source": None}
        if job.spec.source_conn_id:
            parts = [
                BackedUp(topic.source.name, topic.source.topic_id, one.partition, tuple(one.segments))
                for topic in restore_run.topics
                for one in topic.partitions
                # A compacted one is left out: the source's cleaner goes on.
                if (topic.name, one.partition) in own and not topic.source.compacted
            ]
            source = {
                "kind": "source",
                "config": KafkaClusterHook(job.spec.source_conn_id).extra,
                "isolation_level": restore_run.manifest.isolation_level,
            }
            answers = in_processes(
                parts,
                lambda one: sum(segment.bytes for segment in one.segments),
                lambda some: {**source, "partitions": [one.to_json() for one in some]},
            )
            found["source"] = [line for answer in answers for line in answer["lines"]]
        RunArtifacts.of(context).write_json(f"{DONE}/compare/{self.number:03}.json", found)
        wrong = [line for line in found["lines"] if line["detail"]]
        for line in wrong[:50]:
            self.log.error("%s-%d: %s", line["topic"], line["partition"], line["detail"])
        return {"partitions": len(found["lines"]), "differ": len(wrong)}


class RestoreGroupsOperator(BackupOperator):
    """Commit, for each group of the backup, the exact offset on the target; only when what was restored is the same.

    A group with members there is left alone, and so is one that stands further, unless ``rewind_groups`` asks for it.
    """

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.words import shown
        from kafka_ferry.jobs.backup.rules.groups_plan import to_write
        from kafka_ferry.jobs.backup.store.restore_groups import exact_lines
        from kafka_ferry.jobs.backup.store.restore_job import restore_job

        job, artifacts = restore_job(context), RunArtifacts.of(context)
        why_not = "" if job.spec.restore_groups else "param restore_groups is off"
        if not why_not and any(line["detail"] for line in _compared(artifacts)[0]):
            why_not = "records differ: no group may resume there"
        if why_not:
            self.log.info("no offset is committed: %s", why_not)
            artifacts.write_json(GROUPS, {"why_not": why_not})
            return {"groups": 0}
        restore_run = job.restore_run
        lines = exact_lines(restore_run)
        offsets = to_write(lines)
        refused = restore_run.commit(offsets) if offsets else {}
        for group in dict.fromkeys(line.group for line in lines):
            told = "; ".join(str(line) for line in lines if line.group == group)
            self.log.info("group %s: %s%s", shown(group), f"refused, {refused[group]}: " if group in refused else "",
                          told[:1000])  # fmt: skip
        artifacts.write_json(GROUPS, {"why_not": "", "steps": [line.to_json() for line in lines], "refused": refused})
        return {"groups": len({line.group for line in lines}), "written": len(offsets), "refused": len(refused)}


class RestoreAclsOperator(BackupOperator):
    """With ``quotas: copy`` set the manifest's quotas, with ``acls: copy`` make its ACLs of what was restored; what is
    not made is named.

    The last that is done to topics and groups, what was held is put back before: one may slow us, or deny that to us.
    """

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.core.checks import Check, Status
        from kafka_ferry.jobs.backup.rules.acls import restored_acls_check
        from kafka_ferry.jobs.backup.store.restore_job import restore_job

        job, artifacts = restore_job(context), RunArtifacts.of(context)
        made = artifacts.read_json(CHECKS_MADE) or {"checks": []}
        others = [check for check in made["checks"] if check["name"] not in _LAST]
        failed = sorted({check["name"] for check in others if check["status"] == Status.FAIL})
        held_back = ", ".join(failed) or ("" if others else "none was made")
        if not held_back and "copy" in (job.spec.quotas, job.spec.acls):
            self.log.info("configs restored on %d topics", len(put_back(job.restore_run, artifacts)))

        def last(name: str, asked: str, work: Callable[[], Check]) -> Check:
            if asked != "copy":
                return Check(name=name, status=Status.SKIPPED, detail=f"param {name} is none")
            if held_back:
                why = f"{_NOT_MADE[name]} where another check failed ({held_back})"
                return Check(name=name, status=Status.SKIPPED, detail=why)
            return work()

        quotas = last("quotas", job.spec.quotas, job.set_quotas)
        if quotas.status is Status.FAIL:
            held_back = "quotas"
        checks = [last("acls", job.spec.acls, lambda: restored_acls_check(*job.make_acls())), quotas]
        all_made = [*others, *(check.model_dump(mode="json") for check in checks)]
        artifacts.write_json(CHECKS_MADE, {**made, "checks": all_made})
        return {check.name: check.status.value for check in checks}


def put_back(restore_run: RestoreRun, artifacts: RunArtifacts) -> list[str]:
    """End the hold; the topics that were changed. What is put back is forgotten, so that it is not asked for again."""
    memory = artifacts.read_json(HELD_CONFIGS) or {}
    changed = restore_run.release(memory) if memory else []
    artifacts.delete(HELD_CONFIGS)
    return changed


class ValidateRestoreOperator(BackupOperator):
    """Judge what was compared, and what is committed now."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.core.words import number_of
        from kafka_ferry.jobs.backup.rules.groups_plan import RestoreGroupLine
        from kafka_ferry.jobs.backup.rules.judge_restore import (
            group_checks,
            group_lines,
            left_out_check,
            restore_checks,
            restored_topics,
            source_check,
        )
        from kafka_ferry.jobs.backup.store.restore_job import restore_job
        from kafka_ferry.jobs.backup.store.work import added
        from kafka_ferry.jobs.registry.live.stage import registry_carried

        job, artifacts = restore_job(context), RunArtifacts.of(context)
        topics, (compared, source) = job.restore_run.topics, _compared(artifacts)
        lines = restored_topics(topics, compared)
        checks = restore_checks(topics, job.target.admin.topics(job.names.values()), lines)
        checks.append(source_check(source))
        if job.carrier:
            checks.append(registry_carried(job.carrier, artifacts))
        told = artifacts.read_json(GROUPS) or {}
        steps = [RestoreGroupLine.from_json(step) for step in told.get("steps", [])]
        committed = job.target.admin.commits({step.group for step in steps}) if steps else {}
        ends = job.target.admin.offsets({(step.topic, step.partition) for step in steps}, "latest", "read_uncommitted")
        groups = group_lines(steps, committed, told.get("refused", {}), ends)
        left_out = job.restore_run.groups_left_out() if job.spec.restore_groups else {}
        checks += [*group_checks(groups, told.get("why_not", "")), *left_out_check(left_out)]
        written = added([artifacts.read_json(name) or {} for name in artifacts.names(f"{DONE}/restore")])
        records = sum(line.target_records or 0 for line in lines)
        made = {
            "checks": [check.model_dump(mode="json") for check in checks],
            "topics": [line.model_dump(mode="json") for line in lines],
            "groups": [line.model_dump(mode="json") for line in groups],
            "sentence": f"{number_of(records, 'record')} in {number_of(len(lines), 'topic')} were read back and "
            f"are those of backup {job.restore_run.manifest.backup_id}.",
            "throughput": {key: written.get(key, 0) for key in ("records", "bytes", "seconds")},
        }
        artifacts.write_json(CHECKS_MADE, made)
        return {check.name: check.status.value for check in checks}


class ReleaseOperator(BackupOperator):
    """Put back what was held during the restore. A teardown: it runs after failures too."""

    def execute_task(self, context: Context) -> list[str]:
        from contextlib import ExitStack

        from kafka_ferry.jobs.backup.store.restore_job import restore_job
        from kafka_ferry.jobs.registry.live.journal import SettingsJournal

        artifacts = RunArtifacts.of(context)
        artifacts.discard(LEFTOVERS)  # of an earlier try: it says nothing about this one
        job = restore_job(context)
        with ExitStack() as both:  # one that does not answer keeps nobody from putting back the other's
            if job.carrier:
                both.callback(job.carrier.take_back, SettingsJournal(artifacts))
            changed = put_back(job.restore_run, artifacts)
        self.log.info("configs restored on %d topics: %s", len(changed), ", ".join(changed[:50]))
        artifacts.write_json(LEFTOVERS, [leftovers_check().model_dump(mode="json")])
        return changed[:50]


def _weight(one: RestoreRange) -> int:
    return sum(segment.bytes for segment in one.segments)


def _compared(artifacts: RunArtifacts) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
    """What all shards found: against the manifest, and against the source."""
    found = [artifacts.read_json(name) or {} for name in artifacts.names(f"{DONE}/compare")]
    lines = [line for one in found for line in one["lines"]]
    sources = [one["source"] for one in found]
    if not sources or None in sources:
        return lines, None
    return lines, [line for own in sources for line in own]
