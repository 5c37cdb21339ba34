"""The tasks of ``stream_database_changes``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.checks import Report
from kafka_ferry.core.leftovers import leftovers_check
from kafka_ferry.core.table import table
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.cdc.reported import STREAM
from kafka_ferry.jobs.common.checks import write_checks
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, LEFTOVERS, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.report.stages import Tasks


class StreamPlanOperator(PlanningOperator):
    """Look at the database, refuse what cannot work, write plan.json. Ends the run when ``dry_run`` is true."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.core.finding import finding_lines, refuse
        from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream
        from kafka_ferry.jobs.cdc.live.shared_names import stream_names
        from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
        from kafka_ferry.jobs.common.run_lock import acquire_lock

        spec = self.asked(context, StreamSpec)
        stream, artifacts = CdcStream(context["dag_run"].dag_id, spec), RunArtifacts.of(context)
        if not spec.dry_run:
            acquire_lock(context, *stream_names(stream))
        artifacts.delete(CHECKS_MADE)
        findings = stream.findings()
        for text in finding_lines(findings):
            self.log.info("%s", text)
        refuse(findings)
        plan = stream.plan(findings)
        stream.config()  # refuses what cannot work
        write_plan(artifacts, plan)
        rows = [[line.source, line.target, f"{line.records:,}", "there" if line.exists else "will be created"]
                for line in plan.topics]  # fmt: skip
        head = ["table", "topic", "rows (estimated)", "topic is"]
        self.log.info("connector %s, server id %d\n%s", plan.connector, plan.server_id, table(head, rows))
        for note in plan.notes:
            self.log.info("note: %s", note)
        self.end_dry_run(spec.dry_run)
        return {"connector": plan.connector, "tables": len(rows), "rows": plan.records}


class StreamDeployOperator(FerryOperator):
    """Start the connector, or change what differs. Refuses a schema history that does not go with its position."""

    def execute_task(self, context: Context) -> list[str]:
        from kafka_ferry.jobs.cdc.live.cdc_stream import stream_of
        from kafka_ferry.jobs.cdc.live.shared_names import stream_names
        from kafka_ferry.jobs.common.run_lock import acquire_lock

        stream = stream_of(context)
        acquire_lock(context, *stream_names(stream))  # this run may have been cleared while another works
        kept = stream.deploy()
        self.log.info("%s", "it resumes where it stopped" if kept else "it starts with a snapshot")
        return [stream.connector.name]


class StreamValidateOperator(FerryOperator):
    """Compare the topics with the database's rows and its binary log, and write checks.json."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.cdc.live.cdc_stream import stream_of
        from kafka_ferry.jobs.cdc.live.validation import validate

        artifacts = RunArtifacts.of(context)
        artifacts.delete(CHECKS_MADE)
        return write_checks(artifacts, validate(stream_of(context)))


class StreamRemoveOperator(FerryOperator):
    """Take the connector away, or say how to stop it (``keep_streaming``). Topics with data stay."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.cdc.live.cdc_stream import stream_of
        from kafka_ferry.jobs.cdc.live.shared_names import stream_names
        from kafka_ferry.jobs.common.run_lock import other_holder

        stream, artifacts = stream_of(context), RunArtifacts.of(context)
        artifacts.discard(LEFTOVERS)  # of an earlier try: it says nothing about this one
        kept = stream.connector.how_to_stop() if stream.spec.keep_streaming else ""
        if other := other_holder(context, *stream_names(stream)):
            kept = f"run {other} is working on this stream: its connector is left alone"
        if kept:
            self.log.info("%s", kept)
            artifacts.write_json(LEFTOVERS, [leftovers_check(kept=kept).model_dump(mode="json")])
            return {"kept": [stream.connector.name]}
        removed, left = stream.remove(), stream.left()
        artifacts.write_json(LEFTOVERS, [leftovers_check(left).model_dump(mode="json")])
        if left:
            raise FerryError(f"still present after the removal: {', '.join(left)}. Fix: clear this task")
        return removed


class StreamReportOperator(ReportOperator):
    """The report, in a stream's own words, of a stream's own checks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(job=STREAM, **kwargs)

    def build(self, artifacts: RunArtifacts, tasks: Tasks | None = None) -> Report:
        from kafka_ferry.jobs.cdc.rules.judge import stream_sentence

        report = super().build(artifacts, tasks)
        return report.model_copy(update={"sentence": stream_sentence(report)})
