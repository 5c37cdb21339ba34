"""The trigger forms of engines that run as processes on hosts."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import Param

from kafka_ferry.migration.host_spec import DedicatedSpec, HostSpec, StandaloneSpec
from kafka_ferry.operators.params import migration_params

_SECTION = "Hosts"

#: Defaults that an installation may set once, in the environment of Airflow; the embedded stack does.
_FROM_ENVIRONMENT = {"host_folder": "FERRY_HOST_FOLDER", "java": "FERRY_JAVA", "kafka_libs": "FERRY_KAFKA_LIBS"}


def dedicated_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_dedicated``."""
    return host_params(DedicatedSpec) | {
        "rest_port": _param(
            DedicatedSpec,
            "rest_port",
            "REST port",
            "Where the processes of several hosts talk to each other (KIP-710). Not opened for one host.",
            type="integer",
            minimum=1,
            maximum=65535,
        )
    }


def standalone_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_standalone``."""
    return host_params(StandaloneSpec) | {
        "rest_port": _param(
            StandaloneSpec,
            "rest_port",
            "REST port",
            "Of the worker's REST API; Airflow must reach it on the host.",
            type="integer",
            minimum=1,
            maximum=65535,
        )
    }


def host_params(spec: type[HostSpec]) -> dict[str, Param]:
    """Params of every engine on hosts; defaults and limits are those of its spec."""
    strings = {"type": "string"}
    return migration_params() | {
        "hosts": _param(
            spec,
            "hosts",
            "Hosts",
            "Airflow connections of the hosts to run on, one per line: type ssh, or aws with an instance_id in its "
            "extra (SSM). local is the machine Airflow runs on.",
            type="array",
            items=strings,
            minItems=1,
        ),
        "kafka_libs": _param(
            spec,
            "kafka_libs",
            "Kafka's jars",
            "Folder with Kafka's jars on the hosts.",
            type="string",
            examples=["/opt/kafka/libs"],
        ),
        "java": _param(
            spec,
            "java",
            "Java",
            "The program java on the hosts.",
            type="string",
            examples=["java", "/opt/jdk/bin/java"],
        ),
        "jvm_options": _param(
            spec, "jvm_options", "JVM options", "Heap and the like.", type="string", examples=["-Xms256m -Xmx1g"]
        ),
        "host_folder": _param(
            spec,
            "host_folder",
            "Folder on the hosts",
            "Below it each migration has a folder with its properties, log and pid.",
            type="string",
            examples=["~/.kafka-ferry", "/var/lib/kafka-ferry"],
        ),
        "overrides": _param(
            spec,
            "overrides",
            "Overrides",
            "Keys of the engine's own configuration, over what the params make of it.",
            type="object",
            examples=[{"refresh.topics.interval.seconds": "60"}],
        ),
        "other_mirror_makers": _param(
            spec,
            "other_mirror_makers",
            "Beside other MirrorMakers",
            "Run although MirrorMakers that we did not start run on the hosts. They are never touched.",
            type="boolean",
        ),
        "connect_conn_id": _param(
            spec,
            "connect_conn_id",
            "Kafka Connect to look at",
            "A Connect cluster whose connectors may copy the same topics. Empty: none.",
            type=["null", "string"],
            examples=["kafka_connect"],
        ),
    }


def _param(spec: type[HostSpec], name: str, title: str, description: str, **schema: Any) -> Param:
    default = spec.model_fields[name].default
    default = os.environ.get(_FROM_ENVIRONMENT.get(name, ""), default)
    return Param(default, title=title, description=description, section=_SECTION, **schema)
