"""The trigger form of ``replicate_topics``."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kafka_ferry.migration.replicate_spec import ReplicateSpec
from kafka_ferry.operators.params import migration_params

_SECTION = "EMR's replicator"


def replicate_params() -> dict[str, Param]:
    """Params of ``replicate_topics``; names are given by format unless something else is chosen."""
    params = migration_params()
    for name in ("naming", "migration"):
        default = ReplicateSpec.model_fields[name].default
        params[name] = Param(getattr(default, "value", default), description=params[name].description,
                             **params[name].schema)  # fmt: skip
    # What it is all about is not folded away in a section.
    schema = {key: value for key, value in params["topic_rename_format"].schema.items() if key != "section"}
    rename = Param(params["topic_rename_format"].value, description=params["topic_rename_format"].description, **schema)
    return {"topics": params.pop("topics"), "topic_rename_format": rename} | {
        name: param for name, param in params.items() if name != "topic_rename_format"
    } | {
        "replicator": _param(
            "replicator",
            "Replicator",
            "mirror_maker2: MirrorMaker 2 with our rename policy; emr: EMR's closed connector, in a dry run only.",
            type="string",
            enum=["mirror_maker2", "emr"],
            section="Replication",
        ),
        "source_zookeeper": _param(
            "source_zookeeper", "Source ZooKeeper", "host:port,host:port of the source; for emr only.", type="string"
        ),
        "target_zookeeper": _param(
            "target_zookeeper", "Target ZooKeeper", "host:port,host:port of the target; for emr only.", type="string"
        ),
        "max_poll_records": _param(
            "max_poll_records",
            "Records of a poll",
            "src.kafka.max.poll.records; for emr only.",
            type="integer",
            minimum=1,
            maximum=100_000,
        ),
    }  # fmt: skip


def _param(name: str, title: str, description: str, section: str = _SECTION, **schema: Any) -> Param:
    default = ReplicateSpec.model_fields[name].default
    return Param(getattr(default, "value", default), title=title, description=description, section=section, **schema)
