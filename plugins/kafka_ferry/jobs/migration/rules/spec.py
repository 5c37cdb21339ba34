"""The params of a migration, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic.config import JsonDict

from kafka_ferry.core.arns import CLUSTER_ARN
from kafka_ferry.core.fields import DryRun, ExcludedTopics, PollInterval, TargetCluster
from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Isolation, Name, Spec
from kafka_ferry.core.topic_rename import DEFAULT_FORMAT, TopicRename
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.around import (
    Acls,
    AclScope,
    AclScopeParam,
    AclsParam,
    DeleteAclsOf,
    PrincipalsParam,
    Quotas,
    QuotasParam,
    SchemaIds,
    SchemaIdsParam,
    ScramConnection,
    ScramUsers,
    ScramUsersParam,
    SourceRegistry,
    TargetRegistry,
    check_around,
)  # fmt: skip

#: Sections of the form.
_SELECTION: JsonDict = {"section": "Selection"}
REPLICATION: JsonDict = {"section": "Replication"}
PROOF: JsonDict = {"section": "Proof"}
WAITING: JsonDict = {"section": "Waiting"}


class Naming(StrEnum):
    """How a source topic is called on the target."""

    IDENTITY = "identity"
    PREFIX = "prefix"
    RENAME = "rename"


class Throughput(StrEnum):
    """Named sets of client settings; see ``jobs.migration.engines.throughput_config``."""

    LAN = "lan"
    WAN = "wan"
    GENTLE = "gentle"


class Verification(StrEnum):
    """How contents are compared: ``content`` reads and hashes both sides, ``counts`` only counts."""

    CONTENT = "content"
    COUNTS = "counts"


class GroupOffsets(StrEnum):
    """Who commits on the target: ``exact`` is us, by record identity; ``mm2`` leaves it to its checkpoints alone."""

    EXACT = "exact"
    MM2 = "mm2"


class ProvisionThrough(StrEnum):
    """Who makes topics on the target: its brokers, or MSK's topic API, where Airflow may not ask or reach them."""

    KAFKA = "kafka"
    MSK_API = "msk_api"


