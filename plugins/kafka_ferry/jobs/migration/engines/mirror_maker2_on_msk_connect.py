"""MirrorMaker 2 as connectors on Amazon MSK Connect, which writes to an MSK cluster."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from airflow.sdk.log import mask_secret

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.client_settings import java_client_settings
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.record_sizes import without_prefix
from kafka_ferry.core.redaction import secret_values
from kafka_ferry.exceptions import BadConnection, BadParam
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.offsets_topic import OffsetsTopic
from kafka_ferry.hooks.kafka.status_topic import StatusTopic
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.capacity import Provisioned
from kafka_ferry.hooks.msk_connect.rules.cluster import IAM, ConnectorCluster
from kafka_ferry.hooks.msk_connect.rules.connector import Connector, ConnectorIntent, Revision
from kafka_ferry.hooks.msk_connect.rules.naming import MAX_NAME, region_of
from kafka_ferry.hooks.msk_connect.rules.secrets import secrets_head, secrets_of
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import check
from kafka_ferry.jobs.common.by_hand import delete_msk_connectors
from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.mirror_intent import mirror_intent
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import residue_topics
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_connect import forget_heartbeats
from kafka_ferry.jobs.migration.engines.msk_connect_config import (
    KINDS,
    PLUGIN_CLASSES,
    connector_configs,
    worker_properties,
)
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.live.progress import ReplicationFailed
from kafka_ferry.jobs.migration.live.resume import resume_of
from kafka_ferry.jobs.migration.live.retention import hold_limits
from kafka_ferry.jobs.migration.rules.watch import Progress
from kafka_ferry.jobs.runtimes.msk_connect_connectors import MskConnectors
from kafka_ferry.jobs.runtimes.msk_connect_resources import MskResources
from kafka_ferry.jobs.runtimes.msk_connect_settings import target_settings
from kafka_ferry.jobs.runtimes.service_role.rules.role_needs import RoleNeeds
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind
from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole

log = logging.getLogger(__name__)

#: MSK Connect's own topics for a connector (developer guide, "Understand MSK Connect workers"); it never removes them.
_INTERNAL = "__amazon_msk_connect_{kind}_{connector}_"


class MirrorMaker2OnMskConnect(Engine):
    """Each connector is a Connect cluster of its own, without a REST API.

    So its states come from MSK Connect, progress from the offsets topic, and failures of tasks from the topic in which
    its workers note them, both on the target.
    """

    @property
    def spec(self) -> MskConnectSpec:
        return cast(MskConnectSpec, self.migration.spec)

    @cached_property
    def hook(self) -> MskConnectHook:
        return MskConnectHook(aws_conn_id=self.spec.aws_conn_id, region_name=region_of(self.spec.cluster_arn))

    @property
    def runs_as(self) -> str:
        """``wave_1`` and ``wave-1`` are one name there."""
        return f"MSK Connect/{self.base}"

    @property
    def base(self) -> str:
        """What all names on MSK Connect begin with: letters, digits and hyphens only.

        :raises BadParam: there is no room for it in a name.
        """
        name = re.sub(r"[^A-Za-z0-9-]", "-", self.migration.name)
        if len(name) > MAX_NAME - len("-workers-") - 12:
            raise BadParam("migration", f"names on MSK Connect would be longer than {MAX_NAME}", "a shorter name")
        return name

    def connector_name(self, kind: str) -> str:
        """Of ``source``, ``checkpoint`` or ``heartbeat``."""
        return f"{self.base}-{kind}"

    @cached_property
    def _waits(self) -> tuple[float, int]:
        """Seconds between looks, and how many."""
        return self.spec.poll_interval, max(1, round(self.spec.running_timeout / self.spec.poll_interval))

    @cached_property
    def _resources(self) -> MskResources:
        return MskResources(self.hook, self.spec, self.base, *self._waits)

    @cached_property
    def _connectors(self) -> MskConnectors:
        return MskConnectors(self.hook, *self._waits)

    # -- what is wanted ------------------------------------------------------------------------------------------------

    @cached_property
    def cluster(self) -> ConnectorCluster:
        """How the connectors reach the target."""
        return self.hook.connector_cluster(self.spec.cluster_arn)

    @cached_property
    def _intent(self) -> Any:
        return mirror_intent(self.migration, self._settings)

    def _settings(self, conn_id: str) -> dict[str, str]:
        if conn_id == self.spec.target_conn_id:
            return target_settings(self.cluster.bootstrap_servers, self.cluster.authentication, self.cluster.encryption)
        try:
            settings = java_client_settings(KafkaClusterHook(conn_id).extra, self.spec.source_references)
        except BadConnection as refusal:
            raise BadConnection(f"connection {conn_id!r}: {refusal}") from None
        for secret in secret_values(settings):
            mask_secret(secret)
        return settings

    def producer_overrides(self) -> dict[str, str]:
        return without_prefix(self.spec.worker_properties, "producer.")

    @cached_property
    def configs(self) -> dict[str, dict[str, str]]:
        """Connector to its configuration; they may hold secrets."""
        return {self.connector_name(kind): config for kind, config in connector_configs(self._intent).items()}

    @cached_property
    def worker_properties(self) -> dict[str, str]:
        """Of the worker configuration that all connectors share."""
        return worker_properties(self._intent, self.offsets_topic, self.spec.worker_properties)

    @property
    def offsets_topic(self) -> str:
        """On the target. Its name is ours, so that connectors made anew go on where the old ones were."""
        return f"mm2-offsets.{self.migration.name}.internal"

    @cached_property
    def _offsets(self) -> OffsetsTopic:
        return OffsetsTopic(self.migration.target, self.offsets_topic, self.connector_name("source"), self.spec.alias)

    @property
    def wanted(self) -> list[str]:
        """Connectors that the spec asks for; known without asking anyone."""
        spec = self.spec
        kinds = ["source"] + ["checkpoint"] * bool(spec.groups) + ["heartbeat"] * spec.heartbeats
        return [self.connector_name(kind) for kind in kinds]

    def _capacity(self, name: str) -> Provisioned:
        return Provisioned(self.spec.workers if name == self.connector_name("source") else 1, self.spec.mcus)

    def _request(self, name: str, plugin: Revision, workers: Revision) -> dict[str, Any]:
        return ConnectorIntent(
            name=name,
            config=self.configs[name],
            capacity=self._capacity(name),
            cluster=self.cluster,
            plugin=plugin,
            role_arn=self.spec.service_execution_role_arn,
            worker_configuration=workers,
            kafka_connect_version=self.spec.kafka_connect_version,
            log_group=self.spec.log_group,
        ).to_request()

    # -- plan ----------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        check(self.worker_properties)
        if self.spec.topic_rename is not None:
            self._resources.check(PLUGIN_CLASSES["source"], "new names by format need")
        return {
            "cluster_arn": self.spec.cluster_arn,
            "bootstrap_servers": self.cluster.bootstrap_servers,
            "authentication": self.cluster.authentication,
            "version": self.spec.kafka_connect_version,
            "connectors": self.wanted,
            "service_role": self.service_role.about(),
        }

    @cached_property
    def service_role(self) -> ServiceRole:
        """Of all connectors of this migration."""
        spec, migration = self.spec, self.migration
        topics = [*migration.topics.targets(spec).values()]
        topics += [spec.target_topic(self.migration.canary)] * spec.canary
        own = [
            self.offsets_topic,
            *residue_topics(spec.alias)[: 1 + bool(spec.groups)],
            *["heartbeats"] * spec.heartbeats,
        ]
        needs = RoleNeeds(
            role_arn=spec.service_execution_role_arn,
            cluster_arn=spec.cluster_arn,
            kind=Kind.MIRROR_MAKER2,
            base=self.base,
            connectors=tuple(self.wanted),
            topics=tuple(sorted(topics)),
            own=tuple(own),
            groups=tuple(sorted(filter(None, migration.groups.committed))) if spec.groups else (),
            secrets=secrets_of(spec.worker_properties, spec.source_references.values(), secrets_head(spec.cluster_arn)),
            iam=self.cluster.authentication == IAM,
        )
        return ServiceRole(self.hook, needs)

    def findings(self) -> list[Finding]:
        return self.service_role.findings()

    def changes(self) -> list[Change]:
        resources, made = self._resources, []
        if not resources.plugin_is_there():
            made.append(Change(Action.CREATE, "custom plugin", resources.plugin_name, ""))
        if not resources.configuration_is_there(self.worker_properties):
            name = resources.configuration_name(self.worker_properties)
            made.append(Change(Action.CREATE, "worker configuration", name, f"{len(self.worker_properties)} keys"))
        return made + [
            self._connectors.change(name, config, self._capacity(name)) for name, config in self.configs.items()
        ]

    # -- run -----------------------------------------------------------------------------------------------------------

    def deploy(self) -> None:
        """Create or adopt; update only what differs, and believe only completed operations.

        A new source connector goes on behind what the target already holds: its offsets are written before it is
        made, as MSK Connect has no call for that.
        """
        connectors, source = self._connectors, self.connector_name("source")
        for name in self.configs:
            connectors.clear_away(name)  # one that is FAILED; its position is in our offsets topic
        running = self.hook.find_connector(source)
        if running is None:
            self.service_role.refuse()  # it may have been changed since the plan
            places: Mapping[Partition, int] = resume_of(self.migration, self.migration.target_topics())
            self._align(places, self._offsets.next_offsets())
        elif connectors.selects_otherwise(running, self.configs[source]):
            # Its tasks do not have the new topics yet, and read where to go on when the update starts them anew.
            stored = self._offsets.next_offsets()
            self._align({**stored, **self._places_of_others(stored)}, stored)
        hold_limits(self.migration)
        plugin, workers = self._resources.plugin(), self._resources.configuration(self.worker_properties)
        requests = [self._request(name, plugin, workers) for name in self.configs]
        # All are begun before one is waited for: each takes minutes.
        arns = [self.hook.create_connector(request) for request in requests]
        for arn, request in zip(arns, requests, strict=True):
            connectors.update(arn, request)

    def _align(self, places: Mapping[Partition, int], stored: Mapping[Partition, int]) -> None:
        changes = {
            tp: places.get(tp) for tp in sorted(places.keys() | stored.keys()) if places.get(tp) != stored.get(tp)
        }
        if changes:
            log.info("%d partitions go on after what the target already holds", len(places))
            self._offsets.write(changes, self.spec.replication_factor)

    def _places_of_others(self, stored: Mapping[Partition, int]) -> dict[Partition, int]:
        """Where topics go on of which the connector knows no offset, though the target holds records of them."""
        known = {self.spec.target_topic(topic) for topic, _ in stored}
        there = self.migration.target_topics()
        return resume_of(self.migration, {name: topic for name, topic in there.items() if name not in known})

    def readiness(self) -> Readiness:
        reasons = []
        for name in self.wanted:
            found = self.hook.find_connector(name)
            if found is None:
                return Readiness(Verdict.WAITING, f"connector {name} is not there")
            if problem := self._problem(found):
                return Readiness(Verdict.FAILED, problem)
            if found.state is not ConnectorState.RUNNING:
                return Readiness(Verdict.WAITING, f"connector {name} is {found.state}")
            reasons.append(f"connector {name} is RUNNING")
        # A worker makes the topic before it runs anything.
        if not self.migration.target.admin.topic_ids([self.offsets_topic]):
            return Readiness(
                Verdict.FAILED,
                f"the connectors run, but {self.spec.target_conn_id} has no topic {self.offsets_topic}: it is not the "
                "cluster of cluster_arn. Fix: let both name the same cluster",
            )
        return Readiness(Verdict.RUNNING, "\n".join(reasons))

    def _problem(self, found: Connector) -> str:
        """Why it has failed, or why a task of it has; empty when neither did."""
        if found.state is ConnectorState.FAILED:
            return self.hook.explained(found.arn, f"connector {found.name} is FAILED: {found.reason}")
        return self._failed_tasks(found)

    def _failed_tasks(self, found: Connector) -> str:
        """MSK Connect tells no states of tasks; its workers note them on the target."""
        topic = f"{_INTERNAL.format(kind='status', connector=found.name)}{found.arn.rpartition('/')[2]}"
        status = self._status.setdefault(topic, StatusTopic(self.migration.target, topic))
        return status.failed(since=0)

    @cached_property
    def _status(self) -> dict[str, StatusTopic]:
        return {}

    def progress(self) -> Progress:
        return _MskProgress(self)

    def next_offsets(self) -> Mapping[Partition, int]:
        """Next source offset per partition, by the connector's own account."""
        return self._offsets.next_offsets()

    def check_running(self) -> None:
        """Look at the states.

        :raises ReplicationFailed: a connector or task failed, or a connector is gone.
        """
        for name in self.wanted:
            found = self.hook.find_connector(name)
            problem = self._problem(found) if found else f"connector {name} is not there any more"
            if problem:
                raise ReplicationFailed(problem)

    # -- traces and removal --------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        return [f"connector {name}" for name in self.wanted]

    def is_there(self) -> bool:
        return bool(self._existing())

    def _existing(self) -> list[Connector]:
        names = {self.connector_name(kind) for kind in KINDS}
        return [found for name in sorted(names) if (found := self.hook.find_connector(name))]

    def stop(self) -> list[str]:
        stopped = [f"connector {name}" for name in self._connectors.delete(self._existing())]
        return stopped + self._resources.delete()

    def own_topics(self) -> tuple[str, ...]:
        return (*residue_topics(self.spec.alias), self.offsets_topic)

    def forget(self) -> list[str]:
        """MSK Connect's internal topics of these connectors too, of all times: it never removes them."""
        prefixes = tuple(
            _INTERNAL.format(kind=kind, connector=self.connector_name(of))
            for of in KINDS
            for kind in ("configs", "offsets", "status")
        )
        admin = self.migration.target.admin
        internal = [name for name in admin.topic_names() if name.startswith(prefixes)]
        return (admin.delete_topics(internal) if internal else []) + forget_heartbeats(self.migration)

    def left(self) -> list[str]:
        return [f"connector {found.name}" for found in self._existing()] + self._resources.existing()

    def how_to_stop(self) -> str:
        return delete_msk_connectors(region_of(self.spec.cluster_arn), list(self.wanted))


class _MskProgress:
    def __init__(self, engine: MirrorMaker2OnMskConnect) -> None:
        self._engine = engine

    def next_offsets(self) -> Mapping[Partition, int]:
        return self._engine.next_offsets()

    def check(self) -> None:
        self._engine.check_running()
