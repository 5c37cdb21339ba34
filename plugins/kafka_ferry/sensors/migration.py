"""Wait until the migration's own connectors run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.operators.base import stage
from kafka_ferry.sensors.connect import ConnectorRunningSensor

if TYPE_CHECKING:
    from airflow.sdk import Context


class MigrationRunningSensor(ConnectorRunningSensor):
    """A ``ConnectorRunningSensor`` that takes connectors, interval and time-out from the run's params.

    It makes sure first that the connectors are there, which changes nothing when they are.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(connectors={}, deferrable=True, **kwargs)

    def execute(self, context: Context) -> Any:
        from kafka_ferry.hooks.migration import migration_of
        from kafka_ferry.hooks.mirror_maker2 import deploy
        from kafka_ferry.hooks.run_lock import claim

        with stage(context):
            migration = migration_of(context)
            # Cleared on its own after the removal it would wait for connectors that nobody makes.
            claim(context, migration.spec.migration)
            self.connectors = deploy(migration)
            self.connect_conn_id = migration.spec.connect_conn_id
            self.poke_interval = migration.spec.poll_interval
            self.timeout = migration.spec.running_timeout
            return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        from kafka_ferry.hooks.migration import migration_of

        with stage(context):
            self.timeout = migration_of(context).spec.running_timeout
            return super().execute_complete(context, event)
