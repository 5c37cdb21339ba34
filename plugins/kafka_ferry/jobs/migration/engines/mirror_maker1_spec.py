"""Params of ``mirror_maker1``. Pure."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from kafka_ferry.core.spec import Entry
from kafka_ferry.jobs.migration.engines.host_spec import HostSpec
from kafka_ferry.jobs.migration.rules.spec import Naming


class MirrorMaker1Spec(HostSpec):
    """``mirror_maker1``.

    :param kafka_libs: jars of Kafka 3; Kafka 4 has no MirrorMaker 1 any more.
    :param tasks_max: streams (consumers) of each process.
    :param overrides: ``consumer.<key>`` and ``producer.<key>``.
    """

    engine: ClassVar[str] = "mirror_maker1"

    only: ClassVar = {
        "groups": ([], "MirrorMaker 1 does not carry consumer groups"),
        "naming": (Naming.IDENTITY, "MirrorMaker 1 keeps the names of topics"),
        "heartbeats": (False, "MirrorMaker 1 has no heartbeats"),
    }

    jvm_options: str = "-Xms128m -Xmx512m"
    # It carries none: which there are need not be asked, nor the right to ask be had.
    groups: list[Entry] = Field(default=[])
