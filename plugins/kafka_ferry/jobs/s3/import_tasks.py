"""The tasks of ``import_topics_from_s3``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pendulum

from kafka_ferry.core.plan import Plan
from kafka_ferry.core.table import table
from kafka_ferry.jobs.common.checks import write_checks
from kafka_ferry.jobs.common.plan import PlanningOperator, read_plan, write_plan
from kafka_ferry.jobs.common.shard import ShardOperator, write_shards
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.jobs.s3.export_tasks import FOLLOWED, deadline_of, noting, watching
from kafka_ferry.report.artifacts import CHECKS_MADE, WATCHED, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.core.changes import Change
    from kafka_ferry.core.finding import Finding
    from kafka_ferry.core.plan import PlannedTopic
    from kafka_ferry.jobs.s3.import_run import ImportRun

IMPORTED = "imported"


def _planned(context: Context) -> str | None:
    """Id of the export that this run's plan found; None: there was none yet."""
    plan = read_plan(RunArtifacts.of(context), Plan)
    return plan.export_id if plan else None


def _import_run(context: Context) -> ImportRun | None:
    from kafka_ferry.jobs.s3.runs import ImportJob

    export_id = _planned(context)
    return None if export_id is None else ImportJob(context).import_run(export_id)


def _imported(artifacts: RunArtifacts, what: str) -> list[Any]:
    """What all import tasks of this run found: ``lines`` or ``marks``."""
    return [one for name in artifacts.names(IMPORTED) for one in (artifacts.read_json(name) or {})[what]]


class ImportPlanOperator(PlanningOperator):
    """Find the export, refuse what cannot work, write plan.json. Ends the run when ``dry_run`` is true."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.finding import finding_lines, refuse
        from kafka_ferry.core.plan import Side
        from kafka_ferry.jobs.backup.store.restore_changes import topic_changes
        from kafka_ferry.jobs.backup.store.restore_sizes import restore_findings
        from kafka_ferry.jobs.backup.store.shared_names import read_name
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.s3.plan import AnyImportPlan, ConnectorImportPlan, ImportPlan
        from kafka_ferry.jobs.s3.runs import ImportJob, planned_topics, refuse_itself
        from kafka_ferry.jobs.s3.s3_spec import ImportSpec
        from kafka_ferry.report.plan_lines import first_lines

        spec = self.asked(context, ImportSpec)
        run, artifacts = ImportJob(context), RunArtifacts.of(context)
        if not spec.dry_run:
            acquire_lock(context, read_name("export", spec.export, spec.location, run.cluster))
        cluster, origin = run.cluster.admin.describe_cluster(), run.origin()
        export_id = run.latest(origin)
        lines: list[PlannedTopic] = []
        changes: list[Change] = []
        findings: list[Finding] = []
        notes = ["there is no export yet: the run waits for one"] if export_id is None else []
        notes += run.catalogue(origin).oddities()
        if export_id is not None:
            import_run = run.import_run(export_id, run.catalogue(origin))
            refuse_itself(import_run)
            import_run.check()
            findings, largest = restore_findings(import_run)
            self.log.info("\n".join(finding_lines(findings)))
            refuse(findings)
            lines = planned_topics(import_run, largest)
            changes = topic_changes(import_run)
        plan: AnyImportPlan = ImportPlan(
            planned=pendulum.now("UTC").isoformat(),
            spec=spec.model_dump(mode="json"),
            source=Side(conn_id=spec.location),
            target=Side(conn_id=spec.target_conn_id, cluster_id=cluster.cluster_id, brokers=cluster.brokers),
            export_id=export_id,
            topics=lines,
            changes=changes,
            findings=findings,
            records=sum(line.records or 0 for line in lines),
            bytes=sum(line.bytes or 0 for line in lines),
            notes=notes,
        )
        if spec.transport != "engine":
            from kafka_ferry.jobs.s3.connect.planning import ask_worker, told_losses

            connector = run.by_connector(export_id, run.catalogue(origin))
            conn_id = spec.copy_aws_conn_id if spec.copy_to else spec.aws_conn_id
            found = told_losses(connector.carrier)
            asked = {**ask_worker(connector.carrier, cluster.cluster_id, conn_id), "findings": found}
            both = {name: [*getattr(plan, name), *asked[name]] for name in ("changes", "findings", "notes")}
            plan = ConnectorImportPlan(**{**dict(plan), **asked, **both})
        write_plan(artifacts, plan)
        rows = [[line.source, line.target, line.partitions, f"{line.records:,}", f"{line.bytes:,}"] for line in lines]
        head = ["source topic", "target topic", "partitions", "records", "bytes"]
        told = first_lines([str(change) for change in changes], "changes")
        self.log.info("export %s of %s\n%s\nchanges:\n%s", export_id, spec.export, table(head, rows), "\n".join(told))
        self.end_dry_run(spec.dry_run)
        return {"export_id": export_id, "records": plan.records, "bytes": plan.bytes, "topics": len(lines)}


class CopyObjectsOperator(FerryOperator):
    """With ``copy_to``: bring the export to the target's region or account, by its manifests."""

    def execute_task(self, context: Context) -> dict[str, int] | None:
        from dataclasses import asdict

        from kafka_ferry.jobs.s3.runs import ImportJob

        run, export_id = ImportJob(context), _planned(context)
        if run.spec.copy_to is None or export_id is None:
            return None
        done = asdict(run.transfer(export_id))
        self.log.info("%s -> %s: %s", run.spec.location, run.spec.copy_to, done)
        return done


