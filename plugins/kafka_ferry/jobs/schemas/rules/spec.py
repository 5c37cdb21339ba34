"""The params of ``migrate_schemas``, checked once, typed from then on. Pure."""

from __future__ import annotations

from pydantic import Field, model_validator

from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Regex, Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids


class SchemasSpec(Spec):
    """What the user asked for, in the names of the trigger form."""

    run_kind = Kind.SCHEMAS
    named_by = ("subjects", "source_registry_conn_id", "target_registry_conn_id")

    source_registry_conn_id: Entry = Field(
        default="registry_source",
        title="Source registry",
        description=(
            "Airflow connection, read from: the Confluent API of a schema registry (type http), or AWS Glue (type aws)."
        ),
    )
    target_registry_conn_id: Entry = Field(
        default="registry_target",
        title="Target registry",
        description="Airflow connection of type http, written to.",
    )
    subjects: list[Regex] = Field(
        default=[".*"],
        min_length=1,
        max_length=500,
        title="Subjects",
        description=(
            "Names or regular expressions, one per line, each for a whole name; a subject of another context is called "
            ":.context:name. What they refer to comes along."
        ),
        examples=[["orders-.*", ":.eu:.*"]],
    )
    ids: Ids = Field(
        default=Ids.KEEP,
        title="Ids",
        description=(
            "keep: each schema gets the id and version it has at the source (mode IMPORT of the target registry). map: "
            "the target gives ids; records keep the ids of the source, which no replication can rewrite."
        ),
        json_schema_extra={"values_display": {"keep": "keep", "map": "map: the target gives them"}},
    )
    deleted: bool = Field(
        default=False,
        title="Deleted versions",
        description="Carry softly deleted versions too, and delete them there: old records may still have their ids.",
    )
    dry_run: bool = Field(default=False, title="Dry run", description="End the run after its plan.")

    @model_validator(mode="after")
    def _two_registries(self) -> SchemasSpec:
        if self.source_registry_conn_id == self.target_registry_conn_id:
            raise BadParam(
                "target_registry_conn_id", "is the source, too", "the connection of the registry that is to be filled"
            )
        return self

    @property
    def asked(self) -> Asked:
        """For who carries them."""
        return Asked(self.ids, self.subjects)
