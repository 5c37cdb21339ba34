"""The tasks of ``import_files_from_s3``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pendulum

from kafka_ferry.core.table import table
from kafka_ferry.jobs.common.checks import write_checks
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.shard import ShardOperator, write_shards
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

_IMPORTED = "imported"


class FilesPlanOperator(PlanningOperator):
    """List the files, say what they lack, refuse what cannot work, write plan.json. Ends the run when ``dry_run``."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.finding import finding_lines, refuse
        from kafka_ferry.core.plan import PlannedTopic, Side
        from kafka_ferry.jobs.backup.store.restore_changes import topic_changes
        from kafka_ferry.jobs.backup.store.shared_names import read_name
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.s3.files.files_job import FilesJob
        from kafka_ferry.jobs.s3.files.files_spec import FilesSpec
        from kafka_ferry.jobs.s3.files.plan import FilesPlan
        from kafka_ferry.report.plan_lines import first_lines

        spec, artifacts = self.asked(context, FilesSpec), RunArtifacts.of(context)
        job = FilesJob(context)
        if not spec.dry_run:
            acquire_lock(context, read_name("location", "files", spec.location, job.cluster))
        cluster = job.cluster.admin.describe_cluster()
        job.list_files()
        files_run, own = job.files_run(), dict(job.partitions())
        findings = job.findings(job.sampled(), files_run)
        self.log.info("\n".join(finding_lines(findings)))
        sizes = {
            topic: sum(one.size for at, files in own.items() if at[0] == topic for one in files) for topic in job.counts
        }
        plan = FilesPlan(
            planned=pendulum.now("UTC").isoformat(),
            spec=spec.model_dump(mode="json"),
            source=Side(conn_id=spec.location),
            target=Side(conn_id=spec.target_conn_id, cluster_id=cluster.cluster_id, brokers=cluster.brokers),
            topics=[
                PlannedTopic(
                    source=topic.source.name,
                    target=topic.name,
                    partitions=len(topic.source.partitions),
                    bytes=sizes[topic.source.name],
                )
                for topic in files_run.topics
            ],
            files=sum(map(len, own.values())),
            bytes=sum(sizes.values()),
            changes=topic_changes(files_run),
            findings=findings,
            notes=[f"{topic}: {_files_of(own, topic)}" for topic in job.counts],
        )
        write_plan(artifacts, plan)
        rows = [[line.source, line.target, line.partitions, f"{line.bytes:,}"] for line in plan.topics]
        told = first_lines([str(change) for change in plan.changes], "changes")
        head = ["topic of the files", "target topic", "partitions", "bytes of files"]
        self.log.info("%s\n%s\nchanges:\n%s", "\n".join(plan.notes), table(head, rows), "\n".join(told))
        refuse(findings)
        files_run.check()
        self.end_dry_run(spec.dry_run)
        return {"files": plan.files, "bytes": plan.bytes, "topics": len(plan.topics)}


def _files_of(own: dict[Any, Any], topic: str) -> str:
    parts = {at[1]: files for at, files in own.items() if at[0] == topic and files}
    first = ", ".join(f"{number} from offset {files[0].value.offset}" for number, files in list(parts.items())[:10])
    return f"{sum(map(len, parts.values())):,} files; partition {first}{' …' if len(parts) > 10 else ''}"


class FilesShardsOperator(FerryOperator):
    """Say how many mapped tasks there shall be: for reading, and for importing."""

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.jobs.s3.files.files_job import READ, FilesJob
        from kafka_ferry.records.sharding import shard

        job = FilesJob(context)
        shards = shard((list(at), sum(one.size for one in files)) for at, files in job.partitions())
        stale = [CHECKS_MADE, *job.artifacts.names(READ), *job.artifacts.names(_IMPORTED)]
        return write_shards(job.artifacts, shards, "read", "import", stale=stale)


class ReadFilesOperator(ShardOperator):
    """Read every file of one shard: how many records it has, which offsets, what is missing; their fingerprints."""

    def execute_task(self, context: Context) -> dict[str, int]:
        from kafka_ferry.jobs.s3.files.files_job import READ, FilesJob
        from kafka_ferry.jobs.s3.files.store.files_run import read_files

        job, own = FilesJob(context), set(self.partitions(context))
        found = read_files(job.order, job.spec, {at: files for at, files in job.partitions() if at in own})
        job.artifacts.write_json(f"{READ}/{self.number:03}.json", [one.to_json() for one in found])
        done = {
            "files": sum(one.files for one in found),
            "records": sum(segment.records for one in found for segment in one.segments),
            "missing_offsets": sum(one.missing for one in found),
            "records_twice": sum(one.repeated for one in found),
        }
        self.log.info("%s", done)
        return done


class FilesTopicsOperator(FerryOperator):
    """Refuse what reading has found and nobody accepted; make target topics, and hold their retention."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.core.finding import finding_lines, refuse
        from kafka_ferry.jobs.backup.store.restore_sizes import restore_findings
        from kafka_ferry.jobs.s3.files.files_job import FilesJob

        job = FilesJob(context)
        read = job.read()
        job.refuse_read(read)
        files_run = job.files_run(read)
        findings, _ = restore_findings(files_run)
        self.log.info("\n".join(finding_lines(findings)))
        refuse(findings)
        made = files_run.prepare()
        for name in made:
            self.log.info("made topic %s", name)
        return made[:100]


class ImportFilesOperator(ShardOperator):
    """Write what is left of one shard and prove it. What differs fails the report, not this task."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.s3.files.files_job import FilesJob
        from kafka_ferry.jobs.s3.files.store.files_run import import_files

        job = FilesJob(context)
        files_run = job.files_run(job.read_by(self.number))
        names = {topic.source.name: topic.name for topic in files_run.topics}
        mine = [(names[topic], partition) for topic, partition in self.partitions(context)]
        made = import_files(files_run, job.order, job.spec, mine)
        job.artifacts.write_json(f"{_IMPORTED}/{self.number:03}.json", made)
        for line in made["lines"]:
            if line["detail"]:
                self.log.error("%s-%d: %s", line["topic"], line["partition"], line["detail"])
        self.log.info("%s", made["done"] or "nothing was left to do")
        return dict(made["done"])


class FilesValidateOperator(FerryOperator):
    """Note how far the import has come, make the checks and write checks.json."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.s3.files.files_job import FilesJob
        from kafka_ferry.jobs.s3.files.rules.judge import judge_files

        job = FilesJob(context)
        read = job.read()
        files_run = job.files_run(read)
        imported = [job.artifacts.read_json(name) or {} for name in job.artifacts.names(_IMPORTED)]
        files_run.confirm([mark for one in imported for mark in one["marks"]])
        states = job.cluster.admin.topics([topic.name for topic in files_run.topics])
        return write_checks(
            job.artifacts,
            judge_files(
                files_run.topics,
                {name: state.partitions for name, state in states.items()},
                [line for one in imported for line in one["lines"]],
                [{**vars(one), "segments": None} for one in read],
                (job.listing.others, job.listing.named),
            ),
        )


class FilesReleaseOperator(FerryOperator):
    """Put back the retention that was held."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.jobs.s3.files.files_job import FilesJob

        changed = FilesJob(context).files_run().let_go()
        self.log.info("retention and cleanup policy are the target's own again: %d topic(s)", len(changed))
        return changed[:100]
