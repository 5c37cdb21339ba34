"""The work of ``migrate_schemas``, without Airflow."""

from __future__ import annotations

from kafka_ferry.hooks.registry.hook import RegistryHook
from kafka_ferry.jobs.registry.live.carrier import SchemasCarrier
from kafka_ferry.jobs.registry.live.reading import RegistryReader
from kafka_ferry.jobs.registry.live.source import readable, refuse_glue
from kafka_ferry.jobs.registry.rules.state import RegistryState
from kafka_ferry.jobs.schemas.rules.plan import SchemasPlan, plan_of
from kafka_ferry.jobs.schemas.rules.spec import SchemasSpec


class SchemasMigration(SchemasCarrier):
    """One migration of schemas.

    :param spec: what was asked for.
    :raises BadParam: AWS Glue is asked for what it does not have.
    """

    def __init__(self, spec: SchemasSpec) -> None:
        self.spec = spec
        refuse_glue(spec.asked, spec.source_registry_conn_id, spec.target_registry_conn_id)

        def read() -> RegistryState:
            return RegistryReader(readable(spec.source_registry_conn_id)).source(spec.asked.wants, spec.deleted)

        super().__init__(spec.asked, read, RegistryHook(spec.target_registry_conn_id))

    def plan(self, now: str) -> SchemasPlan:
        """What would be done, with all that stands against it. Changes nothing."""
        decision, findings = self.planned()
        return plan_of(self.spec, self.source, decision, findings, now)
