"""The params of ``export_topics_to_s3`` and ``import_topics_from_s3``, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.arns import CLUSTER_ARN
from kafka_ferry.core.fields import ExcludedTopics
from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Isolation, Regex
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.layout import Format
from kafka_ferry.jobs.backup.rules.spec import BackupName, BackupSpec, RestoreSpec
from kafka_ferry.jobs.runtimes.msk_connect_spec import ClusterArn
from kafka_ferry.jobs.s3.connect.rules.fields import (
    AFTERWARDS,
    CHOICE,
    CONNECTOR,
    TRANSPORT,
    AcceptLosses,
    Afterwards,
    Choice,
    ConnectConnection,
    Patience,
    TasksMax,
    Transport,
)
from kafka_ferry.jobs.s3.connect.rules.limits import check_connector, check_export, check_import
from kafka_ferry.jobs.s3.connect.rules.msk_params import ARN_OR_NONE, MSK_PARAMS, OnMskConnect

LOCATION = "s3://ferry-backups/exports"
ExportFormat = Literal["parquet", "jsonl", "avro", "bytes"]

#: Sections of the form.
_FOLLOW: JsonDict = {"section": "Follow"}
_SELECTION: JsonDict = {"section": "Selection"}
_OBJECTS: JsonDict = {"section": "Objects"}
_COPY: JsonDict = {"section": "Copy"}
_SIGNATURES: JsonDict = {"section": "Signatures"}


class _ExchangeSpec(OnMskConnect):
    """What both have. Times are in seconds."""

    form_last = (*MSK_PARAMS, "signing_conn_id")

    export: BackupName = Field(
        default="export",
        title="Export name",
        description="Exports of one name continue one another. One run at a time works on a name.",
    )
    location: str = Field(
        default=LOCATION,
        title="Location",
        description="s3://bucket/prefix, or file:///folder that workers share.",
    )
    aws_conn_id: str | None = Field(
        default="aws_default",
        title="AWS connection",
        description="Airflow connection of type aws. Empty: the host's own credentials.",
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Only plan: say what would be done and stop. Nothing is written.",
    )
    follow_for: float = Field(
        default=0,
        ge=0,
        title="Follow for",
        description=(
            "Keep exporting what is written meanwhile, as increments, for so long. 0: stop at what exists at "
            "the start. In seconds."
        ),
        json_schema_extra=_FOLLOW,
    )
    follow_interval: float = Field(
        default=15,
        ge=1,
        le=3600,
        title="Look every",
        description="Between two polls for new records. In seconds.",
        json_schema_extra=_FOLLOW,
    )
    transport: Transport = Field(default="engine", json_schema_extra=TRANSPORT)
    connect_conn_id: ConnectConnection = Field(default="kafka_connect", json_schema_extra=CONNECTOR)
    tasks_max: TasksMax = Field(default=4, json_schema_extra=CONNECTOR)
    connector_afterwards: Afterwards = Field(default="remove", json_schema_extra=AFTERWARDS)
    no_progress_timeout: Patience = Field(default=600, json_schema_extra=CONNECTOR)
    signing_conn_id: str | None = Field(
        default=None,
        title="Signing key",
        description=(
            "Airflow connection whose password is the key: manifests are signed with it, and one that is "
            "unsigned or altered is refused. Empty: no signatures."
        ),
        json_schema_extra=_SIGNATURES,
    )

    @property
    def poll_interval(self) -> float:
        """Between two looks at a connector; MSK Connect takes minutes, and few calls."""
        return min(10.0 if self.transport == "msk_connect" else 5.0, self.follow_interval)


class ExportSpec(_ExchangeSpec):
    """Params of ``export_topics_to_s3``."""

    form_first = ("topics", "source_conn_id", "export", "location", "aws_conn_id", "format", "dry_run")
    run_kind = Kind.EXPORT
    named_by = ("export", "location")

    topics: list[Entry] = Field(
        min_length=1,
        title="Topics",
        description=(
            "Topic names or regular expressions, one per line, such as source-topic-1 or projects.*. A name "
            "that exists means only itself."
        ),
    )
    source_conn_id: str = Field(
        default="kafka_source",
        title="Source cluster",
        description="Airflow connection of type kafka, read from.",
    )
    format: ExportFormat = Field(
        default="parquet",
        title="Format",
        description=(
            "Format of the objects. All but bytes keep key, value, headers, timestamp, offset and partition of every "
            "record, unless another maker's connector writes them."
        ),
        json_schema_extra={
            "values_display": {
                "parquet": "Parquet, zstd: smallest and fastest",
                "jsonl": "JSON lines, gzip: text where it is UTF-8, else base64",
                "avro": "Avro, deflate",
                "bytes": "Values alone: by connectors of other makers only",
            }
        },
    )
    connector: Choice = Field(default="kafka_ferry", json_schema_extra=CHOICE)
    accept_losses: AcceptLosses = Field(default=[], json_schema_extra=CONNECTOR)
    exclude_topics: ExcludedTopics = Field(default=[], json_schema_extra=_SELECTION)
    mode: Literal["incremental", "full"] = Field(
        default="incremental",
        title="Mode",
        description="incremental resumes where the last export of this name ended; full begins at the log start.",
        json_schema_extra=_SELECTION,
    )
    isolation_level: Isolation = Field(
        default="read_committed",
        title="Isolation level",
        description="read_uncommitted exports aborted transactions as if they had been committed.",
        json_schema_extra=_SELECTION,
    )
    segment_mb: int = Field(
        default=64,
        ge=1,
        le=512,
        title="Object size",
        description=(
            "An object is closed when it holds so many MB of keys and values. Memory per process: about five "
            "times that."
        ),
        json_schema_extra=_OBJECTS,
    )
    cluster_arn: str = Field(
        default="",
        pattern=rf"^$|{CLUSTER_ARN}",
        title="Source cluster's ARN",
        description="The MSK cluster that source_conn_id leads to. The connector's brokers, subnets, security "
        "groups and login come from it.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
        json_schema_extra=ARN_OR_NONE,
    )
    verify: bool = Field(
        default=True,
        title="Read back",
        description="Read every object back and compare it with the fingerprints taken while exporting.",
        json_schema_extra=_OBJECTS,
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        spec = super().from_params(params)
        check_connector(spec)
        if spec.transport != "engine":
            check_export(spec)
        return spec

    @property
    def replication_factor(self) -> None:
        """Of what MSK Connect's connector keeps on the source: the cluster's default."""

    @property
    def written(self) -> Format:
        """By this DAG's own tasks, which do not write bytes."""
        assert self.format != "bytes"  # noqa: S101  # check_connector
        return self.format

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
            quotas=False,
        )


