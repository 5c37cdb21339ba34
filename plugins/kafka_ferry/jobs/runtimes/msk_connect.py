"""Connectors on Amazon MSK Connect, which write to an MSK cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from airflow.sdk.log import mask_secret

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.client_settings import java_client_settings
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.redaction import secret_values
from kafka_ferry.exceptions import BadConnection, BadParam
from kafka_ferry.hooks.connect.hook import Offsets
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.offsets_topic import OffsetsTopic
from kafka_ferry.hooks.kafka.status_topic import StatusTopic
from kafka_ferry.hooks.msk_connect.rules.capacity import Capacity, check_fits
from kafka_ferry.hooks.msk_connect.rules.cluster import IAM, NONE, ConnectorCluster
from kafka_ferry.hooks.msk_connect.rules.connector import Connector, ConnectorIntent, Revision
from kafka_ferry.hooks.msk_connect.rules.naming import MAX_NAME
from kafka_ferry.hooks.msk_connect.rules.secrets import secrets_of
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import check
from kafka_ferry.jobs.common.by_hand import delete_msk_connectors
from kafka_ferry.jobs.runtimes.connectors import Begin, Configs, at_least_one
from kafka_ferry.jobs.runtimes.msk_connect_cluster import login_findings
from kafka_ferry.jobs.runtimes.msk_connect_connectors import MskConnectors
from kafka_ferry.jobs.runtimes.msk_connect_resources import MskResources
from kafka_ferry.jobs.runtimes.service_role.rules.role_needs import RoleNeeds
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind
from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole

#: MSK Connect's own topics for a connector (developer guide, "Understand MSK Connect workers"); it never removes them.
_INTERNAL = "__amazon_msk_connect_{kind}_{connector}_"


def msk_name(name: str, param: str) -> str:
    """A name of ours as all names on MSK Connect begin with it: letters, digits and hyphens only.

    :param param: that the name is from.
    :raises BadParam: there is no room for it in a name.
    """
    fit = re.sub(r"[^A-Za-z0-9-]", "-", name)
    if len(fit) > MAX_NAME - len("-workers-") - 12:
        raise BadParam(param, f"names on MSK Connect would be longer than {MAX_NAME}", "a shorter name")
    return fit


class MskConnectRuntime:
    """Each connector is a Connect cluster of its own, without a REST API.

    So its states come from MSK Connect, offsets from the offsets topic, and failures of tasks from the topic in which
    its workers note them, both on the target.

    :param resources: plugin and worker configuration; the job's params and names are theirs.
    :param target: the connectors' own cluster; a sink reads it.
    :param offsets_topic: named by the job: MSK Connect's own name changes with each connector, and so the position.
    :param properties: of the worker configuration that all connectors share; asked for when they are needed.
    :param capacity: of a connector.
    :param references: key of a connection → ConfigProvider's reference that connectors get in place of its value.
    """

    def __init__(
        self, resources: MskResources, target: KafkaClusterHook, offsets_topic: str, *,
        properties: Callable[[], Mapping[str, str]], capacity: Callable[[str], Capacity],
        references: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.resources, self.spec, self.hook = resources, resources.spec, resources.hook
        self._target, self.offsets_topic = target, offsets_topic
        self._properties, self._capacity, self._references = properties, capacity, references
        self._status: dict[str, StatusTopic] = {}
        self._stored: dict[str, OffsetsTopic] = {}

    @property
    def own_topics(self) -> tuple[str, ...]:
        return (self.offsets_topic,)

    @property
    def _connectors(self) -> MskConnectors:
        return MskConnectors(self.hook, *self.resources.waits)

    @cached_property
    def cluster(self) -> ConnectorCluster:
        """How the connectors reach the target."""
        spec = self.spec
        if not spec.bootstrap:
            return self.hook.connector_cluster(spec.cluster_arn)
        groups = tuple(spec.security_groups)
        return ConnectorCluster(spec.bootstrap, tuple(spec.subnets), groups, NONE, spec.encryption)

    @cached_property
    def worker_properties(self) -> Mapping[str, str]:
        """Of the worker configuration that all connectors share."""
        return self._properties()

    # -- plan ----------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        check(self.worker_properties)
        return {
            **({"cluster_arn": self.spec.cluster_arn} if self.spec.cluster_arn else {"region": self.resources.region}),
            "bootstrap_servers": self.cluster.bootstrap_servers,
            "authentication": self.cluster.authentication,
            "version": self.spec.kafka_connect_version,
        }

    def check(self, connector_class: str, cluster_id: str | None, plugin: str) -> None:
        """Which cluster it writes into shows once it runs: :meth:`readiness`."""
        check_fits(connector_class, self._capacity(connector_class))
        check(self.worker_properties)
        self.resources.check(connector_class, plugin)

    def service_role(
        self, kind: Kind, connectors: Sequence[str], topics: Sequence[str], own: Sequence[str], *,
        groups: Sequence[str] = (), pattern: str = "*",
    ) -> ServiceRole:  # fmt: skip
        spec = self.spec
        needs = RoleNeeds(
            role_arn=spec.service_execution_role_arn,
            cluster_arn=spec.cluster_arn,
            region=self.resources.region,
            kind=kind,
            base=self.resources.base,
            connectors=tuple(connectors),
            topics=tuple(topics),
            own=tuple(own),
            pattern=pattern,
            groups=tuple(groups),
            iam=self.cluster.authentication == IAM,
        )
        secrets = secrets_of(spec.worker_properties, self._references.values(), needs.secrets_head)
        return ServiceRole(self.hook, replace(needs, secrets=secrets))

    def login_findings(self) -> list[Finding]:
        bootstrap = self.spec.bootstrap
        return login_findings(bootstrap, self.spec.encryption, self._target.extra) if bootstrap else []

    def client_settings(self, kafka_conn_id: str) -> dict[str, str]:
        """Of the connectors' own cluster those of its ARN, whatever Airflow logs in by."""
        if kafka_conn_id == self._target.conn_id:
            return self.cluster.client_settings()
        try:
            settings = java_client_settings(KafkaClusterHook(kafka_conn_id).extra, self._references)
        except BadConnection as refusal:
            raise BadConnection(f"connection {kafka_conn_id!r}: {refusal}") from None
        for secret in secret_values(settings):
            mask_secret(secret)
        return settings

    def reference(self, conn_id: str, key: str) -> str | None:
        return self._references.get(key)

    def changes(self, configs: Configs) -> list[Change]:
        resources, made = self.resources, []
        if not resources.plugin_is_there():
            made.append(Change(Action.CREATE, "custom plugin", resources.plugin_name, ""))
        if not resources.configuration_is_there(self.worker_properties):
            name = resources.configuration_name(self.worker_properties)
            made.append(Change(Action.CREATE, "worker configuration", name, f"{len(self.worker_properties)} keys"))
        return made + [self._connectors.change(name, config, self._capacity(name)) for name, config in configs.items()]

    # -- run -----------------------------------------------------------------------------------------------------------

    def make_way(self, connectors: Iterable[str]) -> set[str]:
        """One that is FAILED is deleted; its position is in the offsets topic."""
        names = list(connectors)
        for name in names:
            self._connectors.clear_away(name)
        return {name for name in names if self.hook.find_connector(name) is None}

    def config(self, connector: str) -> Mapping[str, str] | None:
        found = self.hook.find_connector(connector)
        return found.config if found else None

    def deploy(self, configs: Configs, begin: Mapping[str, Begin], *, restart_failed: bool = False) -> None:
        """Offsets are written before a connector is made, as MSK Connect has no call for that; those of one that runs
        are read again when its update restarts its tasks. Only completed operations are believed.
        """
        for name, where in begin.items():
            if changes := where(self.offsets(name)):
                self._offsets_of(name).write(changes, self.spec.replication_factor)
        plugin, workers = self.resources.plugin(), self.resources.configuration(self.worker_properties)
        requests = [self.request(name, config, plugin, workers) for name, config in configs.items()]
        # All are begun before one is waited for: each takes minutes.
        arns = [self.hook.create_connector(request) for request in requests]
        for arn, request in zip(arns, requests, strict=True):
            self._connectors.update(arn, request)

    def request(self, name: str, config: Mapping[str, str], plugin: Revision, workers: Revision) -> dict[str, Any]:
        """Arguments of ``create_connector``."""
        return ConnectorIntent(
            name=name,
            config=config,
            capacity=self._capacity(name),
            cluster=self.cluster,
            plugin=plugin,
            role_arn=self.spec.service_execution_role_arn,
            worker_configuration=workers,
            kafka_connect_version=self.spec.kafka_connect_version,
            log_group=self.spec.log_group,
        ).to_request()

    def pause(self, connectors: Iterable[str]) -> None:
        for found in self.found(connectors):
            self._connectors.pause(found.arn)

    def resume(self, connectors: Iterable[str]) -> None:
        for found in self.found(connectors):
            self._connectors.resume(found.arn)

    def readiness(self, connectors: Iterable[str], tasks: Callable[[str], int] = at_least_one) -> Readiness:
        reasons = []
        for name in connectors:
            found = self.hook.find_connector(name)
            if found is None:
                return Readiness(Verdict.WAITING, f"connector {name} does not exist")
            if problem := self._problem(found):
                return Readiness(Verdict.FAILED, problem)
            if found.state is not ConnectorState.RUNNING:
                return Readiness(Verdict.WAITING, f"connector {name} is {found.state}")
            reasons.append(f"connector {name} is RUNNING")
        # A worker makes the topic before it runs anything.
        if not self._target.admin.topic_ids([self.offsets_topic]):
            return Readiness(
                Verdict.FAILED,
                f"the connectors run, but {self._target.conn_id} has no topic {self.offsets_topic}: it is not the "
                f"cluster of {'bootstrap' if self.spec.bootstrap else 'cluster_arn'}. Fix: let both name the same "
                "cluster",
            )
        return Readiness(Verdict.RUNNING, "\n".join(reasons))

    def problem(self, connectors: Iterable[str]) -> str:
        for name in connectors:
            found = self.hook.find_connector(name)
            if problem := self._problem(found) if found else f"connector {name} no longer exists":
                return problem
        return ""

    def _problem(self, found: Connector) -> str:
        """Why it has failed, or why a task of it has; empty when neither did."""
        if found.state is ConnectorState.FAILED:
            return self.hook.explained(found.arn, f"connector {found.name} is FAILED: {found.reason}")
        # MSK Connect tells no states of tasks; its workers note them on the target.
        topic = f"{_INTERNAL.format(kind='status', connector=found.name)}{found.arn.rpartition('/')[2]}"
        return self._status.setdefault(topic, StatusTopic(self._target, topic)).failed(since=0)

    def offsets(self, connector: str) -> Offsets:
        return self._offsets_of(connector).entries()

    def _offsets_of(self, connector: str) -> OffsetsTopic:
        return self._stored.setdefault(connector, OffsetsTopic(self._target, self.offsets_topic, connector))

    # -- removal -------------------------------------------------------------------------------------------------------

    def found(self, connectors: Iterable[str]) -> list[Connector]:
        """Those that are there now."""
        return [found for name in connectors if (found := self.hook.find_connector(name))]

    def existing(self, connectors: Iterable[str]) -> list[str]:
        return [found.name for found in self.found(connectors)]

    def remove(self, connectors: Iterable[str], *, forget: bool) -> list[str]:
        deleted = self._connectors.delete(self.found(connectors))
        return [f"connector {name}" for name in deleted] + self.resources.delete()

    def forget_internal(self, connectors: Iterable[str]) -> list[str]:
        """Of all times."""
        prefixes = tuple(
            _INTERNAL.format(kind=kind, connector=name)
            for name in connectors
            for kind in ("configs", "offsets", "status")
        )
        admin = self._target.admin
        internal = [name for name in admin.topic_names() if name.startswith(prefixes)]
        return admin.delete_topics(internal) if internal else []

    def left(self, connectors: Iterable[str]) -> list[str]:
        return [f"connector {name}" for name in self.existing(connectors)] + self.resources.existing()

    def how_to_stop(self, connectors: Sequence[str]) -> str:
        return delete_msk_connectors(self.resources.region, connectors)
