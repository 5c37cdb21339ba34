"""Schema ids in the records, looked up in both registries."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.exceptions import BadConnection, BadParam, FerryError
from kafka_ferry.hooks.registry.hook import RegistryHook, leads_to_glue
from kafka_ferry.jobs.migration.live.schema_meanings import Meanings, SchemaMeanings
from kafka_ferry.jobs.migration.rules.schemas import check_schemas, first_of_each, ids_of_registry
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, Verification
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.schema_ids import SchemaIdUse, counted


def schemas_check(spec: MigrationSpec, results: Sequence[PartitionResult]) -> Check:
    """The check ``schemas``; skipped where the params name no registries.

    :raises FerryError: a registry cannot be asked; it may be retriable.
    """
    source, target = spec.source_registry_conn_id, spec.target_registry_conn_id
    if not source or not target:
        why = "params source_registry_conn_id and target_registry_conn_id are empty: no registry was asked"
        return Check(name="schemas", status=Status.SKIPPED, detail=why)
    if spec.verification is Verification.COUNTS:
        return Check(name="schemas", status=Status.SKIPPED, detail="param verification is counts: no record was read")
    found: dict[str, list[SchemaIdUse]] = {}
    for result in results:
        found.setdefault(result.source_topic, []).extend(result.schema_ids)
    uses = counted(found)
    asked, meant = _meanings(source, "source"), _meanings(target, "target")
    ours = asked.of(first_of_each(uses))
    rest = ids_of_registry(uses, ours)
    ours |= asked.of([key for key in rest if key not in ours])
    theirs = meant.of([key for key in rest if key[0] not in asked.unable])
    forms = {use.form for _, use in uses}
    unable = {form: why for form, why in {**meant.unable, **asked.unable}.items() if form in forms}
    return check_schemas(uses, ours, theirs, unable)


def _meanings(conn_id: str, side: str) -> Meanings:
    if leads_to_glue(conn_id):
        from kafka_ferry.jobs.migration.live.glue_meanings import GlueMeanings  # boto3: few have a registry of Glue's

        return GlueMeanings(conn_id, side)
    return SchemaMeanings(RegistryHook(conn_id), side)


def refuse_no_registry(spec: MigrationSpec) -> None:
    """Ask the registries that the params name for a thing that all of them know: at the end of a run it would be late.

    :raises BadParam: one is no registry, or lets us not in. ``TransientError``: it does not answer.
    """
    for param in ("source_registry_conn_id", "target_registry_conn_id"):
        conn_id = getattr(spec, param)
        try:
            if conn_id and leads_to_glue(conn_id):
                from kafka_ferry.hooks.registry.glue import GlueRegistry

                GlueRegistry(conn_id).subjects()
            elif conn_id:
                RegistryHook(conn_id, patience=10).subjects()
        except FerryError as error:
            if error.retriable or isinstance(error, BadConnection):
                raise
            fix = "a connection to the Confluent API of a schema registry, or of type aws to AWS Glue"
            raise BadParam(param, str(error), fix) from error
