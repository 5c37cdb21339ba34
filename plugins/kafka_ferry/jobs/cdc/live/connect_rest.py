"""A stream's connector on a Kafka Connect cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.connect.rest import ConnectorNotFound, InvalidConnectorConfig
from kafka_ferry.hooks.connect.states import ConnectorState, Readiness, Verdict
from kafka_ferry.jobs.cdc.live.runtime import Progress, history_error
from kafka_ferry.jobs.common.by_hand import delete_connector


class ConnectRestRuntime:
    """Runs one connector through the REST API.

    :param name: of the connector.
    """

    def __init__(self, name: str, connect_conn_id: str) -> None:
        self.name = name
        self.connect = ConnectHook(connect_conn_id)

    @property
    def names(self) -> list[str]:
        """What runs, for people."""
        return [self.name]

    def client_settings(self, kafka_conn_id: str) -> dict[str, str]:
        """Java client settings of a cluster, as the workers are to have them."""
        return self.connect.client_settings(kafka_conn_id)

    def password(self, database_conn_id: str) -> str | None:
        """The reference by which workers find the database's password; None: they are sent it."""
        return self.connect.config_provider(database_conn_id).get("password")

    def check(self, connector_class: str, cluster_id: str) -> None:
        """:raises BadParam: the workers lack the plugin, or write into another cluster."""
        plugins = {plugin.class_name: plugin.version for plugin in self.connect.plugins()}
        if connector_class not in plugins:
            raise BadParam(
                "connect_conn_id",
                f"the workers have no {connector_class}",
                "unpack Debezium's plugin archive into their plugin.path and restart them",
            )
        if (ours := self.connect.info().kafka_cluster_id) != cluster_id:
            raise BadParam(
                "connect_conn_id",
                f"the workers write into cluster {ours}, not into {cluster_id} of target_conn_id",
                "workers of the target cluster",
            )

    def service_role(self, topics: Sequence[str]) -> None:
        """None: its workers have whatever rights they were started with."""

    def deploy(self, config: Mapping[str, str], has_history: bool) -> bool:
        """Make the connector, or change what differs; whether it goes on from a position that was kept.

        :param has_history: whether its schema history topic holds statements.
        :raises BadParam: a position without a history, or a history without a position: of an earlier life. Nothing
            is left of what was made.
        """
        made = self.connect.find_config(self.name) is None
        if made:
            problems = self.connect.validate({**config, "name": self.name})
            if not problems.ok:
                raise InvalidConnectorConfig("POST", "/connectors", 400, f"Debezium refuses the config:\n{problems}")
            # STOPPED: its offsets can be asked for before it does anything with them.
            self.connect.create(self.name, config, initial_state=ConnectorState.STOPPED)
        else:
            changes = self.connect.apply(self.name, config)
            state = self.connect.status(self.name).state
            if state is not ConnectorState.STOPPED:
                if state is ConnectorState.PAUSED:
                    self.connect.resume(self.name)
                elif not changes and self.readiness().verdict is Verdict.FAILED:
                    self.connect.restart(self.name, only_failed=True)
                return True
        kept = bool(self.connect.offsets(self.name))
        if kept != has_history:
            if made:
                self.connect.delete(self.name)
            raise history_error(config.get("schema.history.internal.kafka.topic", ""), has_history)
        self.connect.resume(self.name)
        return kept

    def readiness(self) -> Readiness:
        """Whether it runs."""
        return self.connect.readiness(self.name)

    def progress(self) -> Progress:
        """How far it has come, by what it committed."""
        offsets = (entry["offset"] or {} for entry in self.connect.offsets(self.name))
        return next((Progress.of(offset) for offset in offsets if "file" in offset), Progress())

    def remove(self, *, forget: bool) -> list[str]:
        """Delete the connector; its offsets too when asked. What it was called, empty when there was none.

        Offsets of a connector that is gone are kept by Connect, and cannot be reached any more: so to forget them it is
        stopped first.
        """
        try:
            return [self.name] if self.connect.delete(self.name, reset_offsets=forget) else []
        except ConnectorNotFound:
            return []

    def left(self) -> list[str]:
        """What :meth:`remove` should have taken away and is there still."""
        return [f"connector {self.name}"] if self.connect.find_config(self.name) is not None else []

    def how_to_stop(self) -> str:
        """For the last task's log."""
        return (
            f"keep_streaming: connector {self.name} goes on. To stop it, trigger this DAG again with the same params "
            f"and keep_streaming off; or end it by hand:\n{delete_connector(self.connect, self.name)}"
        )
