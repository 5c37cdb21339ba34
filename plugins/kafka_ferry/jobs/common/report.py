"""Write the run's report, whatever happened before; red when the verdict is FAIL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.checks import Report, Status
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.proven import PROVEN
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import REPORT, ArtifactsUnwritable, RunArtifacts
from kafka_ferry.report.reported_job import ReportedJob

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.core.job_name import JobName
    from kafka_ferry.report.stages import Tasks


class VerdictFailed(FerryError):
    """The target is not what the source is, or the run did not come far enough to tell."""


class ReportOperator(FerryOperator):
    """Gather what the stages found into report.json, report.html and the XCom ``report``.

    A teardown of no setup: it runs after whatever happened before it, and it alone decides the run's state. A plain
    last task would do so too, but for a run that a user marks as failed (or as success): Airflow then skips all that
    has not begun, except teardowns, and calls a run whose last task is skipped a success (measured on 3.3.2).

    A PASS also lets the event of an asset come (``jobs/common/proven.py``).

    :param job: what kind of run it is; None: of none that is known.
    """

    def __init__(self, *, job: ReportedJob | None = None, **kwargs: Any) -> None:
        super().__init__(**{"outlets": [PROVEN], **kwargs})
        self.job = job or ReportedJob()
        self.as_teardown(on_failure_fail_dagrun=True)

    def build(self, artifacts: RunArtifacts, tasks: Tasks | None = None) -> Report:
        """:param tasks: what Airflow says of the run's tasks; None: it could not be asked."""
        from kafka_ferry.report.build import build_report

        return build_report(artifacts, self.engine, self.task_id, self.job, tasks, self.judged())

    def judged(self) -> frozenset[str]:
        """Ids of the tasks whose work validate judges: all before it, but the plan, which does nothing, and setups,
        which run again by themselves when a later task is cleared."""
        dag = self.get_dag()
        if dag is None or not dag.has_task("validate"):
            return frozenset()
        before = dag.get_task("validate").get_flat_relatives(upstream=True)
        return frozenset(task.task_id for task in before if not task.is_setup and task.task_id != "plan")

    def tasks(self, context: Context) -> Tasks | None:
        """What Airflow says of the run's tasks. A report without it is better than none."""
        from kafka_ferry.report.reading import task_names

        run = context["dag_run"]
        try:
            states = context["ti"].get_task_states(dag_id=run.dag_id, run_ids=[run.run_id]).get(run.run_id, {})
        except Exception:
            self.log.exception("Airflow does not report how the run's tasks ended; their own notes are used")
            return None
        return task_names(states, [task.task_id for task in self.dag.topological_sort()])

    def proves(self, report: Report) -> bool:
        """Whether there is something new that other DAGs may build on."""
        return report.verdict == "PASS"

    def tell_metrics(self, report: Report, name: str) -> None:
        """:param name: of the job."""
        from kafka_ferry.jobs.common.metrics import JobMetrics, Measure

        moved = report.throughput
        rate = moved.counted[0] / moved.seconds if moved.seconds else None
        lost = sum(line.lost for line in report.topics) if report.topics else None
        JobMetrics(report.dag_id, name).tell({Measure.RATE: rate, Measure.LOST: lost}, report.verdict)

    def tell_others(self, context: Context, report: Report, of: JobName) -> None:
        """Let other DAGs know what was proven."""
        from kafka_ferry.jobs.common.proven import asset_of, emit
        from kafka_ferry.report.address import report_address

        counted = [line.target_records for line in report.topics if line.target_records is not None]
        own = next((line.backup_id for line in report.backups if line.own), None)
        emit(
            context,
            asset_of(of),
            {
                "verdict": report.verdict,
                "dag_id": report.dag_id,
                "run_id": report.run_id,
                "name": of.name,
                "topics": len(report.topics),
                "records": sum(counted) if counted else report.throughput.records,
                "ended": report.ended,
                "link": report_address(report.dag_id, report.run_id),
                **({"backup_id": own} if own else {}),
            },
        )

    def execute_task(self, context: Context) -> None:
        from kafka_ferry.jobs.common.job_of import job_of
        from kafka_ferry.report.build import report_text
        from kafka_ferry.report.page import write_page
        from kafka_ferry.report.pages import write_pages

        artifacts = RunArtifacts.of(context)
        report = self.build(artifacts, self.tasks(context))
        path = artifacts.write_blocks(REPORT, report.blocks())
        page = write_page(artifacts, report)
        summary = report.summary(path)
        try:
            summary["pages"] = write_pages(artifacts, report)
        except ArtifactsUnwritable:
            self.log.exception("The page's own files were not written; it reads report.json, unless that is too large")
        context["ti"].xcom_push(key="report", value=summary)
        of = job_of(self.dag, context["ti"])
        self.tell_metrics(report, of.name)
        text = f"{report_text(report)}\nreport: {path}\npage: {page}"
        if report.verdict != "PASS":
            self.log.error("%s", text)
            failed = ", ".join(check.name for check in report.checks if check.status is Status.FAIL)
            reasons = [f"failed checks: {failed}"] * bool(failed) + report.failures
            raise VerdictFailed(f"verdict FAIL: {'; '.join(reasons)}"[:2000])
        self.log.info("%s", text)
        if of.kind and self.proves(report):
            self.tell_others(context, report, of)
        artifacts.sweep()
