"""The report of backups, restores and their verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.core.checks import Report
from kafka_ferry.jobs.backup.reported import BACKUP, VERIFICATION
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.report.artifacts import RunArtifacts

if TYPE_CHECKING:
    from kafka_ferry.report.stages import Tasks


class ArchiveReportOperator(ReportOperator):
    """The same for backups, restores and their verification."""

    def build(self, artifacts: RunArtifacts, tasks: Tasks | None = None) -> Report:
        from kafka_ferry.jobs.backup.report import build_archive_report

        return build_archive_report(artifacts, self.engine, self.task_id, self.job, tasks, self.judged())

    def proves(self, report: Report) -> bool:
        """A run that found its data interval covered made no backup: the run that did has told of it."""
        made = self.job is not BACKUP or any(line.own for line in report.backups)
        return made and super().proves(report)

    def tell_metrics(self, report: Report, name: str) -> None:
        """Of backups also how old the youngest good one is."""
        from kafka_ferry.jobs.backup.age import tell_age

        super().tell_metrics(report, name)
        if self.job in (BACKUP, VERIFICATION):
            tell_age(report.dag_id, name, report.backups)
