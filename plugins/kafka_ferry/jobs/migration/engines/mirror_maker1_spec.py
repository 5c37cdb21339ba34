"""Params of ``mirror_maker1``. Pure."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kafka_ferry.core.spec import Entry
from kafka_ferry.jobs.migration.engines.host_spec import HOSTS, JARS, HostSpec
from kafka_ferry.jobs.migration.rules.spec import PROOF, Naming


class MirrorMaker1Spec(HostSpec):
    """``mirror_maker1``; ``tasks_max`` are the streams (consumers) of each process."""

    engine: ClassVar[str] = "mirror_maker1"

    only: ClassVar = {
        **HostSpec.only,
        "groups": ([], "MirrorMaker 1 does not copy consumer groups"),
        "naming": (Naming.IDENTITY, "MirrorMaker 1 keeps the names of topics"),
        "heartbeats": (False, "MirrorMaker 1 has no heartbeats"),
    }
    #: What it cannot do, or has no use for.
    form_without = (
        *HostSpec.form_without,
        "naming", "topic_rename_format", "source_alias", "heartbeats", "groups", "exclude_groups", "group_offsets",
    )  # fmt: skip

    # It carries none: which there are need not be asked, nor the right to ask be had.
    groups: list[Entry] = Field(default=[])
    duplicates: Literal["fail", "explain"] = Field(
        default="fail",
        title="Duplicates",
        description=(
            "MirrorMaker 1 may send records again after a crash. fail: verdict FAIL; explain: listed and counted only."
        ),
        json_schema_extra=PROOF,
    )
    kafka_libs: str = Field(
        default="/opt/kafka/libs",
        pattern=JARS,
        title="Kafka's jars",
        description="Folder on the hosts with the jars of a Kafka from 2.4 to 3.9; Kafka 4 has no MirrorMaker 1.",
        examples=["/opt/kafka-3.9/libs"],
        json_schema_extra={**HOSTS, "environment": "FERRY_MM1_LIBS"},
    )
    jvm_options: str = "-Xms128m -Xmx512m"
    overrides: dict[str, str] = Field(
        default={},
        title="Overrides",
        description="Keys of consumer.properties and producer.properties, as consumer.<key> and producer.<key>.",
        examples=[{"producer.linger.ms": "10", "producer.batch.size": "10000"}],
        json_schema_extra=HOSTS,
    )
