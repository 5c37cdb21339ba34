"""The params of a migration, checked once, typed from then on. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from kafka_ferry.core.arns import CLUSTER_ARN
from kafka_ferry.core.spec import Entry, Isolation, Name, Regex, Spec
from kafka_ferry.core.topic_rename import DEFAULT_FORMAT, TopicRename
from kafka_ferry.exceptions import BadParam


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


class Acls(StrEnum):
    """What is done about ACLs: nothing, compare, or make what MirrorMaker 2 would carry and compare."""

    CHECK = "check"
    COPY = "copy"
    SKIP = "skip"


class MigrationSpec(Spec):
    """What the user asked for, in the names of the trigger form. Times are in seconds."""

    #: What moves the records; each engine has a DAG, and a spec where it takes params of its own.
    engine: ClassVar[str] = "mirror_maker2_on_connect"
    #: Whether records are written as the target connection's user; else the engine has a login of its own.
    writes_as_us: ClassVar[bool] = True
    #: What it cannot do otherwise: param to the one value that it may have, and why.
    only: ClassVar[Mapping[str, tuple[Any, str]]] = {}

    source_conn_id: str = "kafka_source"
    target_conn_id: str = "kafka_target"
    connect_conn_id: str | None = "kafka_connect"
    migration: Name = "ferry"
    topics: list[Entry] = Field(min_length=1)
    exclude_topics: list[Entry] = Field(default=[])
    groups: list[Entry] = Field(default=[".*"])
    exclude_groups: list[Entry] = Field(default=[])
    naming: Naming = Naming.IDENTITY
    topic_rename_format: str = DEFAULT_FORMAT
    source_alias: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,60}$")
    tasks_max: int = Field(default=4, ge=1, le=1000)
    replication_factor: int | None = Field(default=None, ge=1, le=32767)
    provision_through: ProvisionThrough = ProvisionThrough.KAFKA
    cluster_arn: str | None = Field(default=None, pattern=CLUSTER_ARN)
    aws_conn_id: str = "aws_default"
    throughput: Throughput = Throughput.LAN
    isolation_level: Isolation = "read_committed"
    group_offsets: GroupOffsets = GroupOffsets.EXACT
    verification: Verification = Verification.CONTENT
    duplicates: Literal["fail", "explain"] = "fail"
    acls: Acls = Acls.CHECK
    heartbeats: bool = False
    canary: bool = True
    keep_replicating: bool = False
    hold_retention: bool = True
    dry_run: bool = False
    poll_interval: float = Field(default=10, ge=0.5, le=3600)
    running_timeout: float = Field(default=300, ge=5)
    convergence_timeout: float = Field(default=86400, ge=10)
    no_progress_timeout: float = Field(default=600, ge=5)

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
            problem = f"is given, but naming is {self.naming.value}, so it would not act"
            raise BadParam("topic_rename_format", problem, "naming: rename; or leave the format out")
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

    @property
    def topic_rename(self) -> TopicRename | None:
        """The format when ``naming`` is rename and it changes names at all."""
        rename = TopicRename(self.topic_rename_format) if self.naming is Naming.RENAME else None
        return None if rename is None or rename.changes_nothing else rename


class ComparisonSpec(MigrationSpec):
    """What ``verify_clusters`` is asked: compare, change nothing.

    :param rename: source topic, or a regex that matches the whole of it, to target topic; groups of the regex are put
        in as ``\\1``. Topics it does not name follow ``naming``.
    :param any_partition: compare whole topics, for copies whose records changed their partition; groups are not.
    :param ignore_headers: names of headers that whoever copied added to the records.
    :param catch_up_timeout: seconds to wait for a target that is still being filled.
    """

    engine: ClassVar[str] = "verify_clusters"

    any_partition: bool = False
    rename: dict[Regex, str] = Field(default={})
    ignore_headers: list[Entry] = Field(default=[])
    catch_up_timeout: float = Field(default=60, ge=0)

    @property
    def headers_left_out(self) -> tuple[str, ...]:
        """Names of headers that are not compared."""
        return tuple(self.ignore_headers)

    def target_topic(self, topic: str) -> str:
        """The name on the target of a source topic."""
        if topic in self.rename:
            return self.rename[topic]
        for pattern, name in self.rename.items():
            if found := re.fullmatch(pattern, topic):
                return found.expand(name)
        return super().target_topic(topic)
