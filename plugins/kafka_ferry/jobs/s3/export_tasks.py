"""The tasks of ``export_topics_to_s3``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pendulum

from kafka_ferry.core.table import table
from kafka_ferry.jobs.common.checks import write_checks
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.shard import ShardOperator, write_shards
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, DONE, WATCHED, ArtifactsUnwritable, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

#: Artifacts that carry one task's findings to the next.
DAMAGE, FOLLOWED = "damage", "followed.jsonl"


def deadline_of(context: Context, seconds: float) -> float:
    """When following ends: so long after the run began, so that a retry does not make it longer."""
    started = context["dag_run"].start_date
    assert started is not None  # noqa: S101  # it is running
    return float(started.timestamp() + seconds)


def noting(context: Context, export: str) -> Callable[[dict[str, Any]], None]:
    """Keeps each increment for the report, and tells the deployment's metrics of it.

    :param export: name of the exports.
    """
    from kafka_ferry.jobs.common.metrics import JobMetrics, Measure

    artifacts, metrics = RunArtifacts.of(context), JobMetrics(context["dag_run"].dag_id, export)

    def note(line: dict[str, Any]) -> None:
        artifacts.append_line(FOLLOWED, line)
        seconds = line["seconds"]
        rate = line["records"] / seconds if seconds else None
        metrics.tell({Measure.LAG_SECONDS: seconds, Measure.RATE: rate})

    return note


def watching(context: Context) -> Callable[[int, float], None]:
    """Keeps each look for the plots of the report, which no copy waits for."""
    artifacts = RunArtifacts.of(context)

    def watch(behind: int, seconds: float) -> None:
        at = pendulum.now("UTC").isoformat()
        try:
            artifacts.append_line(WATCHED, {"at": at, "behind": behind, "seconds": round(seconds, 3)})
        except ArtifactsUnwritable as error:
            log.warning("This look is missing in %s: %s", WATCHED, error)

    return watch


class ExportPlanOperator(PlanningOperator):
    """Say what would be exported, refuse what cannot work, write plan.json. Ends the run when ``dry_run`` is true."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.plan import PlannedTopic, Side
        from kafka_ferry.jobs.backup.store.shared_names import stored_name
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.s3.plan import AnyExportPlan, ConnectorExportPlan, ExportPlan
        from kafka_ferry.jobs.s3.runs import export_run_of, record_bytes
        from kafka_ferry.jobs.s3.s3_spec import ExportSpec

        spec = self.asked(context, ExportSpec)
        if not spec.dry_run:
            acquire_lock(context, stored_name("export", spec.export, spec.location))
        export_run, artifacts = export_run_of(context), RunArtifacts.of(context)
        cluster, planned = export_run.admin.describe_cluster(), export_run.plan()
        sizes = record_bytes(spec.source_conn_id, planned)
        lines: list[PlannedTopic] = []
        for topic in planned.topics:
            records = sum(one.end - one.begin for one in topic.partitions)
            lines.append(
                PlannedTopic(
                    source=topic.name,
                    target=export_run.place(topic.name),
                    partitions=len(topic.partitions),
                    records=records,
                    bytes=round(records * sizes.get(topic.name, 0)),
                )
            )
        plan: AnyExportPlan = ExportPlan(
            planned=planned.created,
            spec=spec.model_dump(mode="json"),
            source=Side(conn_id=spec.source_conn_id, cluster_id=cluster.cluster_id, brokers=cluster.brokers),
            target=Side(conn_id=spec.location),
            export_id=export_run.export_id,
            mode=planned.mode,
            parent=planned.parent,
            topics=lines,
            records=sum(line.records or 0 for line in lines),
            bytes=sum(line.bytes or 0 for line in lines),
            notes=[*planned.notes, *export_run.catalogue.oddities()],
        )
        if spec.transport != "engine":
            from kafka_ferry.jobs.s3.connect.planning import ID_TO_COME, ask_worker, told_losses, way_back
            from kafka_ferry.jobs.s3.connect.sides import ExportSide

            side = ExportSide(artifacts.dag_id, artifacts.run_id, context["params"])
            findings = told_losses(side.carrier)
            asked = ask_worker(side.carrier, None, spec.aws_conn_id)
            own: dict[str, Any] = {
                "findings": findings,
                "notes": [*plan.notes, *asked["notes"], *way_back(side.carrier, artifacts)],
            }
            if spec.connector == "kafka_ferry":
                own["export_id"] = ID_TO_COME
            plan = ConnectorExportPlan(**{**dict(plan), **asked, **own})
        write_plan(artifacts, plan)
        rows = [[line.source, line.partitions, f"{line.records:,}", f"{line.bytes:,}"] for line in lines]
        head = ["topic", "partitions", "records (at most)", "bytes (from a sample)"]
        self.log.info("export %s, %s as %s\n%s", spec.export, planned.mode, spec.format, table(head, rows))
        for note in plan.notes:
            self.log.info("note: %s", note)
        self.end_dry_run(spec.dry_run)
        told = {"export_id": plan.export_id, "mode": plan.mode, "records": plan.records, "bytes": plan.bytes}
        return told | {"topics": len(lines)}


