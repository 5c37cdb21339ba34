"""The params of ``export_topics_to_s3`` and ``import_topics_from_s3``, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field

from kafka_ferry.core.spec import Entry, Isolation, Regex, Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.layout import Format
from kafka_ferry.jobs.backup.rules.spec import BackupName, BackupSpec, RestoreSpec

LOCATION = "s3://ferry-backups/exports"


class _ExchangeSpec(Spec):
    """What both have. Times are in seconds.

    :param export: the name that exports of the same topics share. ``location``: ``s3://bucket/prefix``.
    :param signing_conn_id: as of backups.
    :param follow_for: how long to go on with what is written meanwhile; 0 ends with what was there at the start.
    :param follow_interval: between two looks.
    """

    export: BackupName = "export"
    location: str = LOCATION
    aws_conn_id: str | None = "aws_default"
    signing_conn_id: str | None = None
    follow_for: float = Field(default=0, ge=0)
    follow_interval: float = Field(default=15, ge=1, le=3600)
    dry_run: bool = False


class ExportSpec(_ExchangeSpec):
    """Params of ``export_topics_to_s3``.

    :param mode: "incremental" goes on where the last export of this name ended.
    :param segment_mb: an object is cut when it holds so many MB of keys and values.
    :param verify: read every object back and hold it against the fingerprints taken while exporting.
    """

    source_conn_id: str = "kafka_source"
    topics: list[Entry] = Field(min_length=1)
    exclude_topics: list[Entry] = Field(default=[])
    format: Format = "parquet"
    mode: Literal["incremental", "full"] = "incremental"
    isolation_level: Isolation = "read_committed"
    segment_mb: int = Field(default=64, ge=1, le=512)
    verify: bool = True

    def backup(self, *, full: bool | None = None) -> BackupSpec:
        """What the engine is asked to freeze; no groups, no ACLs: an export is of records.

        :param full: default: what ``mode`` says.
        """
        whole = self.mode == "full" if full is None else full
        return BackupSpec(
            backup=self.export,
            location=self.location,
            source_conn_id=self.source_conn_id,
            topics=self.topics,
            exclude_topics=self.exclude_topics,
            groups=[],
            mode="full" if whole else "incremental",
            full_every=None,
            isolation_level=self.isolation_level,
            acls=False,
        )


class ImportSpec(_ExchangeSpec):
    """Params of ``import_topics_from_s3``.

    :param export_id: None is the latest; it comes with all that it goes on from.
    :param topics: of the export, by their names there; empty: all.
    :param rename: source topic, or a regex that matches the whole of it, to sink topic.
    :param copy_to: a location near the sink, to which the export is copied first, by its manifests;
        ``copy_aws_conn_id`` is the connection there.
    """

    target_conn_id: str = "kafka_target"
    topics: list[Entry] = Field(default=[])
    rename: dict[Regex, str] = Field(default={})
    export_id: str | None = None
    copy_to: str | None = None
    copy_aws_conn_id: str | None = "aws_default"
    replication_factor: int | None = Field(default=None, ge=1, le=32767)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        spec = super().from_params(params)
        if spec.follow_for and spec.export_id:
            raise BadParam("export_id", "is given, but follow_for asks for what comes later too", "leave one of both")
        if spec.copy_to and spec.copy_to.rstrip("/") == spec.location.rstrip("/"):
            raise BadParam("copy_to", "is the location of the export itself", "leave it out, or give another place")
        return spec

    def restore(self, export_id: str | None = None) -> RestoreSpec:
        """What the engine is asked to write."""
        return RestoreSpec(
            backup=self.export,
            location=self.copy_to or self.location,
            aws_conn_id=self.copy_aws_conn_id if self.copy_to else self.aws_conn_id,
            target_conn_id=self.target_conn_id,
            backup_id=export_id or self.export_id,
            topics=self.topics,
            rename=self.rename,
            groups=[],
            replication_factor=self.replication_factor,
        )
