"""The tasks of ``check_connections``, run in order without a scheduler."""

from __future__ import annotations

import contextlib
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.jobs.connections.reported import CONNECTIONS
from kafka_ferry.jobs.connections.tasks import (
    AskOperator,
    ConnectionsReportOperator,
    PlanConnectionsOperator,
    ValidateConnectionsOperator,
)
from tasks_by_hand import TasksByHand


class CheckRun(TasksByHand):
    """One run. ``whole`` runs its tasks, the other methods look at what it left."""

    def __init__(self, run_id: str, **params: Any) -> None:
        super().__init__("check_connections", run_id, "kafka_ferry", params)

    def whole(self) -> dict[str, Any]:
        """report.json."""
        for shard in self.do(PlanConnectionsOperator, "plan"):
            self.do(AskOperator, "ask", shard=shard)
        self.do(ValidateConnectionsOperator, "validate")
        with contextlib.suppress(AirflowFailException):  # the verdict is in the report, which is asserted on
            self.do(ConnectionsReportOperator, "report", job=CONNECTIONS)
        return dict(self.artifacts.read_json("report.json") or {})

    def checks(self) -> dict[str, dict[str, Any]]:
        """After a whole run: connection to its check."""
        return {check["name"]: check for check in self.whole()["checks"]}
