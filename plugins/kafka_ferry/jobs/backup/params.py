"""The trigger forms of the backup DAGs."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec, VerifySpec
from kafka_ferry.jobs.common.form import Form


def backup_params(**defaults: Any) -> dict[str, Param]:
    """Params of ``backup_topics``.

    :param defaults: other defaults, for a nightly backup of your own: a scheduled run takes the defaults.
    """
    form = Form(BackupSpec, defaults=defaults)
    form(
        "topics",
        "Topics",
        "Topic names or regular expressions, one per line, such as orders or projects.*. "
        "A name that exists means only itself; .* is all but Kafka's own.",
    )
    form(
        "backup",
        "Backup name",
        "Backups of one name go on from each other and are kept and pruned together.",
        examples=["nightly", "orders"],
    )
    form(
        "location",
        "Location",
        "Where backups are kept: s3://bucket/prefix, or file:///folder.",
        examples=["s3://ferry-backups/backups"],
    )
    form("source_conn_id", "Cluster", "Airflow connection of type kafka, read from.")
    form("dry_run", "Dry run", "Only plan: say what would be backed up and pruned, and stop.")
    form("mode", "Mode", "incremental goes on where the last backup of the name ended; the first one is full.")
    form.section = "Selection"
    form("exclude_topics", "Topics to leave out", "Names or regular expressions, one per line.")
    form("groups", "Consumer groups", "Groups whose committed offsets are kept; .* is all of them. Empty: none.")
    form("exclude_groups", "Groups to leave out", "Names or regular expressions.")
    form("isolation_level", "Isolation level", "read_uncommitted also backs up the records of aborted transactions.")
    form("acls", "ACLs", "Note the cluster's ACLs in the manifest.")
    form.section = "Keeping"
    form("full_every", "Full after", "A full backup after so many incremental ones. Empty: never again.")
    form("keep_last", "Keep the last", "How many backups to keep, and all that these go on from. Empty: no limit.")
    form(
        "keep_days",
        "Keep for days",
        "Backups younger than that are kept, and all these go on from. With both, "
        "either is enough to stay; with neither all are kept.",
    )
    form("prune_dry_run", "Only say what would go", "Name the backups that would be deleted, and delete none.")
    form.section = "Second location"
    form(
        "copy_to",
        "Copy to",
        "A second location, in another region or account, to which each backup is copied; "
        "it is pruned like the first. Empty: none.",
        examples=["s3://our-bucket-far-away/kafka"],
    )
    form(
        "copy_aws_conn_id",
        "AWS connection there",
        "Airflow connection of type aws for the copy. Empty: the host's own credentials.",
    )
    _store(form)
    return form.params


def restore_params(**defaults: Any) -> dict[str, Param]:
    """Params of ``restore_topics``."""
    form = Form(RestoreSpec, defaults=defaults)
    form("topics", "Topics", "Names or regular expressions, one per line. Empty: all of the backup.")
    form("backup", "Backup name", "As the backups were called.")
    form("location", "Location", "Where they are: s3://bucket/prefix, or file:///folder.")
    form("target_conn_id", "Target cluster", "Airflow connection of type kafka, written to.")
    form(
        "backup_id",
        "Backup id",
        "As of which backup. Empty: the latest, or the first after the point in time. The report of each run of "
        "backup_topics and verify_backup lists the ids; they are also the names of the files in "
        "<location>/<backup>/manifests/.",
        examples=["20261121T020000Z"],
    )
    form(
        "point_in_time",
        "Point in time",
        "Leave out records with a younger timestamp, such as "
        "2026-11-20T22:00:00Z. A cut in each partition by its records' own timestamps, not one moment across "
        "partitions.",
    )
    form(
        "rename",
        "Names on the target",
        "Topic of the backup, or a regular expression that matches all of it, to its name on the target.",
        examples=[{"orders": "orders.restored"}, {"(.*)": "\\1.restored"}],
    )
    form("dry_run", "Dry run", "Only plan: say what would be restored and stop.")
    form.section = "Details"
    form(
        "partitions",
        "Partitions",
        "Topic to the list of its partitions that are wanted; others come whole.",
        examples=[{"orders": [0, 3]}],
    )
    form(
        "restore_groups",
        "Restore group offsets",
        "Commit, for each group, the offset whose record is the next one it had to read. Only where it has no members "
        "on the target, and no commit there or one that is behind.",
    )
    form(
        "rewind_groups",
        "Rewind groups",
        "Also set back groups that stand further on the target than the backup has them: they read those again.",
    )
    form("groups", "Consumer groups", "Which groups of the backup; .* is all of them.")
    form(
        "acls",
        "ACLs",
        "copy makes the backup's ACLs of these topics and groups on the target; what is not made is named.",
    )
    form("replication_factor", "Replication factor", "Of topics made. Empty: the target's default.")
    form(
        "source_conn_id",
        "Compare with the source",
        "Connection of the cluster that was backed up: restored "
        "records are also held against what it still has. Empty: against the manifest only.",
    )
    _store(form)
    return form.params


def verify_params(**defaults: Any) -> dict[str, Param]:
    """Params of ``verify_backup``."""
    form = Form(VerifySpec, defaults=defaults)
    form("backup", "Backup name", "As the backups are called.")
    form("location", "Location", "Where they are: s3://bucket/prefix, or file:///folder.")
    form("backup_id", "Backup id", "Only this backup, with all it goes on from. Empty: every backup of the name.")
    form("dry_run", "Dry run", "Only say how much would be read.")
    _store(form)
    return form.params


def _store(form: Form) -> None:
    form.section = "Store"
    form(
        "aws_conn_id", "AWS connection", "Airflow connection of type aws, for s3://. Empty: the host's own credentials."
    )
    form(
        "signing_conn_id",
        "Signing key",
        "Airflow connection whose password is the key (32 random bytes and more, or an Ed25519 key in PEM): manifests "
        "are signed with it, and one that is unsigned or altered is refused. Empty: no signatures.",
    )
    form("patience", "Patience", "How long a store that does not answer is asked again, in seconds.")
