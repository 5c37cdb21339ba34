"""The trigger form of ``mirror_maker1``."""

from __future__ import annotations

import os

from airflow.sdk import Param

from kafka_ferry.migration.mirror_maker1_spec import MirrorMaker1Spec
from kafka_ferry.operators.host_params import host_params

#: What the form of the other engines asks and MirrorMaker 1 cannot do, or has no use for.
_MEANINGLESS = (
    "naming",
    "topic_rename_format",
    "source_alias",
    "heartbeats",
    "groups",
    "exclude_groups",
    "group_offsets",
)


def mirror_maker1_params() -> dict[str, Param]:
    """Params of ``mirror_maker1``; defaults and limits are those of ``MirrorMaker1Spec``."""
    params = {name: param for name, param in host_params(MirrorMaker1Spec).items() if name not in _MEANINGLESS}
    return params | {
        "kafka_libs": Param(
            os.environ.get("FERRY_MM1_LIBS", MirrorMaker1Spec.model_fields["kafka_libs"].default),
            type="string",
            title="Kafka's jars",
            description="Folder on the hosts with the jars of Kafka 3; Kafka 4 has no MirrorMaker 1 any more.",
            section="Hosts",
            examples=["/opt/kafka-3.9/libs"],
        ),
        "overrides": Param(
            MirrorMaker1Spec.model_fields["overrides"].default,
            type="object",
            title="Overrides",
            description="Keys of consumer.properties and producer.properties, as consumer.<key> and producer.<key>.",
            section="Hosts",
            examples=[{"producer.linger.ms": "10", "producer.batch.size": "10000"}],
        ),
    }
