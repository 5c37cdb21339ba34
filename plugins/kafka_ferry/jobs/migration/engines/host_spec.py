"""Params of engines that run as processes on hosts. Pure."""

from __future__ import annotations

import shlex
from typing import ClassVar

from pydantic import Field, field_validator

from kafka_ferry.core.spec import Entry
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


class HostSpec(MigrationSpec):
    """What every engine on hosts takes beside the params of a migration.

    :param connect_conn_id: a Connect cluster to look for other replicators on; none when there is none.
    :param hosts: Airflow connections (ssh, or aws with ``instance_id``), or ``local``.
    :param host_folder: folder on the hosts below which each process gets a folder of its own.
    :param kafka_libs: folder on the hosts with Kafka's jars, such as ``/opt/kafka/libs``.
    :param jvm_options: for ``java``, as in a shell.
    :param overrides: keys of the engine's own configuration, over what the params make of it.
    :param other_mirror_makers: leave MirrorMakers that we did not start on the hosts alone instead of refusing.
    """

    connect_conn_id: str | None = None
    hosts: list[Entry] = Field(default=["local"], min_length=1, max_length=100)
    host_folder: str = Field(default="~/.kafka-ferry", pattern=r"^(/|~/)[A-Za-z0-9._/-]+$")
    java: str = Field(default="java", min_length=1)
    kafka_libs: str = Field(default="/opt/kafka/libs", pattern=r"^/[A-Za-z0-9._/ -]+$")
    jvm_options: str = "-Xms256m -Xmx1g"
    overrides: dict[str, str] = Field(default={})
    other_mirror_makers: bool = False

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
            raise ValueError(f"{strange[0]!r} is no option of java")
        return value

    @property
    def jvm_words(self) -> list[str]:
        """``jvm_options`` as words."""
        return shlex.split(self.jvm_options)


class DedicatedSpec(HostSpec):
    """``mirror_maker2_dedicated``.

    :param rest_port: where the processes of several hosts talk to each other (KIP-710); not opened for one host.
    """

    engine: ClassVar[str] = "mirror_maker2_dedicated"

    rest_port: int = Field(default=28083, ge=1, le=65535)


class StandaloneSpec(HostSpec):
    """``mirror_maker2_standalone``.

    :param hosts: one: a standalone worker is one process.
    :param rest_port: of the worker's REST API, which Airflow must reach.
    """

    engine: ClassVar[str] = "mirror_maker2_standalone"

    hosts: list[Entry] = Field(default=["local"], min_length=1, max_length=1)
    rest_port: int = Field(default=28084, ge=1, le=65535)