class ImportTopicsOperator(FerryOperator):
    """Make target topics with the source's partitions and configs, and hold their retention until the teardown."""

    def execute_task(self, context: Context) -> list[str]:
        import_run = _import_run(context)
        made = import_run.prepare() if import_run else []
        for name in made:
            self.log.info("made topic %s", name)
        return made[:100]


class ImportShardsOperator(FerryOperator):
    """Say how many mapped tasks there shall be."""

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.records.sharding import shard

        artifacts, import_run = RunArtifacts.of(context), _import_run(context)
        ranges = import_run.ranges() if import_run else []
        shards = shard((one.at, sum(segment.bytes for segment in one.segments)) for one in ranges)
        stale = [CHECKS_MADE, *artifacts.names(IMPORTED), FOLLOWED, WATCHED]
        numbers = write_shards(artifacts, shards, "import", stale=stale)
        self.log.info("%d partition(s) with something to import or to prove, %d mapped task(s)",
                      len(ranges), len(numbers))  # fmt: skip
        return numbers


class ImportOperator(ShardOperator):
    """Write what is left of one shard and prove it. What differs fails the report, not this task."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.s3.import_run import import_shard
        from kafka_ferry.jobs.s3.runs import ImportJob

        run, export_id = ImportJob(context), _planned(context)
        made: dict[str, Any] = {"done": {}, "lines": [], "marks": []}
        if export_id is not None:
            later = None if run.spec.transport == "engine" else run.import_run
            made = import_shard(run.import_run(export_id), run.order, self.partitions(context), later)
        RunArtifacts.of(context).write_json(f"{IMPORTED}/{self.number:03}.json", made)
        for line in made["lines"]:
            if line["detail"]:
                self.log.error("%s-%d: %s", line["topic"], line["partition"], line["detail"])
        self.log.info("%s", made["done"] or "nothing was left to do")
        return dict(made["done"])


class ImportFollowOperator(FerryOperator):
    """Note how far the import has come; with ``follow_for``: import increments as they appear."""

    def execute_task(self, context: Context) -> dict[str, Any] | None:
        from dataclasses import asdict

        from kafka_ferry.jobs.s3.continuous import import_continuously
        from kafka_ferry.jobs.s3.runs import ImportJob

        run, artifacts, import_run = ImportJob(context), RunArtifacts.of(context), _import_run(context)
        if import_run is not None:
            import_run.confirm(_imported(artifacts, "marks"))
        if not run.spec.follow_for:
            self.log.info("follow_for is 0: the import ends with the export it began with")
            return None
        here, there = run.catalogue(run.store), run.catalogue(run.origin())
        if run.spec.transport != "engine":
            from kafka_ferry.jobs.s3.connect.following import follow_source

            watched = follow_source(
                lambda catalogue: run.by_connector(None, catalogue),
                here,
                deadline_of(context, run.spec.follow_for),
                noting(context, run.spec.export),
                watching(context),
                before=lambda: run.bring(there),
            )
            return asdict(watched)
        done = import_continuously(
            lambda catalogue: run.import_run(None, catalogue),
            here,
            deadline_of(context, run.spec.follow_for),
            run.spec.follow_interval,
            noting(context, run.spec.export),
            watching(context),
            before=lambda: run.bring(there),
        )
        return asdict(done)


class ImportValidateOperator(FerryOperator):
    """Make the checks and write checks.json."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.s3.runs import ImportJob
        from kafka_ferry.jobs.s3.s3_judge import judge_import

        run, artifacts = ImportJob(context), RunArtifacts.of(context)
        followed = artifacts.read_lines(FOLLOWED, whole=True)
        latest = followed[-1]["id"] if followed else _planned(context)
        import_run = run.import_run(latest) if latest else None
        topics = import_run.topics if import_run else []
        states = run.cluster.admin.topics([topic.name for topic in topics])
        lines = _imported(artifacts, "lines")
        lines += [line for increment in followed for line in increment["lines"]]
        return write_checks(
            artifacts,
            judge_import(
                topics,
                {name: state.partitions for name, state in states.items()},
                import_run.configs_in_the_end() if import_run else {},
                lines,
            ),
        )


class ImportReleaseOperator(FerryOperator):
    """Put back the retention that was held."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.jobs.s3.runs import ImportJob

        run = ImportJob(context)
        # Following may have been killed between holding a topic and telling of it.
        latest = run.latest(run.store) if run.spec.follow_for else _planned(context)
        if latest is None:
            return []
        changed = run.import_run(latest).let_go()
        self.log.info("retention and cleanup policy are the target's own again: %d topic(s)", len(changed))
        return changed[:100]
