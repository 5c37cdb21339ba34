"""The trigger forms of the backup DAGs; defaults and limits are those of the specs.

What a user always sets carries no section, so that the form opens on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from kafka_ferry.backup.spec import BackupSpec, RestoreSpec, VerifySpec

if TYPE_CHECKING:
    from pydantic import BaseModel

_SELECTION, _KEEPING, _COPY, _STORE, _DETAILS = "Selection", "Keeping", "Second location", "Store", "Details"
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
_NAMES = {"type": "array", "items": {"type": "string"}}


def backup_params(**defaults: Any) -> dict[str, Param]:
    """Params of ``backup_topics``.

    :param defaults: other defaults, for a nightly backup of your own: a scheduled run takes the defaults.
    """

    def param(name: str, title: str, description: str, **schema: Any) -> Param:
        return _param(BackupSpec, defaults, name, title, description, **schema)

    return {
        "topics": param(
            "topics", "Topics", "Topic names or regular expressions, one per line, such as orders or projects.*. "
            "A name that exists means only itself; .* is all but Kafka's own.", **_NAMES, minItems=1,
        ),
        "backup": param(
            "backup", "Backup name", "Backups of one name go on from each other and are kept and pruned together.",
            pattern=_NAME, examples=["nightly", "orders"],
        ),
        "location": param(
            "location", "Location", "Where backups are kept: s3://bucket/prefix, or file:///folder.",
            examples=["s3://ferry-backups/backups"],
        ),
        "source_conn_id": param("source_conn_id", "Cluster", "Airflow connection of type kafka, read from."),
        "dry_run": param(
            "dry_run", "Dry run", "Only plan: say what would be backed up and pruned, and stop.", type="boolean"
        ),
        "mode": param(
            "mode", "Mode", "incremental goes on where the last backup of the name ended; the first one is full.",
            enum=["incremental", "full"],
        ),
        "exclude_topics": param(
            "exclude_topics", "Topics to leave out", "Names or regular expressions, one per line.", **_NAMES,
            section=_SELECTION,
        ),
        "groups": param(
            "groups", "Consumer groups", "Groups whose committed offsets are kept; .* is all of them. Empty: none.",
            **_NAMES, section=_SELECTION,
        ),
        "exclude_groups": param(
            "exclude_groups", "Groups to leave out", "Names or regular expressions.", **_NAMES, section=_SELECTION
        ),
        "isolation_level": param(
            "isolation_level", "Isolation level", "read_uncommitted also backs up the records of aborted transactions.",
            enum=["read_committed", "read_uncommitted"], section=_SELECTION,
        ),
        "acls": param("acls", "ACLs", "Note the cluster's ACLs in the manifest.", type="boolean", section=_SELECTION),
        "full_every": param(
            "full_every", "Full after", "A full backup after so many incremental ones. Empty: never again.",
            type=["null", "integer"], minimum=1, section=_KEEPING,
        ),
        "keep_last": param(
            "keep_last", "Keep the last", "How many backups to keep, and all that these go on from. Empty: no limit.",
            type=["null", "integer"], minimum=1, section=_KEEPING,
        ),
        "keep_days": param(
            "keep_days", "Keep for days", "Backups younger than that are kept, and all these go on from. With both, "
            "either is enough to stay; with neither all are kept.",
            type=["null", "number"], exclusiveMinimum=0, section=_KEEPING,
        ),
        "prune_dry_run": param(
            "prune_dry_run", "Only say what would go", "Name the backups that would be deleted, and delete none.",
            type="boolean", section=_KEEPING,
        ),
        "copy_to": param(
            "copy_to", "Copy to", "A second location, in another region or account, to which each backup is copied; "
            "it is pruned like the first. Empty: none.", type=["null", "string"],
            examples=["s3://our-bucket-far-away/kafka"], section=_COPY,
        ),
        "copy_aws_conn_id": param(
            "copy_aws_conn_id", "AWS connection there", "Airflow connection of type aws for the copy. Empty: the "
            "host's own credentials.", type=["null", "string"], section=_COPY,
        ),
        **_store(BackupSpec, defaults),
    }  # fmt: skip


def restore_params(**defaults: Any) -> dict[str, Param]:
    """Params of ``restore_topics``."""

    def param(name: str, title: str, description: str, **schema: Any) -> Param:
        return _param(RestoreSpec, defaults, name, title, description, **schema)

    return {
        "topics": param(
            "topics", "Topics", "Names or regular expressions, one per line. Empty: all of the backup.", **_NAMES
        ),
        "backup": param("backup", "Backup name", "As the backups were called.", pattern=_NAME),
        "location": param("location", "Location", "Where they are: s3://bucket/prefix, or file:///folder."),
        "target_conn_id": param("target_conn_id", "Target cluster", "Airflow connection of type kafka, written to."),
        "backup_id": param(
            "backup_id", "Backup id", "As of which backup. Empty: the latest, or the first after the point in time.",
            type=["null", "string"], examples=["20261121T020000Z"],
        ),
        "point_in_time": param(
            "point_in_time", "Point in time", "Leave out records with a younger timestamp, such as "
            "2026-11-20T22:00:00Z. A cut in each partition by its records' own timestamps, not one moment across "
            "partitions.", type=["null", "string"],
        ),
        "rename": param(
            "rename", "Names on the target", "Topic of the backup, or a regular expression that matches all of it, to "
            "its name on the target.", type="object",
            examples=[{"orders": "orders.restored"}, {"(.*)": "\\1.restored"}],
        ),
        "dry_run": param("dry_run", "Dry run", "Only plan: say what would be restored and stop.", type="boolean"),
        "partitions": param(
            "partitions", "Partitions", "Topic to the list of its partitions that are wanted; others come whole.",
            type="object", examples=[{"orders": [0, 3]}], section=_DETAILS,
        ),
        "restore_groups": param(
            "restore_groups", "Restore group offsets", "Commit, for each group, the offset whose record is the next "
            "one it had to read.", type="boolean", section=_DETAILS,
        ),
        "groups": param(
            "groups", "Consumer groups", "Which groups of the backup; .* is all of them.", **_NAMES, section=_DETAILS
        ),
        "acls": param(
            "acls", "ACLs",
            "copy makes the backup's ACLs of these topics and groups on the target; what is not made is named.",
            enum=["none", "copy"], section=_DETAILS,
        ),
        "replication_factor": param(
            "replication_factor", "Replication factor", "Of topics made. Empty: the target's default.",
            type=["null", "integer"], minimum=1, maximum=32767, section=_DETAILS,
        ),
        "source_conn_id": param(
            "source_conn_id", "Compare with the source", "Connection of the cluster that was backed up: restored "
            "records are also held against what it still has. Empty: against the manifest only.",
            type=["null", "string"], section=_DETAILS,
        ),
        **_store(RestoreSpec, defaults),
    }  # fmt: skip


def verify_params(**defaults: Any) -> dict[str, Param]:
    """Params of ``verify_backup``."""

    def param(name: str, title: str, description: str, **schema: Any) -> Param:
        return _param(VerifySpec, defaults, name, title, description, **schema)

    return {
        "backup": param("backup", "Backup name", "As the backups are called.", pattern=_NAME),
        "location": param("location", "Location", "Where they are: s3://bucket/prefix, or file:///folder."),
        "backup_id": param(
            "backup_id", "Backup id", "Only this backup, with all it goes on from. Empty: every backup of the name.",
            type=["null", "string"],
        ),
        "dry_run": param("dry_run", "Dry run", "Only say how much would be read.", type="boolean"),
        **_store(VerifySpec, defaults),
    }  # fmt: skip


def _store(spec: type[BaseModel], defaults: dict[str, Any]) -> dict[str, Param]:
    return {
        "aws_conn_id": _param(
            spec, defaults, "aws_conn_id", "AWS connection", "Airflow connection of type aws, for s3://. Empty: the "
            "host's own credentials.", type=["null", "string"], section=_STORE,
        ),
        "patience": _param(
            spec, defaults, "patience", "Patience", "How long a store that does not answer is asked again, in seconds.",
            type="number", minimum=1, maximum=3600, section=_STORE,
        ),
    }  # fmt: skip


def _param(
    spec: type[BaseModel], defaults: dict[str, Any], name: str, title: str, description: str, **schema: Any
) -> Param:
    schema.setdefault("type", "string")
    field = spec.model_fields[name]
    return Param(defaults.get(name, field.default), title=title, description=description, **schema)
