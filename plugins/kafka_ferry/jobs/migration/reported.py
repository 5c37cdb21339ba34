"""How migrations and comparisons speak in their reports. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.report.reported_job import ReportedJob

_COMPARED: Final = "{what} were read on both sides and are the same."
_COUNTED: Final = "{what} were counted on both sides. Their contents were not compared."
_UNTRIED: Final = "(tested against a double of its API, not run on AWS by this project)"
_ENGINES: Final = MappingProxyType(
    {
        "mirror_maker2_on_connect": "MirrorMaker 2 on Kafka Connect",
        "mirror_maker2_on_msk_connect": "MirrorMaker 2 on MSK Connect",
        "mirror_maker2_dedicated": "MirrorMaker 2, dedicated",
        "mirror_maker2_standalone": "MirrorMaker 2 on a standalone Connect worker",
        "mirror_maker1": "MirrorMaker 1",
        "replicate_topics": "MirrorMaker 2 on Kafka Connect, under new names",
        "msk_replicator": f"MSK Replicator {_UNTRIED}",
    }
)

COMPARISON: Final = ReportedJob(
    words=Words(compared=_COMPARED, counted=_COUNTED),
    checklist=(
        "topics",
        "partitions",
        "configs",
        "counts",
        "content",
        "schemas",
        "groups",
        "group_offsets",
        "acls",
        "quotas",
        "scram_users",
    ),
    never_carried="Compared as they are: nothing was written to test the path, and nothing had to be removed. Other "
    "replicators were not checked.",
    engine="none: compared as they are",
)


def migration(engine: str) -> ReportedJob:
    """Of a migration by this engine; one of a plugin is called as it calls itself."""
    return ReportedJob(
        words=Words(engine=_ENGINES.get(engine, ""), compared=_COMPARED, counted=_COUNTED),
        never_carried="Not copied: passwords of SCRAM users, which Kafka does not reveal, and, without schema_ids, "
        "schemas of a Schema Registry, which migrate_schemas carries too.",
        engine=f"{engine} {_UNTRIED}" if engine == "msk_replicator" else engine,
    )
