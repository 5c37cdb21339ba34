"""The trigger form of ``replicate_topics``."""

from __future__ import annotations

from airflow.sdk import Param

from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec
from kafka_ferry.jobs.migration.params import migration_form


def replicate_params() -> dict[str, Param]:
    """Params of ``replicate_topics``; names are given by format unless something else is chosen."""
    form = migration_form(ReplicateSpec)
    # What it is all about is not folded away in a section.
    form.like(form.params, "topic_rename_format")
    form.first("topics", "topic_rename_format")
    form.section = "Replication"
    form(
        "replicator",
        "Replicator",
        "mirror_maker2: MirrorMaker 2 with our rename policy; emr: EMR's closed connector, in a dry run only.",
    )
    form.section = "EMR's replicator"
    form("source_zookeeper", "Source ZooKeeper", "host:port,host:port of the source; for emr only.")
    form("target_zookeeper", "Target ZooKeeper", "host:port,host:port of the target; for emr only.")
    form("max_poll_records", "Records of a poll", "src.kafka.max.poll.records; for emr only.")
    return form.params
