"""Show that new topics and new records arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import CANARY, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class CanaryOperator(FerryOperator):
    """Send a canary topic over the replication. What does not arrive fails the report, not this task."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.migration.live.canary import send_canary
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.rules.canary import skipped_checks

        migration, artifacts = migration_of(context, self.engine), RunArtifacts.of(context)
        artifacts.delete(CANARY)  # of an earlier try: it says nothing about this one
        checks = send_canary(migration) if migration.spec.canary else skipped_checks("param canary is off")
        for check in checks:
            self.log.info("%s: %s %s %s", check.name, check.status, check.actual, check.detail)
        artifacts.write_json(CANARY, [check.model_dump(mode="json") for check in checks])
        return {check.name: check.status.value for check in checks}