class ExportFreezeOperator(FerryOperator):
    """Freeze the ranges, write the manifest before the first object, and say how many mapped tasks there shall be."""

    def execute_task(self, context: Context) -> list[int]:
        from kafka_ferry.jobs.s3.export_run import shards_of
        from kafka_ferry.jobs.s3.runs import export_run_of

        manifest, artifacts = export_run_of(context).begin(), RunArtifacts.of(context)
        stale = [CHECKS_MADE, *artifacts.names(DAMAGE), WATCHED]
        shards = write_shards(artifacts, shards_of(manifest), "export", "verify", stale=stale)
        self.log.info("export %s: %s, %d mapped task(s)", manifest.backup_id, manifest.state, len(shards))
        return shards


class ExportOperator(ShardOperator):
    """Copy what is left of one shard; segments that a try before this one finished are kept."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.s3.runs import export_run_of

        done = export_run_of(context).run_shard(self.partitions(context))
        if done:  # a retry with nothing left must not forget what the try before it wrote
            RunArtifacts.of(context).write_json(f"{DONE}/export/{self.number:03}.json", done)
        self.log.info("%s", done or "nothing was left to do")
        return done


class ExportFinishOperator(FerryOperator):
    """Declare the export COMPLETE, when every range is covered."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.backup.store.export import Exported
        from kafka_ferry.jobs.s3.runs import export_run_of

        artifacts = RunArtifacts.of(context)
        parts = [artifacts.read_json(name) or {} for name in artifacts.names(f"{DONE}/export")]
        manifest = export_run_of(context).finish([Exported(**part) for part in parts])
        return {"export_id": manifest.backup_id, **manifest.totals.model_dump(mode="json")}


class ExportVerifyOperator(ShardOperator):
    """Read one shard's objects back. What is wrong fails the report, not this task."""

    def execute_task(self, context: Context) -> int:
        from kafka_ferry.jobs.s3.runs import export_run_of

        export_run = export_run_of(context)
        found = export_run.verify_shard(self.partitions(context)) if export_run.spec.verify else []
        texts = [f"{one['topic']}-{one['partition']} offsets {one['begin']} to {one['end'] - 1}: {one['problem']}"
                 for one in found]  # fmt: skip
        for text in texts:
            self.log.error("%s", text)
        RunArtifacts.of(context).write_json(f"{DAMAGE}/{self.number:03}.json", texts)
        return len(texts)


class ExportFollowOperator(FerryOperator):
    """With ``follow_for``: export what is written meanwhile, an increment at a time."""

    def execute_task(self, context: Context) -> dict[str, Any] | None:
        from dataclasses import asdict

        from kafka_ferry.jobs.s3.continuous import export_continuously
        from kafka_ferry.jobs.s3.runs import export_run_of

        export_run = export_run_of(context)
        if not export_run.spec.follow_for:
            self.log.info("follow_for is 0: the export ends with what was there when it was frozen")
            return None
        deadline, note = deadline_of(context, export_run.spec.follow_for), noting(context, export_run.spec.export)
        if export_run.spec.transport != "engine":
            from kafka_ferry.jobs.s3.connect.export_by_connector import ConnectorExportRun
            from kafka_ferry.jobs.s3.connect.following import follow_sink

            assert isinstance(export_run, ConnectorExportRun)  # noqa: S101  # for the type checker
            return asdict(follow_sink(export_run, deadline, note, watching(context)))
        return asdict(export_continuously(export_run, deadline, note, watching(context)))


class ExportValidateOperator(FerryOperator):
    """Make the checks and write checks.json."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.s3.runs import export_run_of
        from kafka_ferry.jobs.s3.s3_judge import judge_export

        export_run, artifacts = export_run_of(context), RunArtifacts.of(context)
        if export_run.spec.connector != "kafka_ferry":
            from kafka_ferry.jobs.s3.connect.rules.vendors.proof import sentence_of
            from kafka_ferry.jobs.s3.connect.vendor_export import VendorExportRun

            assert isinstance(export_run, VendorExportRun)  # noqa: S101  # for the type checker
            made = export_run.judged()
            return write_checks(artifacts, made, sentence_of(made["checks"]))
        damage = [text for name in artifacts.names(DAMAGE) for text in artifacts.read_json(name) or ()]
        followed = artifacts.read_lines(FOLLOWED, whole=True)
        looked = damage if export_run.spec.verify else None
        return write_checks(
            artifacts, judge_export(export_run.manifest(), export_run.spec.location, looked, followed)
        )  # fmt: skip
