"""Params of engines that run as processes on hosts. Pure."""

from __future__ import annotations

import shlex
from typing import ClassVar

from pydantic import Field, field_validator
from pydantic.config import JsonDict

from kafka_ferry.core.fields import ConnectToLookAt
from kafka_ferry.core.spec import Entry, Name
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

#: Section of the form.
HOSTS: JsonDict = {"section": "Hosts"}
#: What a folder of Kafka's jars may be called.
JARS = r"^/[A-Za-z0-9._/ -]+$"


class HostSpec(MigrationSpec):
    """What every engine on hosts takes beside the params of a migration."""

    only: ClassVar = {"exactly_once": (False, "it is for MirrorMaker 2 on a Kafka Connect cluster only")}
    form_without: ClassVar[tuple[str, ...]] = ("exactly_once",)

    migration: Name = Field(
        default="ferry",
        title="Migration name",
        description=(
            "Names the processes and their folder on the hosts. The same name resumes where it stopped; use one "
            "name per migration."
        ),
        examples=["event-center", "wave-1"],
    )
    keep_replicating: bool = Field(
        default=False,
        title="Keep replicating",
        description="Leave MirrorMaker running at the end; the last task says how to stop it.",
    )
    connect_conn_id: ConnectToLookAt = Field(default=None, json_schema_extra=HOSTS)
    hosts: list[Entry] = Field(
        default=["local"],
        min_length=1,
        max_length=100,
        title="Hosts",
        description=(
            "Airflow connections of the hosts to run on, one per line: type ssh, or aws with an instance_id "
            "in its extra (SSM). local is the machine Airflow runs on. Only those that [kafka_ferry] hosts "
            "of Airflow's configuration allows."
        ),
        json_schema_extra={**HOSTS, "allowed": "hosts"},
    )
    kafka_libs: str = Field(
        default="/opt/kafka/libs",
        pattern=JARS,
        title="Kafka's jars",
        description="Folder with Kafka's jars on the hosts.",
        examples=["/opt/kafka/libs"],
        json_schema_extra={**HOSTS, "environment": "FERRY_KAFKA_LIBS"},
    )
    java: str = Field(
        default="java",
        min_length=1,
        title="Java",
        description="The program java on the hosts.",
        examples=["java", "/opt/jdk/bin/java"],
        json_schema_extra={**HOSTS, "environment": "FERRY_JAVA"},
    )
    jvm_options: str = Field(
        default="-Xms256m -Xmx1g",
        title="JVM options",
        description="Heap and the like.",
        examples=["-Xms256m -Xmx1g"],
        json_schema_extra=HOSTS,
    )
    host_folder: str = Field(
        default="~/.kafka-ferry",
        pattern=r"^(/|~/)[A-Za-z0-9._/-]+$",
        title="Folder on the hosts",
        description="Below it each migration has a folder with its properties, log and pid.",
        examples=["~/.kafka-ferry", "/var/lib/kafka-ferry"],
        json_schema_extra={**HOSTS, "environment": "FERRY_HOST_FOLDER"},
    )
    overrides: dict[str, str] = Field(
        default={},
        title="Overrides",
        description="Keys of the engine's own configuration; they override what the params set.",
        examples=[{"refresh.topics.interval.seconds": "60"}],
        json_schema_extra=HOSTS,
    )
    other_mirror_makers: bool = Field(
        default=False,
        title="Beside other MirrorMakers",
        description="Run even if MirrorMakers that Kafka Ferry did not start run on the hosts. They are never touched.",
        json_schema_extra=HOSTS,
    )

    @field_validator("hosts")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        if twice := sorted({name for name in value if value.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is named more than once")
        return value

    @field_validator("jvm_options")
    @classmethod
    def _is_words(cls, value: str) -> str:
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"cannot be split into words as a shell would: {error}") from error
        if strange := [word for word in words if not word.startswith("-")]:
            raise ValueError(f"{strange[0]!r} is not an option of java")
        return value

    @property
    def jvm_words(self) -> list[str]:
        """``jvm_options`` as words."""
        return shlex.split(self.jvm_options)


class DedicatedSpec(HostSpec):
    """``mirror_maker2_dedicated``."""

    engine: ClassVar[str] = "mirror_maker2_dedicated"

    rest_port: int = Field(
        default=28083,
        ge=1,
        le=65535,
        title="REST port",
        description="Where the processes of several hosts talk to each other (KIP-710). Not opened for one host.",
        json_schema_extra=HOSTS,
    )


class StandaloneSpec(HostSpec):
    """``mirror_maker2_standalone``."""

    engine: ClassVar[str] = "mirror_maker2_standalone"

    # A standalone worker is one process.
    hosts: list[Entry] = Field(default=["local"], min_length=1, max_length=1)
    rest_port: int = Field(
        default=28084,
        ge=1,
        le=65535,
        title="REST port",
        description="Of the worker's REST API; Airflow must reach it on the host.",
        json_schema_extra=HOSTS,
    )
