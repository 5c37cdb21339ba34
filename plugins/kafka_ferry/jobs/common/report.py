"""Write the run's report, whatever happened before; red when the verdict is FAIL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.checks import Report, Status
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import REPORT, RunArtifacts
from kafka_ferry.report.reported_job import ReportedJob

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.report.stages import Tasks


class VerdictFailed(FerryError):
    """The target is not what the source is, or the run did not come far enough to tell."""


class ReportOperator(FerryOperator):
    """Gather what the stages found into report.json, report.html and the XCom ``report``.

    A teardown of no setup: it runs after whatever happened before it, and it alone decides the run's state. A plain
    last task would do so too, but for a run that a user marks as failed (or as success): Airflow then skips all that
    has not begun, except teardowns, and calls a run whose last task is skipped a success (measured on 3.3.2).

    :param job: what kind of run it is; None: of none that is known.
    """

    def __init__(self, *, job: ReportedJob | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
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

    def execute_task(self, context: Context) -> None:
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
        except OSError:
            self.log.exception("The page's own files were not written; it reads report.json, unless that is too large")
        context["ti"].xcom_push(key="report", value=summary)
        text = f"{report_text(report)}\nreport: {path}\npage: {page}"
        if report.verdict != "PASS":
            self.log.error("%s", text)
            failed = ", ".join(check.name for check in report.checks if check.status is Status.FAIL)
            reasons = [f"failed checks: {failed}"] * bool(failed) + report.failures
            raise VerdictFailed(f"verdict FAIL: {'; '.join(reasons)}"[:2000])
        self.log.info("%s", text)
        artifacts.sweep()
