"""What the user asked for: the params of the backup DAGs, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Isolation, Regex, Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids

LOCATION = "s3://ferry-backups/backups"
BackupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]

#: Sections of the form.
_SELECTION: JsonDict = {"section": "Selection"}
_KEEPING: JsonDict = {"section": "Keeping"}
_SECOND_LOCATION: JsonDict = {"section": "Second location"}
_DETAILS: JsonDict = {"section": "Details"}
_REGISTRY: JsonDict = {"section": "Schemas"}
_STORE: JsonDict = {"section": "Store"}


class _BackupSpec(Spec):
    """What all three have. Times are in seconds."""

    form_last = ("aws_conn_id", "signing_conn_id", "patience")

    backup: BackupName = Field(
        default="backup",
        title="Backup name",
        description="Name of the backups.",
    )
    location: str = Field(
        default=LOCATION,
        title="Location",
        description="Where they are stored: s3://bucket/prefix, or file:///folder.",
    )
    aws_conn_id: str | None = Field(
        default="aws_default",
        title="AWS connection",
        description="Airflow connection of type aws, for s3://. Empty: the host's own credentials.",
        json_schema_extra=_STORE,
    )
    signing_conn_id: str | None = Field(
        default=None,
        title="Signing key",
        description=(
            "Airflow connection whose password is the key (32 random bytes and more, or an Ed25519 key in "
            "PEM): manifests are signed with it, and one that is unsigned or altered is refused. Empty: no "
            "signatures."
        ),
        json_schema_extra=_STORE,
    )
    patience: float = Field(
        default=120,
        ge=1,
        le=3600,
        title="Patience",
        description="How long to retry a store that does not answer. In seconds.",
        json_schema_extra=_STORE,
    )
    dry_run: bool = False


class BackupSpec(_BackupSpec):
    """Params of ``backup_topics``."""

    form_first = ("topics", "backup", "location", "source_conn_id", "dry_run", "mode")
    run_kind = Kind.BACKUP
    named_by = ("backup", "location")

    backup: BackupName = Field(
        default="backup",
        title="Backup name",
        description="Backups of one name build on each other, and are kept and pruned together.",
        examples=["nightly", "orders"],
    )
    location: str = Field(
        default=LOCATION,
        title="Location",
        description="Where backups are stored: s3://bucket/prefix, or file:///folder.",
        examples=["s3://ferry-backups/backups"],
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Only plan: say what would be backed up and pruned, and stop.",
    )

    topics: list[Entry] = Field(
        default=[".*"],
        min_length=1,
        title="Topics",
        description=(
            "Topic names or regular expressions, one per line, such as orders or projects.*. A name that "
            "exists means only itself; .* is all but Kafka's own."
        ),
    )
    source_conn_id: str = Field(
        default="kafka_source",
        title="Cluster",
        description="Airflow connection of type kafka, read from.",
    )
    mode: Literal["incremental", "full"] = Field(
        default="incremental",
        title="Mode",
        description="incremental starts where the last backup of this name ended; the first one is full.",
    )
    exclude_topics: list[Entry] = Field(
        default=[],
        title="Topics to leave out",
        description="Names or regular expressions, one per line.",
        json_schema_extra=_SELECTION,
    )
    groups: list[Entry] = Field(
        default=[".*"],
        title="Consumer groups",
        description="Groups whose committed offsets are kept; .* is all of them. Empty: none.",
        json_schema_extra=_SELECTION,
    )
    exclude_groups: list[Entry] = Field(
        default=[],
        title="Groups to leave out",
        description="Names or regular expressions.",
        json_schema_extra=_SELECTION,
    )
    isolation_level: Isolation = Field(
        default="read_committed",
        title="Isolation level",
        description="read_uncommitted also backs up the records of aborted transactions.",
        json_schema_extra=_SELECTION,
    )
    acls: bool = Field(
        default=True,
        title="ACLs",
        description="Note the cluster's ACLs in the manifest.",
        json_schema_extra=_SELECTION,
    )
    quotas: bool = Field(
        default=True,
        title="Quotas",
        description="Note the cluster's client quotas in the manifest.",
        json_schema_extra=_SELECTION,
    )
    registry_conn_id: str | None = Field(
        default=None,
        title="Schema registry",
        description=(
            "Airflow connection of type http, such as registry_source: all that it holds, deleted versions too, goes "
            "into the backup. Empty: no schemas."
        ),
        json_schema_extra=_SELECTION,
    )
    full_every: int | None = Field(
        default=7,
        ge=1,
        title="Full after",
        description="Take a full backup after this many incremental ones. Empty: only the first is full.",
        json_schema_extra=_KEEPING,
    )
    keep_last: int | None = Field(
        default=None,
        ge=1,
        title="Keep the last",
        description="How many backups to keep, with all that these build on. Empty: no limit.",
        json_schema_extra=_KEEPING,
    )
    keep_days: float | None = Field(
        default=None,
        gt=0,
        title="Keep for days",
        description=(
            "Backups younger than that are kept, with all that these build on. With both, either is enough to "
            "stay; with neither all are kept."
        ),
        json_schema_extra=_KEEPING,
    )
    prune_dry_run: bool = Field(
        default=False,
        title="Only list what would be deleted",
        description="Name the backups that would be deleted, and delete none.",
        json_schema_extra=_KEEPING,
    )
    copy_to: str | None = Field(
        default=None,
        title="Copy to",
        description=(
            "A second location, in another region or account, to which each backup is copied; it is pruned "
            "like the first. Empty: none."
        ),
        examples=["s3://our-bucket-far-away/kafka"],
        json_schema_extra=_SECOND_LOCATION,
    )
    copy_aws_conn_id: str | None = Field(
        default="aws_default",
        title="AWS connection there",
        description="Airflow connection of type aws for the copy. Empty: the host's own credentials.",
        json_schema_extra=_SECOND_LOCATION,
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        spec = super().from_params(params)
        if spec.copy_to and spec.copy_to.rstrip("/") == spec.location.rstrip("/"):
            raise BadParam("copy_to", "is the location of the backups itself", "leave it out, or use another location")
        return spec


class RestoreSpec(_BackupSpec):
    """Params of ``restore_topics``."""

    form_first = (
        "topics", "backup", "location", "target_conn_id", "backup_id", "point_in_time", "rename", "dry_run",
    )  # fmt: skip
    run_kind = Kind.RESTORE
    named_by = ("backup", "location", "target_conn_id")

    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Only plan: say what would be restored and stop.",
    )

    topics: list[Entry] = Field(
        default=[],
        title="Topics",
        description="Names or regular expressions, one per line. Empty: all of the backup.",
    )
    target_conn_id: str = Field(
        default="kafka_target",
        title="Target cluster",
        description="Airflow connection of type kafka, written to.",
    )
    backup_id: str | None = Field(
        default=None,
        title="Backup id",
        description=(
            "As of which backup. Empty: the latest, or the first after the point in time. The report of each "
            "run of backup_topics and verify_backup lists the ids; they are also the names of the files in "
            "<location>/<backup>/manifests/."
        ),
        examples=["20261121T020000Z"],
    )
    # ISO 8601.
    point_in_time: str | None = Field(
        default=None,
        title="Point in time",
        description=(
            "Leave out records with a younger timestamp, such as 2026-11-20T22:00:00Z. A cut in each "
            "partition by its records' own timestamps, not one moment across partitions."
        ),
    )
    rename: dict[Regex, str] = Field(
        default={},
        title="Names on the target",
        description="Topic of the backup, or a regular expression that matches all of it, to its name on the target.",
        examples=[{"orders": "orders.restored"}, {"(.*)": "\\1.restored"}],
    )
    partitions: dict[str, list[int]] = Field(
        default={},
        title="Partitions",
        description="Topic to the list of its partitions that are wanted; others come whole.",
        examples=[{"orders": [0, 3]}],
        json_schema_extra=_DETAILS,
    )
    restore_groups: bool = Field(
        default=True,
        title="Restore group offsets",
        description=(
            "Commit, for each group, the offset of the next record it had to read. Only where it "
            "has no members on the target, and no commit there or one that is behind."
        ),
        json_schema_extra=_DETAILS,
    )
    rewind_groups: bool = Field(
        default=False,
        title="Rewind groups",
        description=("Also set back groups that are ahead of the backup on the target: they read those records again."),
        json_schema_extra=_DETAILS,
    )
    groups: list[Entry] = Field(
        default=[".*"],
        title="Consumer groups",
        description="Which groups of the backup; .* is all of them.",
        json_schema_extra=_DETAILS,
    )
    acls: Literal["none", "copy"] = Field(
        default="none",
        title="ACLs",
        description=(
            "copy creates the backup's ACLs of these topics and groups on the target; ACLs not created are listed."
        ),
        json_schema_extra=_DETAILS,
    )
    quotas: Literal["none", "copy"] = Field(
        default="none",
        title="Quotas",
        description=(
            "Client quotas are the cluster's, of no topic. copy sets all of the backup on the target, also where "
            "another value is there; none is taken away."
        ),
        json_schema_extra=_DETAILS,
    )
    target_registry_conn_id: str | None = Field(
        default=None,
        title="Target schema registry",
        description=(
            "Airflow connection of type http, such as registry_target: the backup's schemas are registered there, "
            "before the records come. Empty: they are not restored."
        ),
        json_schema_extra=_REGISTRY,
    )
    schema_ids: Ids = Field(
        default=Ids.KEEP,
        title="Ids of schemas",
        description=(
            "keep: each schema gets the id and version it had (mode IMPORT of the target registry). map: the target "
            "gives ids; records keep theirs."
        ),
        json_schema_extra={**_REGISTRY, "values_display": {"keep": "keep", "map": "map: the target gives them"}},
    )
    subjects: list[Regex] = Field(
        default=[".*"],
        min_length=1,
        max_length=500,
        title="Subjects",
        description=(
            "Which of the backup's, as names or regular expressions, each for a whole name. What they refer to comes "
            "along."
        ),
        json_schema_extra=_REGISTRY,
    )
    replication_factor: int | None = Field(
        default=None,
        ge=1,
        le=32767,
        title="Replication factor",
        description="Of topics created. Empty: the target's default.",
        json_schema_extra=_DETAILS,
    )
    source_conn_id: str | None = Field(
        default=None,
        title="Compare with the source",
        description=(
            "Connection of the cluster that was backed up: restored records are also compared with what it "
            "still has. Empty: compared with the manifest only."
        ),
        json_schema_extra=_DETAILS,
    )

    @model_validator(mode="after")
    def _registry_where_schemas_are_wanted(self) -> RestoreSpec:
        if self.target_registry_conn_id is None and self.subjects != [".*"]:
            raise BadParam(
                "subjects", "is given, but target_registry_conn_id is empty, so it would have no effect",
                "the registry to write to; or leave it out",
            )  # fmt: skip
        return self

    @property
    def asked_of_registry(self) -> Asked:
        """For who carries the schemas."""
        return Asked(
            self.schema_ids,
            self.subjects,
            ids_param="schema_ids",
            source_param="backup",
            side="the backup",
            at_side="in the backup",
        )


class VerifySpec(_BackupSpec):
    """Params of ``verify_backup``."""

    form_first = ("backup", "location", "backup_id", "dry_run")
    run_kind = Kind.VERIFY
    named_by = ("backup", "location")

    backup: BackupName = Field(default="backup", title="Backup name", description="Name of the backups.")
    dry_run: bool = Field(default=False, title="Dry run", description="Only say how much would be read.")

    backup_id: str | None = Field(
        default=None,
        title="Backup id",
        description=(
            "Only this backup, with all it builds on. Empty: every backup of the name. The report of each run lists "
            "the ids."
        ),
    )
