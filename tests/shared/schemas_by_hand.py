"""The tasks of ``migrate_schemas``, run in order without a scheduler."""

from __future__ import annotations

import contextlib
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.schemas.reported import SCHEMAS
from kafka_ferry.jobs.schemas.tasks import (
    ApplySchemasOperator,
    PlanSchemasOperator,
    RestoreSettingsOperator,
    VerifySchemasOperator,
)
from tasks_by_hand import TasksByHand


class SchemasRun(TasksByHand):
    """One run. ``whole`` runs its tasks."""

    def __init__(self, run_id: str, **params: Any) -> None:
        super().__init__("migrate_schemas", run_id, "kafka_ferry", params)

    def plan(self) -> Any:
        return self.do(PlanSchemasOperator, "plan")

    def apply(self) -> dict[str, int]:
        return dict(self.do(ApplySchemasOperator, "apply"))

    def validate(self) -> dict[str, str]:
        return dict(self.do(VerifySchemasOperator, "validate"))

    def restore(self) -> int:
        return int(self.do(RestoreSettingsOperator, "restore"))

    def report(self) -> dict[str, Any]:
        """report.json."""
        with contextlib.suppress(AirflowFailException):  # the verdict is in the report, which is asserted on
            self.do(ReportOperator, "report", job=SCHEMAS)
        return dict(self.artifacts.read_json("report.json") or {})

    def whole(self) -> dict[str, Any]:
        """report.json of all tasks, one after the other."""
        self.plan()
        self.apply()
        self.validate()
        self.restore()
        return self.report()

    def checks(self) -> dict[str, dict[str, Any]]:
        """After a whole run: name to check."""
        return {check["name"]: check for check in self.whole()["checks"]}
