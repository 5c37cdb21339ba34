"""A stream's connector on Amazon MSK Connect, with a worker configuration and a plugin of its own."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.status_topic import StatusTopic
from kafka_ferry.hooks.kafka.table_topic import TableTopic
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.capacity import Capacity, capacity_from, check_fits
from kafka_ferry.hooks.msk_connect.rules.cluster import IAM, ConnectorCluster
from kafka_ferry.hooks.msk_connect.rules.connector import Connector, ConnectorIntent
from kafka_ferry.hooks.msk_connect.rules.naming import MAX_NAME, region_of
from kafka_ferry.hooks.msk_connect.rules.secrets import secrets_head, secrets_of
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import check
from kafka_ferry.jobs.cdc.live.msk_resources import StreamResources
from kafka_ferry.jobs.cdc.live.runtime import Progress, history_error
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.by_hand import delete_msk_connectors
from kafka_ferry.jobs.runtimes.msk_connect_connectors import MskConnectors
from kafka_ferry.jobs.runtimes.msk_connect_settings import target_settings
from kafka_ferry.jobs.runtimes.service_role.rules.role_needs import RoleNeeds
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind
from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole

log = logging.getLogger(__name__)

_JSON = "org.apache.kafka.connect.json.JsonConverter"
#: MSK Connect's own topics for a connector; it never removes them.
_INTERNAL = "__amazon_msk_connect_{kind}_{connector}_"


class MskConnectRuntime:
    """The same as on Connect's REST API, by operations of MSK Connect and topics on the cluster.

    :param name: of the stream; made fit for MSK Connect's names.
    """

    def __init__(self, name: str, spec: StreamSpec, target: KafkaClusterHook) -> None:
        self._spec, self._target = spec, target
        self.name = re.sub(r"[^A-Za-z0-9-]", "-", name)
        if len(self.name) > MAX_NAME - len("-workers-") - 12:
            raise BadParam("stream", f"names on MSK Connect would be longer than {MAX_NAME}", "a shorter name")

    @cached_property
    def hook(self) -> MskConnectHook:
        """The client of MSK Connect."""
        return MskConnectHook(aws_conn_id=self._spec.aws_conn_id, region_name=region_of(self._spec.cluster_arn))

    @cached_property
    def _waits(self) -> tuple[float, int]:
        """Seconds between looks, and how many."""
        return self._spec.poll_interval, max(1, round(self._spec.running_timeout / self._spec.poll_interval))

    @cached_property
    def _resources(self) -> StreamResources:
        return StreamResources(self.hook, self._spec, self.name, *self._waits)

    @cached_property
    def _connectors(self) -> MskConnectors:
        return MskConnectors(self.hook, *self._waits)

    @cached_property
    def _cluster(self) -> ConnectorCluster:
        return self.hook.connector_cluster(self._spec.cluster_arn)

    @cached_property
    def _capacity(self) -> Capacity:
        return capacity_from(self._spec.capacity)

    @property
    def offsets_topic(self) -> str:
        """Its name is ours, so that a connector made anew goes on where the old one was."""
        return f"{self._spec.prefix}.connect-offsets"

    @property
    def names(self) -> list[str]:
        return [self.name]

    def client_settings(self, kafka_conn_id: str) -> dict[str, str]:
        """By which the connector keeps the schema history: those of the cluster's ARN, whatever Airflow logs in by."""
        cluster = self._cluster
        return target_settings(cluster.bootstrap_servers, cluster.authentication, cluster.encryption)

    def password(self, database_conn_id: str) -> str | None:
        return self._spec.password_reference

    @property
    def worker_properties(self) -> dict[str, str]:
        """Of the worker configuration."""
        return {
            # Progress is what was flushed; the default is a minute.
            "offset.flush.interval.ms": "1000",
            **self._spec.worker_properties,
            "key.converter": _JSON,
            "value.converter": _JSON,
            "offset.storage.topic": self.offsets_topic,
        }

    def check(self, connector_class: str, cluster_id: str) -> None:
        check_fits(connector_class, self._capacity)
        check(self.worker_properties)
        if not self._resources.has_class(connector_class):
            raise BadParam(
                "plugin", f"its JARs have no class {connector_class}", "Debezium's archive for this database"
            )

    def service_role(self, topics: Sequence[str]) -> ServiceRole:
        spec = self._spec
        needs = RoleNeeds(
            role_arn=spec.service_execution_role_arn,
            cluster_arn=spec.cluster_arn,
            kind=Kind.DEBEZIUM,
            base=self.name,
            connectors=(self.name,),
            # Debezium's names of the topics of schema changes and of heartbeats.
            topics=(*sorted(topics), spec.prefix, f"__debezium-heartbeat.{spec.prefix}"),
            own=(spec.history, self.offsets_topic),
            pattern=f"*{spec.prefix}*",
            secrets=secrets_of(spec.worker_properties, [spec.password_reference or ""], secrets_head(spec.cluster_arn)),
            iam=self._cluster.authentication == IAM,
        )
        return ServiceRole(self.hook, needs)

    # -- run -----------------------------------------------------------------------------------------------------------

    def deploy(self, config: Mapping[str, str], has_history: bool) -> bool:
        self._connectors.clear_away(self.name)  # one that is FAILED; its position is in our offsets topic
        running = self.hook.find_connector(self.name)
        kept = bool(self._offsets())
        if running is None and kept != has_history:
            raise history_error(config.get("schema.history.internal.kafka.topic", ""), has_history)
        plugin = self._resources.plugin()
        request = ConnectorIntent(
            name=self.name,
            config=config,
            capacity=self._capacity,
            cluster=self._cluster,
            plugin=plugin,
            role_arn=self._spec.service_execution_role_arn,
            worker_configuration=self._resources.configuration(self.worker_properties),
            kafka_connect_version=self._spec.kafka_connect_version,
            log_group=self._spec.log_group,
        ).to_request()
        self._connectors.update(self.hook.create_connector(request), request)
        return running is not None or kept

    def readiness(self) -> Readiness:
        found = self.hook.find_connector(self.name)
        if found is None:
            return Readiness(Verdict.WAITING, f"connector {self.name} is not there")
        if found.state is ConnectorState.FAILED:
            reason = f"connector {self.name} is FAILED: {found.reason}"
            return Readiness(Verdict.FAILED, self.hook.explained(found.arn, reason))
        if found.state is not ConnectorState.RUNNING:
            return Readiness(Verdict.WAITING, f"connector {self.name} is {found.state}")
        if problem := self._failed_tasks(found):
            return Readiness(Verdict.FAILED, problem)
        if not self._target.admin.topic_ids([self.offsets_topic]):  # a worker makes it before it runs anything
            what = (
                f"{self._spec.target_conn_id} has no topic {self.offsets_topic}: it is not the cluster of cluster_arn"
            )
            return Readiness(Verdict.FAILED, f"the connector runs, but {what}. Fix: let both name the same cluster")
        return Readiness(Verdict.RUNNING, f"connector {self.name} is RUNNING")

    def _failed_tasks(self, found: Connector) -> str:
        """MSK Connect tells no states of tasks; its workers note them on the cluster."""
        topic = f"{_INTERNAL.format(kind='status', connector=self.name)}{found.arn.rpartition('/')[2]}"
        return self._status.setdefault(topic, StatusTopic(self._target, topic)).failed(since=0)

    @cached_property
    def _status(self) -> dict[str, StatusTopic]:
        return {}

    @cached_property
    def _table(self) -> TableTopic:
        return TableTopic(self._target, self.offsets_topic)

    def _offsets(self) -> list[dict[str, Any]]:
        """By keys such as ``["<connector>", {"server": "<prefix>"}]``."""
        mine = []
        for key, row in self._table.rows().items():
            connector, place = json.loads(key)
            if connector == self.name and place.get("server") == self._spec.prefix:
                mine.append(json.loads(row.value))
        return mine

    def progress(self) -> Progress:
        return next(map(Progress.of, self._offsets()), Progress())

    # -- removal -------------------------------------------------------------------------------------------------------

    def remove(self, *, forget: bool) -> list[str]:
        found = self.hook.find_connector(self.name)
        ended = self._connectors.delete([found]) if found else []
        ended += self._resources.delete()
        admin = self._target.admin
        prefixes = tuple(_INTERNAL.format(kind=kind, connector=self.name) for kind in ("configs", "offsets", "status"))
        topics = [name for name in admin.topic_names() if name.startswith(prefixes)]
        admin.delete_topics([*topics, *([self.offsets_topic] if forget else [])])
        return ended

    def left(self) -> list[str]:
        found = self.hook.find_connector(self.name)
        return ([f"connector {self.name}"] if found else []) + self._resources.existing()

    def how_to_stop(self) -> str:
        region = region_of(self._spec.cluster_arn)
        return (
            f"keep_streaming: connector {self.name} goes on. To stop it, trigger this DAG again with the same params "
            "and keep_streaming off; or end it by hand:\n"
            f"{delete_msk_connectors(region, [self.name])}"
        )
