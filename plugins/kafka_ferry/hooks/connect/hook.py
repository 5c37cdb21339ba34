"""Kafka Connect over REST."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

import requests
from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.client_settings import java_client_settings, with_prefix
from kafka_ferry.core.config_diff import Change, config_diff, connector_config
from kafka_ferry.core.redaction import masked_keys, redact_text, secret_values
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.connect.rest import (
    ConnectBusy,
    ConnectError,
    ConnectorExists,
    ConnectorNotFound,
    ConnectorNotStopped,
    ConnectRest,
    ConnectUnavailable,
    InvalidConnectorConfig,
    OutcomeUnknown,
    PluginNotFound,
)
from kafka_ferry.hooks.connect.states import (
    ConnectorState,
    ConnectorStatus,
    PluginInfo,
    Readiness,
    TaskState,
    TaskStatus,
    ValidationResult,
    Verdict,
    WorkerInfo,
    readiness,
)
from kafka_ferry.provider_info import form_hints

__all__ = [
    "ConnectBusy", "ConnectError", "ConnectHook", "ConnectUnavailable", "ConnectorExists", "ConnectorNotFound",
    "ConnectorNotStopped", "ConnectorState", "ConnectorStatus", "InvalidConnectorConfig", "OutcomeUnknown",
    "PluginInfo", "PluginNotFound", "Readiness", "TaskState", "TaskStatus", "ValidationResult", "Verdict", "WorkerInfo",
]  # fmt: skip

Offsets = list[dict[str, Any]]


class ConnectHook(BaseHook):
    """Client of one Kafka Connect cluster (Kafka 3.6+ for changing offsets, 3.5+ for stop).

    The Airflow connection is of type ``kafka_connect``, or ``http`` where no wheel is installed: host, port, schema
    (``http``/``https``), login and password for basic authentication. Its extra may hold ``verify`` (false, or the path
    of a CA bundle), ``timeout`` (seconds) and ``config_provider``: ``{kafka connection id: {librdkafka key:
    "${provider:path:key}"}}``, see docs/connections.md.

    All methods raise :class:`ConnectError` or a subclass; ``retriable`` says whether the same call may succeed later.

    :param connect_conn_id: the Airflow connection of the Connect cluster.
    :param patience: seconds a call goes on while the cluster rebalances, does not listen, or has not yet done what it
        accepted (stop, pause).
    :param url: of a worker that no connection names, in place of ``connect_conn_id``.
    """

    conn_name_attr = "connect_conn_id"
    default_conn_name = "kafka_connect"
    conn_type = "kafka_connect"
    hook_name = "Kafka Connect"

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        return form_hints(cls.conn_type)

    poll_interval = 0.25

    def __init__(
        self, connect_conn_id: str = default_conn_name, *, patience: float = 60.0, url: str | None = None
    ) -> None:
        super().__init__()
        self._url = url
        self.connect_conn_id = connect_conn_id
        self.patience = patience

    @cached_property
    def rest(self) -> ConnectRest:
        """The HTTP client that the Airflow connection describes."""
        if self._url is not None:
            return ConnectRest(self._url, requests.Session(), timeout=100.0, patience=self.patience)
        connection = _connection(self.connect_conn_id)
        if not connection.host:
            raise BadConnection(f"connection {self.connect_conn_id!r} has no host. Fix: host and port of a worker")
        host = connection.host.rstrip("/")
        base = host if "://" in host else f"{connection.schema or 'http'}://{host}"
        if connection.port and not base.rpartition(":")[2].isdigit():
            base = f"{base}:{connection.port}"
        session = requests.Session()
        if connection.login:
            session.auth = (connection.login, connection.password or "")
        session.verify = self._extra.get("verify", True)
        return ConnectRest(base, session, timeout=float(self._extra.get("timeout", 100)), patience=self.patience)

    @cached_property
    def _extra(self) -> dict[str, Any]:
        return dict(_connection(self.connect_conn_id).extra_dejson)

    # -- one connection, two dialects ----------------------------------------------------------------------------------

    def config_provider(self, kafka_conn_id: str) -> dict[str, str]:
        """librdkafka key → ConfigProvider reference that this Connect cluster is to use for a Kafka connection."""
        providers = self._extra.get("config_provider", {})
        references = providers.get(kafka_conn_id, {}) if isinstance(providers, dict) else None
        if not isinstance(references, dict):
            raise BadConnection(
                f"connection {self.connect_conn_id!r}: config_provider is not "
                '{kafka connection id: {librdkafka key: "${provider:path:key}"}}'
            )
        return references

    def client_settings(self, kafka_conn_id: str, prefix: str = "") -> dict[str, str]:
        """Java client settings of a ``kafka`` connection, with the references of :meth:`config_provider`.

        The literal secrets among them are made known to Airflow's log masker.

        :raises BadConnection: the connection is missing, or has settings without a Java equivalent.
        """
        try:
            settings = java_client_settings(
                _connection(kafka_conn_id).extra_dejson, self.config_provider(kafka_conn_id)
            )
        except BadConnection as refusal:
            raise BadConnection(f"connection {kafka_conn_id!r}: {refusal}") from None
        for secret in secret_values(settings):
            mask_secret(secret)
        return with_prefix(settings, prefix)

    # -- the cluster ---------------------------------------------------------------------------------------------------

    def info(self) -> WorkerInfo:
        """Version of the worker and id of the Kafka cluster it keeps its own topics in."""
        body = self.rest.request("GET", "/")
        return WorkerInfo(body["version"], body["commit"], body.get("kafka_cluster_id", ""))

    def health(self) -> tuple[bool, str]:
        """Whether the worker can serve requests (``GET /health``, Kafka 3.9+; else ``GET /``), and its words."""
        try:
            try:
                return True, self.rest.request("GET", "/health")["message"]
            except ConnectorNotFound:
                return True, f"Kafka Connect {self.info().version}"
        except (ConnectError, BadConnection) as fault:
            return False, str(fault)

    def test_connection(self) -> tuple[bool, str]:
        """What Airflow's Test button calls."""
        healthy, message = self.health()
        return (healthy, f"Kafka Connect {self.info().version}: {message}") if healthy else (False, message)

    def plugins(self, *, connectors_only: bool = True) -> list[PluginInfo]:
        """What the cluster can run."""
        found = self.rest.request("GET", "/connector-plugins", params={"connectorsOnly": str(connectors_only).lower()})
        return [PluginInfo(plugin["class"], plugin["type"], plugin.get("version") or "") for plugin in found]

    def loggers(self) -> dict[str, str]:
        """Logger name → level, of the worker that answers."""
        return {name: entry["level"] for name, entry in self.rest.request("GET", "/admin/loggers").items()}

    def set_log_level(self, logger: str, level: str, *, scope: str = "worker") -> None:
        """Set a logger's level; ``scope="cluster"`` (Kafka 3.7+) reaches every worker, a moment later."""
        self.rest.request("PUT", f"/admin/loggers/{quote(logger)}", json={"level": level}, params={"scope": scope})

    # -- configs -------------------------------------------------------------------------------------------------------

    def connectors(self) -> list[str]:
        """Names of all connectors, sorted."""
        return sorted(self.rest.request("GET", "/connectors"))

    def config(self, name: str) -> dict[str, str]:
        """The stored config with its secrets: show it only through ``redact``."""
        return dict(self.rest.request("GET", f"{_path(name)}/config"))

    def find_config(self, name: str) -> dict[str, str] | None:
        """:meth:`config`, or ``None`` when there is no such connector."""
        try:
            return self.config(name)
        except ConnectorNotFound:
            return None

    def validate(self, config: Mapping[str, Any]) -> ValidationResult:
        """What the worker finds wrong with a config. It answers 200 also when it finds errors."""
        wanted = connector_config(config)
        plugin = wanted.get("connector.class", "")
        if not plugin:
            return ValidationResult("", {"connector.class": ("missing",)})
        if masked := dict.fromkeys(masked_keys(wanted), ("holds *** in place of the secret",)):
            return ValidationResult(plugin, masked)
        path = f"/connector-plugins/{quote(plugin, safe='')}/config/validate"
        try:
            body = self.rest.request("PUT", path, json=wanted, secrets=secret_values(wanted))
        except PluginNotFound:
            known = ", ".join(info.class_name.rpartition(".")[2] for info in self.plugins())
            return ValidationResult(plugin, {"connector.class": (f"the worker has no {plugin}, only {known}",)})
        values = [entry["value"] for entry in body["configs"]]
        return ValidationResult(plugin, {v["name"]: tuple(v["errors"]) for v in values if v["errors"]})

    def apply(self, name: str, config: Mapping[str, Any]) -> list[Change]:
        """Make the connector's config equal to ``config``: compare, validate, then PUT only when they differ.

        Connect itself does not compare: an identical PUT restarts the connector.

        :return: the changes made, without secrets; empty when nothing had to be done.
        :raises InvalidConnectorConfig: with the errors per key; nothing was changed.
        """
        desired = connector_config({**config, "name": name})
        changes = config_diff(desired, self.find_config(name))
        if not changes:
            self.log.info("Connector %s is up to date: nothing to do", name)
            return changes
        self.log.info("Connector %s: %d changes\n%s", name, len(changes), "\n".join(map(str, changes)))
        result = self.validate(desired)
        if not result.ok:
            problem = f"{len(result.errors)} keys of the config are invalid, nothing was changed:\n{result}"
            raise InvalidConnectorConfig("PUT", f"{_path(name)}/config", 400, problem)
        self.put_config(name, desired)
        return changes

    def put_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Create or update a connector (``PUT …/config``). Prefer :meth:`apply`, which compares first."""
        desired = connector_config({**config, "name": name})
        self._write(
            lambda: self.rest.request("PUT", f"{_path(name)}/config", json=desired, secrets=secret_values(desired)),
            lambda: not config_diff(desired, self.find_config(name)),
        )

    def create(
        self, name: str, config: Mapping[str, Any], *, initial_state: ConnectorState = ConnectorState.RUNNING
    ) -> None:
        """Create a connector; ``initial_state=STOPPED`` (Kafka 3.7+, KIP-980) lets offsets be set before it starts.

        :raises ConnectorExists: the name is taken.
        """
        desired = connector_config({**config, "name": name})
        body: dict[str, Any] = {"name": name, "config": desired}
        if initial_state is not ConnectorState.RUNNING:
            body["initial_state"] = initial_state.value
        self._write(
            lambda: self.rest.request("POST", "/connectors", json=body, secrets=secret_values(desired)),
            lambda: not config_diff(desired, self.find_config(name)),
        )

    def delete(self, name: str, *, reset_offsets: bool = False) -> bool:
        """Delete a connector; one that does not exist is deleted already.

        Connect keeps the offsets: a connector made again under this name resumes where it was.

        :param reset_offsets: stop it and forget its offsets first.
        :return: whether it existed.
        """
        try:
            if reset_offsets:
                self.stop(name)
                self.reset_offsets(name)
            self._write(
                lambda: self.rest.request("DELETE", _path(name)),
                lambda: self.find_config(name) is None,
            )
        except ConnectorNotFound:
            return False
        return True

    # -- states --------------------------------------------------------------------------------------------------------

    def status(self, name: str) -> ConnectorStatus:
        """States of connector and tasks. 404 for a moment after create, longer when the source is unreachable."""
        return ConnectorStatus.from_json(self.rest.request("GET", f"{_path(name)}/status"))

    def readiness(self, name: str, expected_tasks: int = 1) -> Readiness:
        """Whether the connector runs with at least ``expected_tasks`` tasks, all RUNNING."""
        try:
            status = self.status(name)
        except ConnectorNotFound:
            status = None
        return readiness(name, status, expected_tasks)

    def tasks(self, name: str) -> dict[int, dict[str, str]]:
        """Task id → its config (with secrets). MirrorMaker 2 tells its share in ``task.assigned.partitions``."""
        return {task["id"]["task"]: task["config"] for task in self.rest.request("GET", f"{_path(name)}/tasks")}

    def restart(self, name: str, *, include_tasks: bool = True, only_failed: bool = False) -> None:
        """Restart the connector and, by default, its tasks; ``only_failed`` spares what runs. Asynchronous."""
        params = {"includeTasks": str(include_tasks).lower(), "onlyFailed": str(only_failed).lower()}
        self.rest.request("POST", f"{_path(name)}/restart", params=params)

    def restart_task(self, name: str, task: int) -> None:
        """Restart one task. Asynchronous."""
        self.rest.request("POST", f"{_path(name)}/tasks/{task}/restart")

    def pause(self, name: str) -> None:
        """Pause and wait until connector and tasks say so. Tasks keep their assignment."""
        self._change_state(name, "pause", lambda s: s.state is ConnectorState.PAUSED and _all(s, TaskState.PAUSED))

    def resume(self, name: str) -> None:
        """Resume a paused or stopped connector and wait until it is RUNNING; its tasks may come later."""
        self._change_state(name, "resume", lambda s: s.state.is_running)

    def stop(self, name: str) -> None:
        """Stop and wait until no task is left: only then may offsets be changed (KIP-875)."""
        self._change_state(name, "stop", lambda s: s.state is ConnectorState.STOPPED and not s.tasks)

    # -- offsets -------------------------------------------------------------------------------------------------------

    def offsets(self, name: str) -> Offsets:
        """``[{"partition": {...}, "offset": {...}}, …]``: of a source the positions its tasks committed, of a sink its
        consumer group's offsets."""
        return list(self.rest.request("GET", f"{_path(name)}/offsets")["offsets"])

    def alter_offsets(self, name: str, offsets: Sequence[Mapping[str, Any]]) -> None:
        """Set offsets of a STOPPED connector, and read them back: a task that outlived the stop could still write.

        :param offsets: as :meth:`offsets` gives them; ``"offset": None`` forgets a partition.
        :raises ConnectorNotStopped: the connector is not STOPPED.
        """
        path = f"{_path(name)}/offsets"
        desired = {"offsets": [dict(entry) for entry in offsets]}
        self._write(lambda: self.rest.request("PATCH", path, json=desired), lambda: self._has_offsets(name, offsets))
        if not self._wait(lambda: self._has_offsets(name, offsets)):
            raise ConnectBusy("PATCH", path, 200, "the offsets read back differ from those written")

    def reset_offsets(self, name: str) -> None:
        """Forget all offsets of a STOPPED connector.

        :raises ConnectorNotStopped: the connector is not STOPPED.
        """
        self._write(
            lambda: self.rest.request("DELETE", f"{_path(name)}/offsets"),
            lambda: not self.offsets(name),
        )

    def _has_offsets(self, name: str, desired: Sequence[Mapping[str, Any]]) -> bool:
        actual = {_frozen(entry["partition"]): entry["offset"] for entry in self.offsets(name)}
        return all(actual.get(_frozen(entry["partition"])) == entry["offset"] for entry in desired)

    # -- waiting -------------------------------------------------------------------------------------------------------

    def _change_state(self, name: str, verb: str, reached: Callable[[ConnectorStatus], bool]) -> None:
        path = f"{_path(name)}/{verb}"

        def done() -> bool:
            try:
                return reached(self.status(name))
            except ConnectorNotFound:
                return False

        self._write(lambda: self.rest.request("PUT", path), done)
        if not self._wait(done):
            status = self.status(name)
            why = f": {redact_text(status.cause)}" if status.cause else ""
            raise ConnectBusy("PUT", path, 202, f"accepted, but not done within {self.patience:g} s: {status}{why}")

    def _write(self, send: Callable[[], Any], landed: Callable[[], bool]) -> None:
        """Send a write once; when its outcome is unknown, read back whether it landed."""
        try:
            send()
        except OutcomeUnknown as unknown:
            self.log.warning("%s. Reading the state back to see whether it was done", unknown)
            if not self._wait(landed):
                raise

    def _wait(self, reached: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self.patience
        while not reached():
            if time.monotonic() > deadline:
                return False
            time.sleep(self.poll_interval)
        return True


def _connection(conn_id: str) -> Any:
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise BadConnection(f"connection {conn_id!r} does not exist. Fix: create it, or name another one") from None


def _path(name: str) -> str:
    return f"/connectors/{quote(name, safe='')}"


def _all(status: ConnectorStatus, state: TaskState) -> bool:
    return all(task.state is state for task in status.tasks)


def _frozen(partition: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((key, str(value)) for key, value in partition.items())