class MigrationSpec(Spec):
    """What the user asked for, in the names of the trigger form. Times are in seconds."""

    run_kind = Kind.COPY
    named_by: ClassVar[tuple[str, ...]] = ("migration",)
    #: What moves the records; each engine has a DAG, and a spec where it takes params of its own.
    engine: ClassVar[str] = "mirror_maker2_on_connect"
    #: Whether records are written as the target connection's user; else the engine has a login of its own.
    writes_as_us: ClassVar[bool] = True
    #: What it cannot do otherwise: param to the one value that it may have, and why.
    only: ClassVar[Mapping[str, tuple[Any, str]]] = {}

    topics: list[Entry] = Field(
        min_length=1,
        title="Topics",
        description=(
            "Topic names or regular expressions, one per line, such as orders or projects.*. A name that "
            "exists means only itself."
        ),
    )
    migration: Name = Field(
        default="ferry",
        title="Migration name",
        description="Names the connectors. The same name resumes where it stopped; use one name per migration.",
        examples=["event-center", "wave-1"],
    )
    source_conn_id: str = Field(
        default="kafka_source",
        title="Source cluster",
        description="Airflow connection of type kafka, read from.",
        examples=["kafka_source"],
    )
    target_conn_id: TargetCluster = "kafka_target"
    dry_run: DryRun = False
    keep_replicating: bool = Field(
        default=False,
        title="Keep replicating",
        description="Leave the connectors running at the end; the last task says how to stop them.",
    )
    exclude_topics: ExcludedTopics = Field(default=[], json_schema_extra=_SELECTION)
    groups: list[Entry] = Field(
        default=[".*"],
        title="Consumer groups",
        description="Groups whose offsets are copied, one per line; .* is all of them. Empty: none.",
        json_schema_extra=_SELECTION,
    )
    exclude_groups: list[Entry] = Field(
        default=[],
        title="Groups to leave out",
        description="Names or regular expressions, such as test-.*.",
        json_schema_extra=_SELECTION,
    )
    naming: Naming = Field(
        default=Naming.IDENTITY,
        title="Names on the target",
        description=(
            "Keep the names, prefix them with the alias, or rename by a format (the workers need Kafka Ferry's JAR)."
        ),
        json_schema_extra={
            **_SELECTION,
            "values_display": {
                "identity": "the same names",
                "prefix": "<alias>.<topic>",
                "rename": "by the rename format",
            },
        },
    )
    topic_rename_format: str = Field(
        default=DEFAULT_FORMAT,
        title="Rename format",
        description=("Topic names on the target when naming is by format; ${topic} is the source's name."),
        examples=["${topic}.replica"],
        json_schema_extra=_SELECTION,
    )
    source_alias: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-]{1,60}$",
        title="Source alias",
        description="MirrorMaker 2's name of the source, and the prefix. Default: the migration's name.",
        examples=["old", "event-center"],
        json_schema_extra=_SELECTION,
    )
    connect_conn_id: str | None = Field(
        default="kafka_connect",
        title="Kafka Connect",
        description="Airflow connection of type kafka_connect or http: a worker of Kafka Connect 3.8 or newer.",
        examples=["kafka_connect"],
        json_schema_extra={**REPLICATION, "type": "string"},  # None is for engines that need none
    )
    throughput: Throughput = Field(
        default=Throughput.LAN,
        title="Throughput profile",
        description="Client settings, as measured.",
        json_schema_extra={
            **REPLICATION,
            "values_display": {
                "lan": "lan: large batches, lz4",
                "wan": "wan: the same, with open receive windows",
                "gentle": "gentle: large batches, lz4, one task",
            },
        },
    )
    tasks_max: int = Field(
        default=4,
        ge=1,
        le=1000,
        title="Tasks",
        description="Parallel tasks per connector (tasks.max).",
        json_schema_extra=REPLICATION,
    )
    isolation_level: Isolation = Field(
        default="read_committed",
        title="Isolation level",
        description="read_uncommitted copies aborted transactions as if they had been committed.",
        json_schema_extra=REPLICATION,
    )
    replication_factor: int | None = Field(
        default=None,
        ge=1,
        le=32767,
        title="Replication factor",
        description="Of topics created on the target. Empty: the target's default.replication.factor.",
        json_schema_extra=REPLICATION,
    )
    provision_through: ProvisionThrough = Field(
        default=ProvisionThrough.KAFKA,
        title="Create topics through",
        description="The target's brokers, or MSK's topic API: where the target's connection may not create topics.",
        json_schema_extra={
            **REPLICATION,
            "values_display": {"kafka": "its brokers", "msk_api": "Amazon MSK's topic API"},
        },
    )
    cluster_arn: str | None = Field(
        default=None,
        pattern=CLUSTER_ARN,
        title="Target cluster's ARN",
        description="The MSK cluster that the target connection leads to: for MSK's topic API, and so that the plan "
        "knows the limits of Express brokers and MSK Serverless.",
        examples=["arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5"],
        json_schema_extra=REPLICATION,
    )
    aws_conn_id: str = Field(
        default="aws_default",
        title="AWS",
        description="Airflow connection of type aws, for cluster_arn.",
        examples=["aws_default"],
        json_schema_extra=REPLICATION,
    )
    exactly_once: bool = Field(
        default=False,
        title="Exactly once",
        description=(
            "MirrorMaker 2 writes in transactions, so that a crash repeats nothing. The workers need "
            "exactly.once.source.support=enabled."
        ),
        json_schema_extra=REPLICATION,
    )
    heartbeats: bool = Field(
        default=False,
        title="Heartbeats",
        description="Run MirrorHeartbeatConnector too.",
        json_schema_extra=REPLICATION,
    )
    hold_retention: bool = Field(
        default=True,
        title="Hold retention",
        description=(
            "Lift the target's limits by age and size where they would delete or reject records during the "
            "copy; they are restored before the last checks."
        ),
        json_schema_extra=REPLICATION,
    )
    refused_configs: Literal["fail", "skip"] = Field(
        default="fail",
        title="Refused configs",
        description=(
            "Topic configs of the source that the target does not take. fail: the run is refused and names them; skip: "
            "they are left out, and listed in the report."
        ),
        json_schema_extra=REPLICATION,
    )
    verification: Verification = Field(
        default=Verification.CONTENT,
        title="Verification",
        description="content compares every record by its hash; counts compares numbers of records only.",
        json_schema_extra=PROOF,
    )
    duplicates: Literal["fail", "explain"] = Field(
        default="fail",
        title="Duplicates",
        description=(
            "MirrorMaker 2 may send records again after a crash. fail: verdict FAIL; explain: listed and counted only."
        ),
        json_schema_extra=PROOF,
    )
    canary: bool = Field(
        default=True,
        title="Canary",
        description=(
            "Create a canary topic on the source after the start, and see it arrive: proves that new topics "
            "and new records do. It is deleted on both sides."
        ),
        json_schema_extra=PROOF,
    )
    group_offsets: GroupOffsets = Field(
        default=GroupOffsets.EXACT,
        title="Group offsets",
        description=(
            "exact: written by record identity; mm2: MirrorMaker 2's own translation, which may deliver records again."
        ),
        json_schema_extra=PROOF,
    )
    acls: AclsParam = Acls.CHECK
    acl_scope: AclScopeParam = AclScope.TOPICS
    delete_acls_of: DeleteAclsOf = Field(default=[])
    principals: PrincipalsParam = Field(default={})
    quotas: QuotasParam = Quotas.CHECK
    scram_users: ScramUsersParam = ScramUsers.CHECK
    scram_conn_id: ScramConnection = None
    source_registry_conn_id: SourceRegistry = None
    target_registry_conn_id: TargetRegistry = None
    schema_ids: SchemaIdsParam = SchemaIds.NONE
    poll_interval: PollInterval = Field(default=10, json_schema_extra=WAITING)
    running_timeout: float = Field(
        default=300,
        ge=5,
        title="Time to start",
        description="Until all tasks must run. In seconds.",
        json_schema_extra=WAITING,
    )
    convergence_timeout: float = Field(
        default=86400,
        ge=10,
        title="Time to copy",
        description="Until all records must have arrived. In seconds; 86400 is a day.",
        json_schema_extra=WAITING,
    )
    no_progress_timeout: float = Field(
        default=600,
        ge=5,
        title="Patience",
        description="Without any progress the run fails. In seconds.",
        json_schema_extra=WAITING,
    )

    @field_validator("*")
    @classmethod
    def _can_be_done(cls, value: Any, info: ValidationInfo) -> Any:
        wanted, why = cls.only.get(info.field_name or "", (value, ""))
        if value != wanted:
            raise ValueError(why)
        return value

    @field_validator("topic_rename_format")
    @classmethod
    def _renames(cls, value: str) -> str:
        try:
            return TopicRename(value).format
        except ValueError as error:
            raise BadParam("topic_rename_format", str(error), f"a format such as {DEFAULT_FORMAT}") from error

    @model_validator(mode="after")
    def _format_acts(self) -> Self:
        if self.topic_rename_format != DEFAULT_FORMAT and self.naming is not Naming.RENAME:
            # It would be ignored: the topics would keep their names, against the user's wish.
            problem = f"is given, but naming is {self.naming.value}, so it would have no effect"
            raise BadParam("topic_rename_format", problem, "naming: rename; or leave the format out")
        return self

    @model_validator(mode="after")
    def _around_fits(self) -> Self:
        check_around(self)
        return self

    @model_validator(mode="after")
    def _transactions_are_read(self) -> Self:
        if self.exactly_once and self.isolation_level != "read_committed":
            # MirrorSourceConnector.exactlyOnceSupport: UNSUPPORTED then.
            raise BadParam("exactly_once", "is on, but isolation_level is read_uncommitted", "read_committed")
        return self

    @property
    def alias(self) -> str:
        """MM2's source cluster alias: names its offset-syncs topic, and the prefix when ``naming`` is prefix.

        By default the migration's own name: two migrations that share an alias mix their offset-syncs topics and
        translate groups wrongly (measured on Kafka 4.3.1).
        """
        return self.source_alias or self.migration

    @property
    def headers_left_out(self) -> tuple[str, ...]:
        """Names of headers that the engine adds to the records, and that no comparison counts."""
        return ()

    def target_topic(self, topic: str) -> str:
        """The name on the target of a source topic."""
        if self.naming is Naming.RENAME:
            return TopicRename(self.topic_rename_format).target(topic)
        return f"{self.alias}.{topic}" if self.naming is Naming.PREFIX else topic

    def target_prefix(self, prefix: str) -> str | None:
        """What the target's names begin with of topics that begin so on the source; None: nothing covers just them."""
        if self.naming is Naming.RENAME:
            return f"{TopicRename(self.topic_rename_format).before}{prefix}"
        return self.target_topic(prefix)

    @property
    def topic_rename(self) -> TopicRename | None:
        """The format when ``naming`` is rename and it changes names at all."""
        rename = TopicRename(self.topic_rename_format) if self.naming is Naming.RENAME else None
        return None if rename is None or rename.changes_nothing else rename