class ImportSpec(_ExchangeSpec):
    """Params of ``import_topics_from_s3``."""

    form_first = ("topics", "export", "location", "aws_conn_id", "target_conn_id", "rename", "dry_run")
    run_kind = Kind.IMPORT
    named_by = ("export", "location", "target_conn_id")

    topics: list[Entry] = Field(
        default=[],
        title="Topics",
        description="Source names or regular expressions, one per line. Empty: all topics of the export.",
    )
    rename: dict[Regex, str] = Field(
        default={},
        title="Names on the target",
        description=(
            "Source topic, or a regular expression that matches all of it, to target topic. Others keep their names."
        ),
        examples=[{"source-topic-1": "target-topic-1"}, {"source-(.*)": "target-\\1"}],
    )
    target_conn_id: str = Field(
        default="kafka_target",
        title="Target cluster",
        description="Airflow connection of type kafka, written to.",
    )
    follow_for: float = Field(
        default=0,
        ge=0,
        title="Follow for",
        description=(
            "Keep importing increments as they are exported, for so long. 0: end with the export that exists "
            "at the start. In seconds."
        ),
        json_schema_extra=_FOLLOW,
    )
    # It comes with all that it builds on.
    export_id: str | None = Field(
        default=None,
        title="Export to import",
        description="Id of an export of this name. Empty: the latest. The report of each export says its id.",
        examples=["20261121T020000Z"],
        json_schema_extra=_SELECTION,
    )
    replication_factor: int | None = Field(
        default=None,
        ge=1,
        le=32767,
        title="Replication factor",
        description="Of topics created on the target. Empty: the target's default.replication.factor.",
        json_schema_extra=_SELECTION,
    )
    cluster_arn: ClusterArn = Field(default="", pattern=rf"^$|{CLUSTER_ARN}", json_schema_extra=ARN_OR_NONE)
    copy_to: str | None = Field(
        default=None,
        title="Copy to",
        description=(
            "s3://bucket/prefix near the target, in another region or account: the export is copied there first."
        ),
        examples=["s3://target-bucket/exports"],
        json_schema_extra=_COPY,
    )
    copy_aws_conn_id: str | None = Field(
        default="aws_default",
        title="AWS connection there",
        description="Airflow connection of type aws for the copy.",
        json_schema_extra=_COPY,
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        spec = super().from_params(params)
        if spec.follow_for and spec.export_id:
            raise BadParam("export_id", "is set, but follow_for also imports later exports", "use only one of the two")
        if spec.copy_to and spec.copy_to.rstrip("/") == spec.location.rstrip("/"):
            raise BadParam("copy_to", "is the location of the export itself", "leave it out, or use another location")
        if spec.transport != "engine":
            check_import(spec)
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
