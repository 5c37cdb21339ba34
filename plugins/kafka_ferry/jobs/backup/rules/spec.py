"""What the user asked for: the params of the backup DAGs, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from kafka_ferry.core.spec import Entry, Isolation, Regex, Spec
from kafka_ferry.exceptions import BadParam

BackupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class _BackupSpec(Spec):
    """:param patience: seconds for which a store that does not answer is asked again.
    :param signing_conn_id: whose key signs manifests, and must have signed those that are read. None: nothing is
        signed, and nobody looks at signatures.
    """

    backup: BackupName = "backup"
    location: str = "s3://ferry-backups/backups"
    aws_conn_id: str | None = "aws_default"
    signing_conn_id: str | None = None
    patience: float = Field(default=120, ge=1, le=3600)
    dry_run: bool = False


class BackupSpec(_BackupSpec):
    """Params of ``backup_topics``.

    :param full_every: an incremental backup is made a full one when so many have followed the last full one.
    :param keep_last: how many backups to keep; ``keep_days``: how long. Neither: all are kept.
    :param prune_dry_run: only say what they would delete.
    :param copy_to: a second location, in another region or account, to which each backup is copied by its manifest;
        ``copy_aws_conn_id`` is the connection there.
    """

    source_conn_id: str = "kafka_source"
    topics: list[Entry] = Field(default=[".*"], min_length=1)
    exclude_topics: list[Entry] = Field(default=[])
    groups: list[Entry] = Field(default=[".*"])
    exclude_groups: list[Entry] = Field(default=[])
    mode: Literal["incremental", "full"] = "incremental"
    full_every: int | None = Field(default=7, ge=1)
    keep_last: int | None = Field(default=None, ge=1)
    keep_days: float | None = Field(default=None, gt=0)
    prune_dry_run: bool = False
    copy_to: str | None = None
    copy_aws_conn_id: str | None = "aws_default"
    isolation_level: Isolation = "read_committed"
    acls: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        spec = super().from_params(params)
        if spec.copy_to and spec.copy_to.rstrip("/") == spec.location.rstrip("/"):
            raise BadParam("copy_to", "is the location of the backups itself", "leave it out, or give another place")
        return spec


class RestoreSpec(_BackupSpec):
    """Params of ``restore_topics``.

    :param backup_id: None is the latest, or with a ``point_in_time`` the first one begun after it.
    :param point_in_time: ISO 8601; records with a younger timestamp are left out. That is a cut in each partition by
        its records' own timestamps, not one moment across partitions.
    :param rename: source topic, or a regex that matches the whole of it, to the name on the target.
    :param partitions: topic to the partitions wanted of it.
    :param rewind_groups: also set back groups that stand further on the target than the backup has them.
    :param source_conn_id: the cluster that was backed up; the restored records are also held against what it still
        has. None: against the manifest only.
    :param acls: copy makes the manifest's ACLs of these topics.
    """

    target_conn_id: str = "kafka_target"
    backup_id: str | None = None
    topics: list[Entry] = Field(default=[])
    partitions: dict[str, list[int]] = Field(default={})
    rename: dict[Regex, str] = Field(default={})
    point_in_time: str | None = None
    groups: list[Entry] = Field(default=[".*"])
    restore_groups: bool = True
    rewind_groups: bool = False
    source_conn_id: str | None = None
    acls: Literal["none", "copy"] = "none"
    replication_factor: int | None = Field(default=None, ge=1, le=32767)


class VerifySpec(_BackupSpec):
    """Params of ``verify_backup``.

    :param backup_id: None: every backup of the name.
    """

    backup_id: str | None = None
