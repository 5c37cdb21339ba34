"""The trigger forms of engines that run as processes on hosts."""

from __future__ import annotations

from airflow.sdk import Param
from pydantic_core import PydanticUndefined

from kafka_ferry.jobs.common.deployment import allowed
from kafka_ferry.jobs.common.form import Form
from kafka_ferry.jobs.migration.engines.host_spec import DedicatedSpec, HostSpec, StandaloneSpec
from kafka_ferry.jobs.migration.params import connect_to_look_at, migration_form

#: Defaults that an installation may set once, in the environment of Airflow; the embedded stack does.
_FROM_ENVIRONMENT = {"host_folder": "FERRY_HOST_FOLDER", "java": "FERRY_JAVA", "kafka_libs": "FERRY_KAFKA_LIBS"}


def dedicated_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_dedicated``."""
    form = host_form(DedicatedSpec)
    form(
        "rest_port",
        "REST port",
        "Where the processes of several hosts talk to each other (KIP-710). Not opened for one host.",
    )
    return form.params


def standalone_params() -> dict[str, Param]:
    """Params of ``mirror_maker2_standalone``."""
    form = host_form(StandaloneSpec)
    form("rest_port", "REST port", "Of the worker's REST API; Airflow must reach it on the host.")
    return form.params


def host_form(spec: type[HostSpec], **environment: str) -> Form:
    """The form of every engine on hosts.

    :param environment: param to the variable of its default, where that is another than the other engines'.
    """
    named = [host for host in allowed("hosts") if "*" not in host]
    # Where the deployment allows none by name there is no default: who triggers has to say.
    defaults = {"hosts": named[:1] or PydanticUndefined}
    form = migration_form(spec, environment=_FROM_ENVIRONMENT | environment, defaults=defaults)
    form.section = "Hosts"
    form(
        "hosts",
        "Hosts",
        "Airflow connections of the hosts to run on, one per line: type ssh, or aws with an instance_id in its "
        "extra (SSM). local is the machine Airflow runs on. Only those that [kafka_ferry] hosts of Airflow's "
        "configuration allows.",
    )
    form("kafka_libs", "Kafka's jars", "Folder with Kafka's jars on the hosts.", examples=["/opt/kafka/libs"])
    form("java", "Java", "The program java on the hosts.", examples=["java", "/opt/jdk/bin/java"])
    form("jvm_options", "JVM options", "Heap and the like.", examples=["-Xms256m -Xmx1g"])
    form(
        "host_folder",
        "Folder on the hosts",
        "Below it each migration has a folder with its properties, log and pid.",
        examples=["~/.kafka-ferry", "/var/lib/kafka-ferry"],
    )
    form(
        "overrides",
        "Overrides",
        "Keys of the engine's own configuration, over what the params make of it.",
        examples=[{"refresh.topics.interval.seconds": "60"}],
    )
    form(
        "other_mirror_makers",
        "Beside other MirrorMakers",
        "Run although MirrorMakers that we did not start run on the hosts. They are never touched.",
    )
    connect_to_look_at(form)
    return form
