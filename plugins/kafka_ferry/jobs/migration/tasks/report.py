"""The report of a migration."""

from __future__ import annotations

from typing import Any

from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.migration.reported import migration


class MigrationReportOperator(ReportOperator):
    """In the words of a migration by the engine that the DAG's tasks are told of."""

    def __init__(self, *, engine: str = "mirror_maker2_on_connect", **kwargs: Any) -> None:
        super().__init__(engine=engine, job=migration(engine), **kwargs)
