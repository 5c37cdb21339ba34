"""MirrorMaker 2 as connectors of a Kafka Connect cluster that is there already."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from kafka_ferry.core.kafka_version import kafka_version, said
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.jobs.migration.engines.mirror_connectors import ConnectorEngine, MirrorConnectors, refusal
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime

#: Before 3.8 group translation loses its memory at each restart of a task (KAFKA-15905) and is wrong in other ways.
_OLDEST_CONNECT = (3, 8)


class MirrorMaker2OnConnect(ConnectorEngine):
    """Its connectors are named after DAG and migration, so that a re-run adopts what exists.

    :cvar connectors_kind: what makes their configs; an engine of its own changes ``configs`` of a subclass.
    """

    connectors_kind: ClassVar[type[MirrorConnectors]] = MirrorConnectors

    @cached_property
    def connect(self) -> ConnectHook:
        if self.migration.connect is None:
            raise BadParam(
                "connect_conn_id", "is missing", "an Airflow connection of type kafka_connect or http: a Connect worker"
            )
        return self.migration.connect

    @cached_property
    def mirror(self) -> MirrorConnectors:
        runtime = KafkaConnectRuntime(self.connect, refusal)
        return self.connectors_kind(self.migration, runtime, self.connect.client_settings)

    def about(self) -> dict[str, Any]:
        about = self.mirror.runtime.about()
        if (kafka_version(about["version"]) or _OLDEST_CONNECT) < _OLDEST_CONNECT:
            raise BadParam(
                "connect_conn_id",
                f"the worker is Kafka Connect {said(about['version'])}, whose MirrorMaker 2 translates group offsets "
                "wrongly",
                "a worker of Kafka 3.8 or newer (Confluent Platform 7.8); the brokers may be older",
            )
        return {**about, "connectors": self.mirror.wanted}

    @property
    def connectors(self) -> list[str]:
        return self.mirror.names
