"""Params of ``replicate_topics``. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.spec import Name
from kafka_ferry.core.topic_rename import DEFAULT_FORMAT
from kafka_ferry.jobs.migration.rules.spec import REPLICATION, MigrationSpec, Naming

#: Section of the form.
_EMR: JsonDict = {"section": "EMR's replicator"}


class Replicator(StrEnum):
    """What copies the topics: MirrorMaker 2 with our rename policy, or EMR's closed connector."""

    MIRROR_MAKER2 = "mirror_maker2"
    EMR = "emr"


class ReplicateSpec(MigrationSpec):
    """``replicate_topics``: chosen topics under a new name."""

    engine: ClassVar[str] = "replicate_topics"
    form_first = ("topics", "topic_rename_format")

    migration: Name = "replicate"
    naming: Naming = Naming.RENAME
    # What it is all about is not folded away in a section.
    topic_rename_format: str = Field(default=DEFAULT_FORMAT, json_schema_extra={})
    replicator: Replicator = Field(
        default=Replicator.MIRROR_MAKER2,
        title="Replicator",
        description=(
            "mirror_maker2: MirrorMaker 2 with Kafka Ferry's rename policy; emr: EMR's closed-source connector, "
            "dry run only."
        ),
        json_schema_extra=REPLICATION,
    )
    source_zookeeper: str | None = Field(
        default=None,
        title="Source ZooKeeper",
        description="host:port,host:port of the source; for emr only.",
        json_schema_extra=_EMR,
    )
    target_zookeeper: str | None = Field(
        default=None,
        title="Target ZooKeeper",
        description="host:port,host:port of the target; for emr only.",
        json_schema_extra=_EMR,
    )
    max_poll_records: int = Field(
        default=300,
        ge=1,
        le=100_000,
        title="Records of a poll",
        description="src.kafka.max.poll.records; for emr only.",
        json_schema_extra=_EMR,
    )
