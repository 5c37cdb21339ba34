"""The trigger form of ``mirror_maker1``."""

from __future__ import annotations

from airflow.sdk import Param

from kafka_ferry.jobs.migration.engines.host_params import host_form
from kafka_ferry.jobs.migration.engines.mirror_maker1_spec import MirrorMaker1Spec

#: What the form of the other engines asks and MirrorMaker 1 cannot do, or has no use for.
_MEANINGLESS = (
    "naming", "topic_rename_format", "source_alias", "heartbeats", "groups", "exclude_groups", "group_offsets",
)  # fmt: skip


def mirror_maker1_params() -> dict[str, Param]:
    """Params of ``mirror_maker1``."""
    form = host_form(MirrorMaker1Spec, kafka_libs="FERRY_MM1_LIBS")
    form.leave_out(*_MEANINGLESS)
    form(
        "kafka_libs",
        "Kafka's jars",
        "Folder on the hosts with the jars of Kafka 3; Kafka 4 has no MirrorMaker 1 any more.",
        examples=["/opt/kafka-3.9/libs"],
    )
    form(
        "overrides",
        "Overrides",
        "Keys of consumer.properties and producer.properties, as consumer.<key> and producer.<key>.",
        examples=[{"producer.linger.ms": "10", "producer.batch.size": "10000"}],
    )
    return form.params
