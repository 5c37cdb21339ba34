"""Plan a migration: what would be done, and whether it can work. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.report.artifacts import RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class PlanOperator(PlanningOperator):
    """Resolve topics and groups, refuse what cannot work, write plan.json. Ends the run when ``dry_run`` is true."""

    def execute_task(self, context: Context) -> dict[str, Any]:
        from kafka_ferry.jobs.common.run_lock import acquire_lock, is_active
        from kafka_ferry.jobs.migration.live.flows import Flows
        from kafka_ferry.jobs.migration.live.migration import Migration
        from kafka_ferry.jobs.migration.live.planning import make_plan
        from kafka_ferry.jobs.migration.live.shared_names import migration_names
        from kafka_ferry.jobs.migration.plan_text import plan_text
        from kafka_ferry.jobs.migration.rules.specs import spec_of

        run = context["dag_run"]
        spec = self.asked(context, spec_of(self.engine))
        artifacts = RunArtifacts.of(context)
        migration = Migration(run.dag_id, spec)
        if not spec.dry_run:
            acquire_lock(context, *migration_names(migration))
        flows = Flows(migration, run.dag_id, run.run_id, is_active(context))
        plan = make_plan(migration, artifacts.write_text, flows)
        path = write_plan(artifacts, plan)
        self.log.info("%s\nplan: %s", plan_text(plan), path)
        self.end_dry_run(spec.dry_run)
        told = {"records": plan.records, "bytes": plan.bytes, "estimate": plan.estimate.to_json()}
        return told | {"topics": len(plan.topics)}
