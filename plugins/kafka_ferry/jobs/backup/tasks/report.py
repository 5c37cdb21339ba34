"""The report of backups, restores and their verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.core.checks import Report
from kafka_ferry.report.artifacts import RunArtifacts

if TYPE_CHECKING:
    from kafka_ferry.report.stages import Tasks
from kafka_ferry.jobs.common.report import ReportOperator


class ArchiveReportOperator(ReportOperator):
    """The same for backups, restores and their verification."""

    def build(self, artifacts: RunArtifacts, tasks: Tasks | None = None) -> Report:
        from kafka_ferry.jobs.backup.report import build_archive_report

        return build_archive_report(artifacts, self.engine, self.task_id, self.job, tasks, self.judged())
