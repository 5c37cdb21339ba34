"""Schemas carried beside the records of a migration."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.registry.hook import RegistryHook
from kafka_ferry.jobs.migration.rules.around import SchemaIds
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.registry.live.carrier import SchemasCarrier
from kafka_ferry.jobs.registry.live.reading import RegistryReader
from kafka_ferry.jobs.registry.live.source import readable, refuse_glue
from kafka_ferry.jobs.registry.live.stage import carry
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids
from kafka_ferry.jobs.registry.rules.changes import changes_of, note_of
from kafka_ferry.jobs.registry.rules.state import RegistryState
from kafka_ferry.report.artifacts import RunArtifacts

log = logging.getLogger(__name__)


def carrier_of(spec: MigrationSpec) -> SchemasCarrier | None:
    """Who carries all schemas of the source registry to the target's; None: nobody is to.

    :raises BadParam: AWS Glue is asked for what it does not have.
    """
    source, target = spec.source_registry_conn_id, spec.target_registry_conn_id
    if spec.schema_ids is SchemaIds.NONE or not source or not target:
        return None
    asked = Asked(
        Ids(spec.schema_ids.value),
        ids_param="schema_ids",
        subjects_param="schema_ids",
        leave_out="carry the others by migrate_schemas and its param subjects, with schema_ids: none here",
        may_be_empty=True,
    )
    refuse_glue(asked, source, target)

    def read() -> RegistryState:
        # With what is deleted: records of before may have its ids.
        return RegistryReader(readable(source)).source(asked.wants, deleted=True)

    return SchemasCarrier(asked, read, RegistryHook(target))


def carry_what_came_since(context: Mapping[str, Any], spec: MigrationSpec, artifacts: RunArtifacts) -> None:
    """A copy takes days, in which applications go on registering: what came meanwhile is carried before it is proven.

    What cannot be carried, the check ``registry`` names.
    """
    carrier = carrier_of(spec)
    if carrier is None:
        return
    try:
        carry(context, carrier, artifacts)
    except FerryError as error:
        if error.retriable:
            raise
        log.warning("schemas: %s", error)


def registry_plan(spec: MigrationSpec) -> tuple[list[Change], list[Finding], list[str]]:
    """What would be done at the target registry, what stands against it, and all of it in a line."""
    carrier = carrier_of(spec)
    if carrier is None:
        return [], [], []
    decision, findings = carrier.planned()
    note = f"schemas: {note_of(carrier.asked, carrier.source, decision)}, before the copy begins"
    return changes_of(carrier.asked, decision), findings, [note]
