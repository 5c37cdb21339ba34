"""Connectors on a Kafka Connect cluster, or a standalone worker, by its REST API."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.kafka_version import kafka_version, said
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook, Offsets
from kafka_ferry.hooks.connect.rest import ConnectorNotFound, InvalidConnectorConfig
from kafka_ferry.hooks.connect.states import ConnectorState, Readiness, ValidationResult, Verdict, worst
from kafka_ferry.jobs.common.by_hand import delete_connector
from kafka_ferry.jobs.runtimes.connectors import Begin, Configs, at_least_one, change
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind

log = logging.getLogger(__name__)

_OLDEST = (3, 7)  # KIP-980
# Strimzi's operator owns all connectors then (https://strimzi.io/docs/operators/latest/deploying, "Adding connectors").
_DELETED = (
    "is gone: something deleted it after it was created. Strimzi's operator deletes each connector that has no "
    "KafkaConnector resource, where the KafkaConnect resource has the annotation strimzi.io/use-connector-resources: "
    "true. Fix: name a Connect cluster without that annotation in connect_conn_id, then clear deploy"
)


def refused(name: str, problems: ValidationResult) -> BadParam:
    """A config that the worker does not take."""
    return BadParam("connect_conn_id", f"the worker refuses connector {name}: {problems}", "see the keys listed")


class KafkaConnectRuntime:
    """A connector is created STOPPED, told where to begin, and only then resumed.

    :param refusal: a job's own words for a config that the worker refuses.
    """

    own_topics: tuple[str, ...] = ()

    def __init__(self, connect: ConnectHook, refusal: Callable[[str, ValidationResult], BadParam] = refused) -> None:
        self.connect, self._refusal = connect, refusal

    # -- plan ----------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        return {"conn_id": self.connect.connect_conn_id, "version": self.connect.info().version}

    def check(self, connector_class: str, cluster_id: str | None, plugin: str) -> None:
        if connector_class not in {plugin.class_name for plugin in self.connect.plugins()}:
            fix = f"unpack {plugin} into their plugin.path and restart them"
            raise BadParam("connect_conn_id", f"the workers do not have {connector_class}", fix)
        info = self.connect.info()
        if (kafka_version(info.version) or _OLDEST) < _OLDEST:
            problem = (
                f"the workers are Kafka Connect {said(info.version)}, which cannot create a connector that is stopped"
            )
            raise BadParam("connect_conn_id", problem, "workers of Kafka 3.7 or newer (Confluent Platform 7.7)")
        if cluster_id is not None and (ours := info.kafka_cluster_id) != cluster_id:
            problem = f"the workers write into cluster {ours}, not into {cluster_id} of target_conn_id"
            raise BadParam("connect_conn_id", problem, "workers of the target cluster")

    def service_role(
        self, kind: Kind, connectors: Sequence[str], topics: Sequence[str], own: Sequence[str], *,
        groups: Sequence[str] = (), pattern: str = "*",
    ) -> None:  # fmt: skip
        """None: its workers have whatever rights they were started with."""

    def login_findings(self) -> list[Finding]:
        return []  # its workers are logged in already

    def client_settings(self, kafka_conn_id: str) -> dict[str, str]:
        return self.connect.client_settings(kafka_conn_id)

    def reference(self, conn_id: str, key: str) -> str | None:
        return self.connect.config_provider(conn_id).get(key)

    def changes(self, configs: Configs) -> list[Change]:
        changes = []
        for name, config in configs.items():
            problems = self.connect.validate({**config, "name": name})
            if not problems.ok:
                raise self._refusal(name, problems)
            changes.append(change(name, config, self.connect.find_config(name)))
        return changes

    # -- run -----------------------------------------------------------------------------------------------------------

    def make_way(self, connectors: Iterable[str]) -> set[str]:
        return {name for name in connectors if self._state(name) in (None, ConnectorState.STOPPED)}

    def config(self, connector: str) -> Mapping[str, str] | None:
        return self.connect.find_config(connector)

    def deploy(self, configs: Configs, begin: Mapping[str, Begin], *, restart_failed: bool = False) -> None:
        """:raises InvalidConnectorConfig: the worker refuses a config, of which nothing was made."""
        for name, config in configs.items():
            state, changes = self._state(name), []
            made = state is None
            if made:
                self._create(name, config)
                state = ConnectorState.STOPPED
            else:
                if name in begin and state is not ConnectorState.STOPPED:
                    self.connect.stop(name)
                    state = ConnectorState.STOPPED
                changes = self.connect.apply(name, config)
            if name in begin:
                self._begin(name, begin[name], made)
            if state in (ConnectorState.STOPPED, ConnectorState.PAUSED):
                self.connect.resume(name)
            elif restart_failed and not changes and self.connect.readiness(name).verdict is Verdict.FAILED:
                self.connect.restart(name, only_failed=True)

    def _create(self, name: str, config: Mapping[str, str]) -> None:
        problems = self.connect.validate({**config, "name": name})
        if not problems.ok:
            raise InvalidConnectorConfig("POST", "/connectors", 400, f"the config of {name} is refused:\n{problems}")
        self.connect.create(name, config, initial_state=ConnectorState.STOPPED)
        log.info("create connector %s", name)

    def _begin(self, name: str, begin: Begin, made: bool) -> None:
        try:
            changes = begin(self.connect.offsets(name))
        except BadParam:
            if made:
                self.connect.delete(name)
            raise
        if changes:
            self.connect.alter_offsets(name, changes)

    def _state(self, name: str) -> ConnectorState | None:
        if self.connect.find_config(name) is None:
            return None
        try:
            return self.connect.status(name).state
        except ConnectorNotFound:
            return ConnectorState.UNASSIGNED  # just created: the status comes a moment after the config

    def pause(self, connectors: Iterable[str]) -> None:
        for name in connectors:
            # One that is stopped has no tasks, and would get some.
            if self._state(name) is not ConnectorState.STOPPED:
                self.connect.pause(name)

    def resume(self, connectors: Iterable[str]) -> None:
        for name in connectors:
            self.connect.resume(name)

    def readiness(self, connectors: Iterable[str], tasks: Callable[[str], int] = at_least_one) -> Readiness:
        wanted = list(connectors)
        found = worst([self.connect.readiness(name, tasks(name)) for name in wanted])
        # Not a failure yet: another worker of the cluster may not know of it for a moment.
        gone = self._gone(wanted) if found.verdict is Verdict.WAITING else ""
        return Readiness(found.verdict, gone) if gone else found

    def problem(self, connectors: Iterable[str]) -> str:
        wanted = list(connectors)
        if gone := self._gone(wanted):
            return gone
        for name in wanted:
            state = self.connect.readiness(name, 0)
            if state.verdict is Verdict.FAILED:
                return state.reason
        return ""

    def _gone(self, connectors: Iterable[str]) -> str:
        """Of connectors that were made: those that something has deleted since; empty: none."""
        there = set(self.connect.connectors())
        missing = [name for name in connectors if name not in there]
        return f"connector {', '.join(missing)} {_DELETED}" if missing else ""

    def offsets(self, connector: str) -> Offsets:
        return self.connect.offsets(connector)

    # -- removal -------------------------------------------------------------------------------------------------------

    def existing(self, connectors: Iterable[str]) -> list[str]:
        found = set(self.connect.connectors())
        return [name for name in connectors if name in found]

    def remove(self, connectors: Iterable[str], *, forget: bool) -> list[str]:
        """Offsets of a connector that is gone can not be reached any more: to forget them it is stopped first."""
        return [f"connector {name}" for name in connectors if self.connect.delete(name, reset_offsets=forget)]

    def forget_internal(self, connectors: Iterable[str]) -> list[str]:
        """None: its topics are all connectors'."""
        return []

    def left(self, connectors: Iterable[str]) -> list[str]:
        return [f"connector {name}" for name in self.existing(connectors)]

    def how_to_stop(self, connectors: Sequence[str]) -> str:
        return "\n".join(delete_connector(self.connect, name) for name in connectors)
