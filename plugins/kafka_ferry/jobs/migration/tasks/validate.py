"""Compare the target with the source, check by check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


class ValidateOperator(FerryOperator):
    """Make the checks and write checks.json. It does not fail on a difference: the report does, when all is told.

    :param only_compare: change nothing, and ask nobody but the two clusters and the registries that the params name.
    """

    def __init__(self, *, only_compare: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.only_compare = only_compare

    def execute_task(self, context: Context) -> dict[str, str]:
        from kafka_ferry.jobs.common.run_lock import is_active
        from kafka_ferry.jobs.migration.live.flows import Flows
        from kafka_ferry.jobs.migration.live.migration import migration_of
        from kafka_ferry.jobs.migration.live.registry import carry_what_came_since
        from kafka_ferry.jobs.migration.live.retention import put_limits_back
        from kafka_ferry.jobs.migration.live.validation import make_checks

        migration, artifacts = migration_of(context, self.engine), RunArtifacts.of(context)
        if not self.only_compare:
            run = context["dag_run"]
            flows = Flows(migration, run.dag_id, run.run_id, is_active(context))
            flows.let_go()
            put_limits_back(migration, flows.held_for_others)  # all is compared: from here on the target stays as it is
            carry_what_came_since(context, migration.spec, artifacts)
        made = make_checks(migration, artifacts, self.only_compare)
        artifacts.write_json(CHECKS_MADE, made)
        return {check["name"]: check["status"] for check in made["checks"]}
