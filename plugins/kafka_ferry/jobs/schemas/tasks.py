"""The tasks that migrate schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pendulum

from kafka_ferry.jobs.common.checks import write_checks
from kafka_ferry.jobs.common.plan import PlanningOperator, write_plan
from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from kafka_ferry.jobs.schemas.live.migration import SchemasMigration


def migration_of(context: Context) -> SchemasMigration:
    """As the run's params ask for it."""
    from kafka_ferry.jobs.schemas.live.migration import SchemasMigration
    from kafka_ferry.jobs.schemas.rules.spec import SchemasSpec

    return SchemasMigration(SchemasSpec.from_params(context["params"]))


class PlanSchemasOperator(PlanningOperator):
    """Compare both registries, and refuse what cannot work. Changes nothing."""

    def execute_task(self, context: Context) -> dict[str, int]:
        from kafka_ferry.core.finding import finding_lines, refuse
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.schemas.live.migration import SchemasMigration
        from kafka_ferry.jobs.schemas.rules.spec import SchemasSpec

        spec, artifacts = self.asked(context, SchemasSpec), RunArtifacts.of(context)
        migration = SchemasMigration(spec)
        if not spec.dry_run:
            acquire_lock(context, migration.shared_name)
        plan = migration.plan(pendulum.now("UTC").isoformat(timespec="seconds"))
        path = write_plan(artifacts, plan)
        lines = [*plan.notes, *map(str, plan.changes[:100]), *finding_lines(plan.findings)]
        more = [f"and {len(plan.changes) - 100} more changes"] if len(plan.changes) > 100 else []
        self.log.info("%s\nplan: %s", "\n".join([*lines, *more]), path)
        refuse(plan.findings)
        self.end_dry_run(spec.dry_run)
        return {"subjects": plan.subjects, "schemas": plan.schemas, "to_register": plan.to_register}


class ApplySchemasOperator(FerryOperator):
    """Register what is missing, in the order of references, and set what differs."""

    def execute_task(self, context: Context) -> dict[str, int]:
        from kafka_ferry.jobs.common.run_lock import acquire_lock
        from kafka_ferry.jobs.registry.live.journal import SettingsJournal

        artifacts, migration = RunArtifacts.of(context), migration_of(context)
        acquire_lock(context, migration.shared_name)
        done = migration.apply(SettingsJournal(artifacts))
        return {"registered": done.registered, "deleted": done.deleted, "settings": done.settings}


class VerifySchemasOperator(FerryOperator):
    """Read both registries again, ask the target for each id, and make the checks."""

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.registry.live.journal import IDS

        artifacts, migration = RunArtifacts.of(context), migration_of(context)
        checks, sentence, ids = migration.verify()
        artifacts.write_json(IDS, [[*key, there] for key, there in sorted(ids.items())])
        made = write_checks(artifacts, {"checks": checks}, sentence)
        for check in checks:
            self.log.info("%s: %s: %s\n%s", check.name, check.status, check.actual, "\n".join(check.differences))
        return made


class RestoreSettingsOperator(FerryOperator):
    """Take back what a run that ended early has left of the target's modes and levels.

    A teardown of no setup: it works whatever happened before it.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.as_teardown(on_failure_fail_dagrun=True)

    def execute_task(self, context: Context) -> int:
        from kafka_ferry.jobs.registry.live.journal import SettingsJournal

        journal = SettingsJournal(RunArtifacts.of(context))
        if not any(journal.open().values()):
            return 0
        restored = migration_of(context).take_back(journal)
        self.log.info("%s settings of the target registry are as they were", restored)
        return restored
