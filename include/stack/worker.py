"""A distributed Kafka Connect worker that keeps its topics on the target cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from stack import listeners, mariadb, s3, security
from stack.broker import Broker
from stack.cluster import Kind
from stack.health import get_json
from stack.ports import HOST
from stack.service import Service, java_command
from stack.state import State

# header.converter: the default one rewrites header bytes as base64 text (measured on 4.3.1).
# plugin.discovery=service_load: ready in 3 s with 160 MB; the default scan takes 6 s and 436 MB (measured).
# session.timeout.ms: a worker that was killed is gone for its group after 6 s, not 10 (6 s is the broker's minimum).
# The file config provider lets a connector point at a secret instead of holding it.
SETTINGS = """\
bootstrap.servers={bootstrap}
group.id=ferry-connect
listeners={scheme}://{host}:{port}
rest.advertised.host.name={host}
key.converter=org.apache.kafka.connect.converters.ByteArrayConverter
value.converter=org.apache.kafka.connect.converters.ByteArrayConverter
header.converter=org.apache.kafka.connect.converters.ByteArrayConverter
config.storage.topic=connect-configs
config.storage.replication.factor=1
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=1
status.storage.topic=connect-status
status.storage.replication.factor=1
status.storage.partitions=1
offset.flush.interval.ms=1000
connector.client.config.override.policy=All
plugin.discovery=service_load
scheduled.rebalance.max.delay.ms=5000
session.timeout.ms=6000
heartbeat.interval.ms=1500
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
config.providers.file.param.allowed.paths={secrets}
"""


_OWN_TOPICS = ("config", "offset", "status")


def worker_names(kind: Kind) -> list[str]:
    """Of all workers: ``worker``, ``worker-2``, …"""
    return ["worker", *(f"worker-{number}" for number in range(2, kind.brokers + 1))]


class Worker(Service):
    """A Connect worker; several are one group.

    :param plugins: folder of our own JARs for it. They go on its class path, where MirrorMaker 2 is: from there
        classes of a plugin folder are not seen.
    :param build: makes that folder; called before each start.
    :param connectors: folder of plugin folders, each with a class loader of its own (``plugin.path``).
    :param kind: of which the version is the worker's.
    :param name: see :func:`worker_names`.
    :param s3_connectors: another such folder, with our own S3 connectors.
    """

    def __init__(
        self,
        folder: Path,
        state: State,
        java: str,
        jars: Path,
        target: Broker,
        plugins: Path | None = None,
        build: Callable[[], object] = lambda: None,
        connectors: Path | None = None,
        kind: Kind | None = None,
        name: str = "worker",
        s3_connectors: Path | None = None,
    ) -> None:
        super().__init__(name, folder, state)
        self._kind = kind or Kind()
        self._java, self._jars, self._target = java, jars, target
        self._plugins, self._make_plugins, self._connectors = plugins, build, connectors
        self._s3_connectors = s3_connectors
        if security.has_users(state):
            self.needs = ("target",)  # without its ACLs a worker ends at once

    @property
    def url(self) -> str:
        """Root of its REST API."""
        return f"{listeners.scheme(self.state)}://{HOST}:{self.state.ports[self.name]}"

    @property
    def secrets(self) -> Path:
        """Folder whose files connectors may read through ``${file:<path>:<key>}``."""
        return self.folder / "connect-secrets"

    @property
    def _properties(self) -> Path:
        return self.folder / "config" / f"{self.name}.properties"

    def files(self) -> Mapping[Path, str]:
        port, bootstrap = self.state.ports[self.name], self._target.bootstrap
        settings = SETTINGS.format(
            bootstrap=bootstrap, scheme=listeners.scheme(self.state), host=HOST, port=port, secrets=self.secrets
        )
        if self.state.exactly_once:
            settings += "exactly.once.source.support=enabled\n"
        if (replicas := self._target.cluster.kind.replicas) > 1:
            settings += "".join(f"{name}.storage.replication.factor={replicas}\n" for name in _OWN_TOPICS)
        files = {}
        if paths := [str(path) for path in (self._connectors, self._s3_connectors) if path is not None]:
            settings += f"plugin.path={','.join(paths)}\n"
        if self._connectors is not None:
            files[self.secrets / "database.properties"] = f"password={self.state.secret(f'mariadb_{mariadb.READER}')}\n"
        if self._s3_connectors is not None:
            files[self.secrets / "s3.properties"] = s3.properties()
        if self.state.secure:
            # The worker's own password is not in the folder that connectors may read.
            settings += security.worker_settings(self.state)
            for cluster in security.USERS:
                secret = security.password(self.state, cluster, security.FERRY)
                files[self.secrets / f"{cluster}.properties"] = f"password={secret}\n"
        if self.state.listener:
            settings += listeners.worker_settings(self.state) + "rest.advertised.listener=https\n"
            for cluster, secrets in listeners.connect_secrets(self.state, security.FERRY).items():
                files[self.secrets / f"{cluster}.properties"] = listeners.java_properties(secrets)
        return {self._properties: settings, **files}

    def prepare(self) -> None:
        self._make_plugins()
        self.secrets.mkdir(mode=0o700, exist_ok=True)
        self.secrets.chmod(0o700)

    def command(self) -> list[str]:
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        before_4 = self._kind.before_4
        return java_command(
            self._java,
            self._jars,
            main,
            str(self._properties),
            plugins=self._plugins,
            before_4=before_4,
            options=listeners.jvm_options(self.state),
        )

    def problem(self) -> str | None:
        context = listeners.rest_context(self.state)
        if self._kind.numbers < (3, 9):  # GET /health is of KIP-1017
            return None if get_json(self.url, context).get("version") else "it does not say its version"
        health = get_json(f"{self.url}/health", context)
        return None if health.get("status") == "healthy" else f"it says {health}"
