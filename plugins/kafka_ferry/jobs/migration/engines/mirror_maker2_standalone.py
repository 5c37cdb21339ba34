"""MirrorMaker 2 on a standalone Connect worker: one process on a host, with a REST API and its own offsets file."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import javaproperties

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.connect.hook import ConnectBusy, ConnectHook, ConnectUnavailable, Readiness, Verdict
from kafka_ferry.hooks.hosts.host import Host
from kafka_ferry.jobs.migration.engines.connect_standalone_config import worker_properties
from kafka_ferry.jobs.migration.engines.host_engine import HostEngine, SupervisedProgress
from kafka_ferry.jobs.migration.engines.host_spec import StandaloneSpec
from kafka_ferry.jobs.migration.engines.mirror_connectors import MirrorConnectors, forget_heartbeats, refusal
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import residue_topics
from kafka_ferry.jobs.migration.rules.watch import Progress
from kafka_ferry.jobs.runtimes.connectors import change
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime

_START_SECONDS = 120  # a scan of the class path takes 16 s on a slow machine (measured), a JVM under load more


class MirrorMaker2Standalone(HostEngine):
    """The worker is started bare; the connectors come over its REST API, exactly as on a Connect cluster.

    A standalone worker forgets its connectors when it ends, its offsets file does not: so they are made again, STOPPED,
    told where to resume, and resumed.
    """

    @property
    def main_class(self) -> str:
        return "org.apache.kafka.connect.cli.ConnectStandalone"

    def arguments(self, host: Host, folder: str) -> list[str]:
        return [f"{folder}/worker.properties"]

    def files(self, host: Host, folder: str) -> dict[str, bytes]:
        target = self.settings(folder)(self.spec.target_conn_id)
        keys = worker_properties(target, self._url, f"{folder}/offsets.dat", self.spec.overrides)
        secrets = self.secrets()
        if secrets:
            keys |= {
                "config.providers": "file",
                "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
                "config.providers.file.param.allowed.paths": folder,
            }
        files = {"worker.properties": keys} | ({"secrets.properties": secrets} if secrets else {})
        return {name: javaproperties.dumps(text, timestamp=False).encode() for name, text in files.items()}

    @property
    def _url(self) -> str:
        assert isinstance(self.spec, StandaloneSpec)  # noqa: S101  # the registry pairs them
        return f"http://{self.hosts[0].address}:{self.spec.rest_port}"

    @cached_property
    def mirror(self) -> MirrorConnectors:
        settings = self.settings(self.folder(self.hosts[0]))
        return MirrorConnectors(self.migration, KafkaConnectRuntime(ConnectHook(url=self._url), refusal), settings)

    def about(self) -> dict[str, Any]:
        return super().about() | {"connectors": self.mirror.wanted}

    def changes(self) -> list[Change]:
        processes = super().changes()
        if any(process.action is Action.CREATE for process in processes):  # nobody there to ask
            return processes + [change(name, self.mirror.configs[name], None) for name in self.mirror.wanted]
        return processes + self.mirror.changes()

    def deploy(self) -> None:
        self.start()
        self._wait_for_worker()
        self.mirror.deploy()

    def _wait_for_worker(self) -> None:
        """:raises TransientError: it ended, with the end of its log, or it does not answer."""
        worker, deadline = ConnectHook(url=self._url, patience=1), time.monotonic() + _START_SECONDS
        while True:
            try:
                worker.info()
            except (ConnectUnavailable, ConnectBusy) as fault:
                state = self.lives()
                if state.verdict is not Verdict.RUNNING:
                    raise TransientError(state.reason) from fault
                if time.monotonic() > deadline:
                    raise TransientError(
                        f"{self.names[0]} runs, but its REST API at {self._url} cannot be reached from here: {fault}. "
                        "Fix: let Airflow reach that port, or change rest_port"
                    ) from fault
                time.sleep(0.5)
            else:
                return

    def readiness(self) -> Readiness:
        state = self.lives()
        return state if state.verdict is not Verdict.RUNNING else self.mirror.readiness()

    def progress(self) -> Progress:
        return SupervisedProgress(self, self.mirror.progress())

    def own_topics(self) -> tuple[str, ...]:
        return residue_topics(self.migration.spec.alias)

    def forget(self) -> list[str]:
        return forget_heartbeats(self.migration)
