"""The params of a migration, checked once, typed from then on. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from kafka_ferry.connectors.topic_rename import DEFAULT_FORMAT, TopicRename
from kafka_ferry.exceptions import BadParam
from kafka_ferry.migration.arns import CLUSTER_ARN

Entry = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Naming(StrEnum):
    """How a source topic is called on the target."""

    IDENTITY = "identity"
    PREFIX = "prefix"
    RENAME = "rename"


class FormatWithoutRename(ValueError):
    """A format was given that would be ignored: the topics would keep their names, against the user's wish."""

    def __init__(self, naming: Naming) -> None:
        super().__init__(f"is given, but naming is {naming.value}, so it would not act")


class Throughput(StrEnum):
    """Named sets of client settings; see ``connectors.throughput``."""

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


class MigrationSpec(BaseModel):
    """What the user asked for, in the names of the trigger form. Times are in seconds.

    Usage::

        spec = MigrationSpec.from_params(context["params"])
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    #: What moves the records; each engine has a DAG, and a spec where it takes params of its own.
    engine: ClassVar[str] = "mirror_maker2_on_connect"
    #: Whether records are written as the target connection's user; else the engine has a login of its own.
    writes_as_us: ClassVar[bool] = True

    source_conn_id: str = "kafka_source"
    target_conn_id: str = "kafka_target"
    connect_conn_id: str | None = "kafka_connect"
    migration: str = Field(default="ferry", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$")
    topics: list[Entry] = Field(min_length=1)
    exclude_topics: list[Entry] = []
    groups: list[Entry] = [".*"]
    exclude_groups: list[Entry] = []
    naming: Naming = Naming.IDENTITY
    topic_rename_format: str = DEFAULT_FORMAT
    source_alias: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,60}$")
    tasks_max: int = Field(default=4, ge=1, le=1000)
    replication_factor: int | None = Field(default=None, ge=1, le=32767)
    provision_through: ProvisionThrough = ProvisionThrough.KAFKA
    cluster_arn: str | None = Field(default=None, pattern=CLUSTER_ARN)
    aws_conn_id: str = "aws_default"
    throughput: Throughput = Throughput.LAN
    isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed"
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

    @field_validator("topics", "exclude_topics", "groups", "exclude_groups", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value

    @field_validator("topic_rename_format")
    @classmethod
    def _renames(cls, value: str) -> str:
        return TopicRename(value).format

    @model_validator(mode="after")
    def _format_acts(self) -> Self:
        if self.topic_rename_format != DEFAULT_FORMAT and self.naming is not Naming.RENAME:
            raise FormatWithoutRename(self.naming)
        return self

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Check params and return the spec.

        :raises BadParam: the first param that is unknown, missing or has a bad value; nothing has been changed.
        """
        try:
            return cls.model_validate(dict(params))
        except ValidationError as error:
            raise _bad_param(error, cls.model_fields) from error

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
    rename: dict[str, str] = {}
    ignore_headers: list[Entry] = []
    catch_up_timeout: float = Field(default=60, ge=0)

    @property
    def headers_left_out(self) -> tuple[str, ...]:
        """Names of headers that are not compared."""
        return tuple(self.ignore_headers)

    @field_validator("rename")
    @classmethod
    def _regexes(cls, value: dict[str, str]) -> dict[str, str]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return value

    def target_topic(self, topic: str) -> str:
        """The name on the target of a source topic."""
        if topic in self.rename:
            return self.rename[topic]
        for pattern, name in self.rename.items():
            if found := re.fullmatch(pattern, topic):
                return found.expand(name)
        return super().target_topic(topic)


def _bad_param(error: ValidationError, fields: Iterable[str]) -> BadParam:
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, FormatWithoutRename):
        return BadParam("topic_rename_format", str(cause), "naming: rename; or leave the format out")
    param = ".".join(str(part) for part in first["loc"][:1])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(param, list(fields), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return BadParam(param, f"is unknown{hint}", f"one of: {', '.join(sorted(fields))}")
    if param == "topics" and first["type"] in ("missing", "too_short"):
        return BadParam(param, "is missing", 'a list of topic names or regexes, e.g. ["projects.*"]')
    if first["type"] == "missing":
        return BadParam(param, "is missing", "see the description in the trigger form")
    if param == "topic_rename_format" and isinstance(cause, ValueError):
        return BadParam(param, str(cause), f"a format such as {DEFAULT_FORMAT}")
    return BadParam(param, f"{first['msg']}, got {first['input']!r}", "see the description in the trigger form")
