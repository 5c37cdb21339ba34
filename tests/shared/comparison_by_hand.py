"""The tasks of ``verify_clusters``, run in order without a scheduler."""

from __future__ import annotations

import contextlib
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.migration.reported import COMPARISON
from kafka_ferry.jobs.migration.tasks.comparison import FreezeOperator
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator
from tasks_by_hand import TasksByHand


class Comparison(TasksByHand):
    """One run."""

    def __init__(self, run_id: str, **params: Any) -> None:
        super().__init__("verify_clusters", run_id, "verify_clusters", params)

    def whole(self) -> dict[str, Any]:
        """report.json."""
        self.do(FreezeOperator, "freeze")
        for shard in self.do(ShardsOperator, "shards"):
            self.do(FingerprintOperator, "fingerprint", shard=shard)
        self.do(ValidateOperator, "validate", only_compare=True)
        with contextlib.suppress(AirflowFailException):  # the verdict is in the report, which is asserted on
            self.do(ReportOperator, "report", job=COMPARISON)
        return self.written("report.json")
