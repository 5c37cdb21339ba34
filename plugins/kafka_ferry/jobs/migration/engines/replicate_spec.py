"""Params of ``replicate_topics``. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from kafka_ferry.core.spec import Name
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, Naming


class Replicator(StrEnum):
    """What copies the topics: MirrorMaker 2 with our rename policy, or EMR's closed connector."""

    MIRROR_MAKER2 = "mirror_maker2"
    EMR = "emr"


class ReplicateSpec(MigrationSpec):
    """``replicate_topics``: chosen topics under a new name.

    :param source_zookeeper, target_zookeeper: for ``emr`` only, ``host:port,…``.
    :param max_poll_records: for ``emr`` only.
    """

    engine: ClassVar[str] = "replicate_topics"

    migration: Name = "replicate"
    naming: Naming = Naming.RENAME
    replicator: Replicator = Replicator.MIRROR_MAKER2
    source_zookeeper: str | None = None
    target_zookeeper: str | None = None
    max_poll_records: int = Field(default=300, ge=1, le=100_000)
