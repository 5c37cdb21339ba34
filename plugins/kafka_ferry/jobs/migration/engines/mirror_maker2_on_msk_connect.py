"""MirrorMaker 2 as connectors on Amazon MSK Connect, which writes to an MSK cluster."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from kafka_ferry.core.finding import Finding
from kafka_ferry.core.record_sizes import without_prefix
from kafka_ferry.hooks.msk_connect.rules.capacity import Provisioned
from kafka_ferry.jobs.migration.engines.mirror_connectors import ConnectorEngine, MirrorConnectors
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import residue_topics
from kafka_ferry.jobs.migration.engines.msk_connect_config import (
    KINDS,
    PLUGIN_CLASSES,
    connector_configs,
    worker_properties,
)
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.runtimes.msk_connect import MskConnectRuntime, msk_name
from kafka_ferry.jobs.runtimes.msk_connect_resources import MskResources
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind
from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole


class MirrorMaker2OnMskConnect(ConnectorEngine):
    """The worker's own cluster is the target, and what tunes the producer stands in the worker configuration."""

    logs_in_to = ("source_conn_id",)

    @property
    def spec(self) -> MskConnectSpec:
        return cast(MskConnectSpec, self.migration.spec)

    @property
    def runs_as(self) -> str:
        """``wave_1`` and ``wave-1`` are one name there."""
        return f"MSK Connect/{self.base}"

    @property
    def base(self) -> str:
        """What all names on MSK Connect begin with.

        :raises BadParam: there is no room for it in a name.
        """
        return msk_name(self.migration.name, "migration")

    @cached_property
    def runtime(self) -> MskConnectRuntime:
        """Where its connectors run."""
        return MskConnectRuntime(
            MskResources(self.spec, self.base),
            self.migration.target,
            f"mm2-offsets.{self.migration.name}.internal",
            properties=self._worker_properties,
            capacity=self._capacity,
            references=self.spec.source_references,
        )

    @cached_property
    def mirror(self) -> MirrorConnectors:
        return _MskMirrorConnectors(self.migration, self.runtime, self.runtime.client_settings)

    def _worker_properties(self) -> Mapping[str, str]:
        return worker_properties(self.mirror.intent, self.runtime.offsets_topic, self.spec.worker_properties)

    def _capacity(self, connector: str) -> Provisioned:
        return Provisioned(self.spec.workers if connector == self.mirror.names[0] else 1, self.spec.mcus)

    def producer_overrides(self) -> dict[str, str]:
        return without_prefix(self.spec.worker_properties, "producer.")

    # -- plan ----------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        about = self.runtime.about()
        if self.spec.topic_rename is not None:
            fix = "put kafka-ferry-connect-plugins.jar (make plugins) there"
            self.runtime.resources.check(PLUGIN_CLASSES["source"], fix, ", which new names by format need")
        return {**about, "connectors": self.mirror.wanted, "service_role": self.service_role.about()}

    @cached_property
    def service_role(self) -> ServiceRole:
        """Of all connectors of this migration."""
        spec, migration = self.spec, self.migration
        return self.runtime.service_role(
            Kind.MIRROR_MAKER2,
            self.mirror.wanted,
            sorted([*migration.topics.targets(spec).values(), *[spec.target_topic(migration.canary)] * spec.canary]),
            [
                *self.runtime.own_topics,
                *residue_topics(spec.alias)[: 1 + bool(spec.groups)],
                *["heartbeats"] * spec.heartbeats,
            ],
            groups=sorted(migration.groups.consumers) if spec.groups else (),
        )

    def findings(self) -> list[Finding]:
        return [*self.runtime.login_findings(), *self.service_role.findings()]

    def deploy(self) -> None:
        self.mirror.deploy(lambda: self.service_role.refuse())  # it may have been changed since the plan


class _MskMirrorConnectors(MirrorConnectors):
    """Under names that MSK Connect takes: ``<base>-source``, and so on."""

    runtime: MskConnectRuntime

    @property
    def names(self) -> list[str]:
        return [f"{self.runtime.resources.base}-{kind}" for kind in KINDS]

    @cached_property
    def configs(self) -> dict[str, dict[str, str]]:
        named = dict(zip(KINDS, self.names, strict=True))
        return {named[kind]: config for kind, config in connector_configs(self.intent).items()}
