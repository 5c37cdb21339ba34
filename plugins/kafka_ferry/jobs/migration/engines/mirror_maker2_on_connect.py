"""MirrorMaker 2 as connectors of a Kafka Connect cluster that is there already."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from kafka_ferry.core.changes import Change
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook, Readiness
from kafka_ferry.jobs.common.by_hand import delete_connector
from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.mirror_connectors import MirrorConnectors
from kafka_ferry.jobs.migration.engines.mirror_intent import heartbeats_are_ours
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import residue_topics
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.watch import Progress

#: Before 3.8 group translation loses its memory at each restart of a task (KAFKA-15905) and is wrong in other ways.
_OLDEST_CONNECT = (3, 8)


class MirrorMaker2OnConnect(Engine):
    """Its connectors are named after DAG and migration, so that a re-run adopts what exists."""

    @cached_property
    def connect(self) -> ConnectHook:
        if self.migration.connect is None:
            raise BadParam("connect_conn_id", "is missing", "an Airflow connection of type http: a Connect worker")
        return self.migration.connect

    @cached_property
    def mirror(self) -> MirrorConnectors:
        return MirrorConnectors(self.migration, self.connect, self.connect.client_settings)

    def about(self) -> dict[str, Any]:
        version = check_version(self.connect)
        conn_id = self.migration.spec.connect_conn_id
        return {"conn_id": conn_id, "version": version, "connectors": self.mirror.wanted}

    def changes(self) -> list[Change]:
        return self.mirror.changes()

    def deploy(self) -> None:
        self.mirror.deploy()

    def readiness(self) -> Readiness:
        return self.mirror.readiness()

    def progress(self) -> Progress:
        return self.mirror.progress()

    @property
    def names(self) -> list[str]:
        return [f"connector {name}" for name in self.mirror.wanted]

    @property
    def connectors(self) -> list[str]:
        return self.mirror.names

    def is_there(self) -> bool:
        return bool(self.mirror.existing())

    def stop(self) -> list[str]:
        return [f"connector {name}" for name in self.mirror.delete()]

    def own_topics(self) -> tuple[str, ...]:
        return residue_topics(self.migration.spec.alias)

    def forget(self) -> list[str]:
        return forget_heartbeats(self.migration)

    def left(self) -> list[str]:
        return [f"connector {name}" for name in self.mirror.existing()]

    def how_to_stop(self) -> str:
        return "\n".join(delete_connector(self.connect, name) for name in self.mirror.wanted)


def forget_heartbeats(migration: Migration) -> list[str]:
    """Delete the topic ``heartbeats`` when nobody but this migration's MirrorMaker 2 wrote it."""
    if not migration.spec.heartbeats or not heartbeats_are_ours(migration):
        return []
    return migration.target.admin.delete_topics(["heartbeats"])


def check_version(connect: ConnectHook) -> str:
    """The worker's version.

    :raises BadParam: it is too old.
    """
    version = connect.info().version
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_CONNECT:
        raise BadParam(
            "connect_conn_id",
            f"the worker is Kafka Connect {version}, whose MirrorMaker 2 translates group offsets wrongly",
            "a worker of Kafka 3.8 or newer; the brokers may be older",
        )
    return version
