"""Write the run's report, whatever happened before; red when the verdict is FAIL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.operators.base import FerryOperator
from kafka_ferry.report.model import CHECKS, Report, Status
from kafka_ferry.report.storage import REPORT, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


#: How the report calls what is no engine.
_LABELS = {
    "verify_clusters": "none: compared as they are",
    "msk_replicator": "msk_replicator (tested against a double of its API, not run on AWS by this project)",
}


class VerdictFailed(FerryError):
    """The target is not what the source is, or the run did not come far enough to tell."""


class ReportOperator(FerryOperator):
    """Gather what the stages found into report.json, report.html and the XCom ``report``.

    Runs after failures too (``trigger_rule="all_done"``), so that a run that broke half-way says where and why.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trigger_rule="all_done", **kwargs)

    def checklist(self) -> Sequence[str]:
        """Names of the checks that such a run is to make."""
        return CHECKS

    def build(self, artifacts: RunArtifacts) -> Report:
        from kafka_ferry.report.build import build_report

        return build_report(artifacts, _LABELS.get(self.engine, self.engine), self.task_id, self.checklist())

    def ferry(self, context: Context) -> None:
        from kafka_ferry.report.build import report_text
        from kafka_ferry.report.page import write_page

        artifacts = RunArtifacts.of(context)
        report = self.build(artifacts)
        path = artifacts.write_json(REPORT, report.to_json())
        page = write_page(artifacts, report)
        context["ti"].xcom_push(key="report", value=report.summary(path))
        text = f"{report_text(report)}\nreport: {path}\npage: {page}"
        if report.verdict != "PASS":
            self.log.error("%s", text)
            failed = ", ".join(check.name for check in report.checks if check.status is Status.FAIL)
            reasons = [f"failed checks: {failed}"] * bool(failed) + report.failures
            raise VerdictFailed(f"verdict FAIL: {'; '.join(reasons)}"[:2000])
        self.log.info("%s", text)


class ArchiveReportOperator(ReportOperator):
    """The same for backups, restores and their verification."""

    def build(self, artifacts: RunArtifacts) -> Report:
        from kafka_ferry.report.archive import build_archive_report

        return build_archive_report(artifacts, self.engine, self.task_id)
