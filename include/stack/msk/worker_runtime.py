"""Real Kafka Connect behind the double: one distributed worker for each connector, as a process of this machine.

As on MSK Connect each connector has a Connect cluster of its own, with its internal topics
``__amazon_msk_connect_<configs|offsets|status>_<name>_<id>`` on the connector's Kafka cluster. However many workers its
capacity asks for, there is one.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import requests

from stack import process
from stack.msk.archives_on_disk import unpack
from stack.msk.runtime import INVALID, Health, Launch, LogLine, Phase
from stack.ports import HOST, PortLease
from stack.process import Running
from stack.service import java_command

DEFAULTS = {
    # MSK Connect's default worker configuration (developer guide, "Understand MSK Connect workers").
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.storage.partitions": "1",  # 25 on AWS; one starts faster
    "status.storage.partitions": "1",
    "offset.flush.interval.ms": "1000",
}
SETTLE = 10.0  # seconds that a connector may be without tasks before it is believed to have none
_TIMEOUT = 10.0  # seconds for one call of the worker's REST API
_GRACE = 5.0  # seconds between TERM and KILL
_LOG_LINES = 2000
_TIME = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})\] ")


@dataclass
class _Workers:
    """The worker of one connector."""

    launch: Launch
    folder: Path
    port: int
    id: str
    running: Running | None = None
    applied: float | None = None  # when the worker took the config
    refused: Health | None = None
    paused: bool = False
    log: Path = field(default_factory=Path)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/connectors/{quote(self.launch.name, safe='')}"


class WorkerRuntime:
    """Starts, asks and ends the workers. No method waits for a worker: ``health`` does the next step that is due.

    :param folder: where each worker has a folder. ``java``, ``jars``: as the embedded stack starts its worker.
    :param mark: by which the processes are found again, see ``stack.process``.
    :param before_4: the jars are of a Kafka that logs by log4j 1.2.
    """

    def __init__(self, folder: Path, java: str, jars: Path, mark: str, *, before_4: bool = False) -> None:
        self._folder, self._java, self._jars, self._mark = folder, java, jars, mark
        self._before_4 = before_4
        self._workers: dict[str, _Workers] = {}
        self._ending: dict[str, tuple[Running, float]] = {}  # and until when they may take their time
        self._lease = PortLease()
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between this machine and itself

    def start(self, arn: str, launch: Launch) -> None:
        identity = arn.rpartition("/")[2]
        workers = _Workers(launch, self._folder / identity, self._lease.take(), identity)
        self._workers[arn] = workers
        self._start(workers)

    def _start(self, workers: _Workers) -> None:
        workers.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        plugins = workers.folder / "plugins" / hashlib.sha256(workers.launch.plugin).hexdigest()[:12]
        if not plugins.exists():
            unpack(workers.launch.plugin, workers.launch.content_type, plugins / "plugin")
        settings = workers.folder / "worker.properties"
        settings.write_text("".join(f"{key}={value}\n" for key, value in self._settings(workers, plugins).items()))
        workers.log = workers.folder / "worker.log"
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        workers.running = process.start(
            java_command(self._java, self._jars, main, str(settings), before_4=self._before_4),
            mark=self._mark,
            fingerprint="",
            log=workers.log,
            environment={},
            folder=workers.folder,
        )
        workers.applied, workers.refused = None, None

    @staticmethod
    def _settings(workers: _Workers, plugins: Path) -> dict[str, str]:
        suffix = f"{workers.launch.name}_{workers.id}"
        topics = {kind: f"__amazon_msk_connect_{kind}s_{suffix}" for kind in ("config", "offset")}
        return {
            **DEFAULTS,
            "offset.storage.topic": topics["offset"],
            **workers.launch.worker_properties,
            "bootstrap.servers": workers.launch.bootstrap_servers,
            "group.id": f"__amazon_msk_connect_{suffix}",
            "config.storage.topic": topics["config"],
            "status.storage.topic": f"__amazon_msk_connect_status_{suffix}",
            **{f"{kind}.storage.replication.factor": "1" for kind in ("config", "offset", "status")},
            "listeners": f"http://{HOST}:{workers.port}",
            "rest.advertised.host.name": HOST,
            "plugin.path": str(plugins),
            "plugin.discovery": _discovery(workers.launch),
            "scheduled.rebalance.max.delay.ms": "2000",
        }

    def update(self, arn: str, launch: Launch) -> None:
        workers = self._workers[arn]
        before, workers.launch = workers.launch, launch
        workers.applied, workers.refused = None, None
        if (before.plugin, before.worker_properties) != (launch.plugin, launch.worker_properties):
            self._end(workers)
            self._start(workers)

    def health(self, arn: str) -> Health:
        workers = self._workers[arn]
        if workers.refused:
            return workers.refused
        if workers.running is None or workers.running.process() is None:
            return Health(Phase.FAILED, "WorkerEnded", "the worker ended:\n" + process.tail(workers.log, 10))
        try:
            if workers.applied is None:
                self._apply(workers)
            if workers.applied is None:
                return workers.refused or Health(Phase.STARTING)
            return self._status(workers)
        except requests.RequestException:  # the worker does not listen yet, or is busy
            return Health(Phase.STARTING)

    def _apply(self, workers: _Workers) -> None:
        ready = self._session.get(f"http://{HOST}:{workers.port}/health", timeout=_TIMEOUT)  # KIP-1017
        if ready.status_code == 404:  # before 3.9: its answer to a list comes from its group
            ready = self._session.get(f"http://{HOST}:{workers.port}/connectors", timeout=_TIMEOUT)
        if ready.status_code != 200:  # it listens before it can take a config
            return
        answer = self._session.put(f"{workers.url}/config", json=dict(workers.launch.config), timeout=_TIMEOUT)
        if answer.status_code in (200, 201):
            workers.applied = time.monotonic()
            return
        message = str(answer.json().get("message", "")) if answer.content else ""
        # An unknown class is 500 and not 400 in some versions (measured on 4.3.1 for config/validate).
        if answer.status_code == 400 or "Failed to find any class" in message:
            words = f"The connector configuration is invalid. Message: {message}"
            workers.refused = Health(Phase.FAILED, INVALID, words[:2000])

    def _status(self, workers: _Workers) -> Health:
        answer = self._session.get(f"{workers.url}/status", timeout=_TIMEOUT)
        if answer.status_code != 200 or workers.applied is None:
            return Health(Phase.STARTING)
        status: dict[str, Any] = answer.json()
        states = [status["connector"]["state"], *(task["state"] for task in status["tasks"])]
        if failed := [part for part in (status["connector"], *status["tasks"]) if part["state"] == "FAILED"]:
            trace = str(failed[0].get("trace", ""))
            return Health(Phase.FAILED, "ConnectorFailed", "\n".join(trace.splitlines()[:5]))
        if set(states) == {"PAUSED"}:
            return Health(Phase.PAUSED)
        young = time.monotonic() - workers.applied < SETTLE
        if set(states) != {"RUNNING"} or (young and not status["tasks"]):
            return Health(Phase.STARTING)
        return Health(Phase.RUNNING)

    def pause(self, arn: str) -> None:
        self._send("PUT", arn, "pause")

    def resume(self, arn: str) -> None:
        self._send("PUT", arn, "resume")

    def restart(self, arn: str, only_failed_tasks: bool) -> None:
        workers = self._workers[arn]
        if workers.running is None or workers.running.process() is None:
            self._start(workers)
        else:
            self._send("POST", arn, f"restart?includeTasks=true&onlyFailed={str(only_failed_tasks).lower()}")

    def _send(self, method: str, arn: str, what: str) -> None:
        self._session.request(method, f"{self._workers[arn].url}/{what}", timeout=_TIMEOUT).raise_for_status()

    def stop(self, arn: str) -> None:
        workers = self._workers.pop(arn, None)
        if workers and workers.running and (live := workers.running.process()):
            with contextlib.suppress(psutil.NoSuchProcess):
                live.terminate()
            self._ending[arn] = workers.running, time.monotonic() + _GRACE

    def gone(self, arn: str) -> bool:
        if arn in self._ending:
            running, patience = self._ending[arn]
            live = running.process()
            if live is not None and time.monotonic() < patience:
                return False
            process.kill9(running)
            del self._ending[arn]
        return True

    def _end(self, workers: _Workers) -> None:
        if workers.running is not None:
            process.end(workers.running, _GRACE)
        workers.running = None

    def log(self, arn: str) -> list[LogLine]:
        workers = self._workers.get(arn)
        if workers is None or not workers.log.exists():
            return []
        found, at = [], 0
        for line in workers.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]:
            if stamp := _TIME.match(line):
                at = int(time.mktime(time.strptime(stamp[1], "%Y-%m-%d %H:%M:%S"))) * 1000 + int(stamp[2])
            found.append(LogLine(at, line))
        return found

    def close(self) -> None:
        for arn in list(self._workers):
            self.stop(arn)
        while self._ending:
            for arn in list(self._ending):
                self.gone(arn)
            time.sleep(0.05)

    def workers(self) -> dict[str, dict[str, Any]]:
        """Connector name → process id and log of its worker, for tests that hurt it."""
        return {
            workers.launch.name: {"pid": workers.running.pid if workers.running else None, "log": str(workers.log)}
            for workers in self._workers.values()
        }


def _discovery(launch: Launch) -> str:
    """How the worker finds plugins: as Kafka 3.7 does by default, which scans. Kafka's own connectors need no scan; it
    costs 4 s and 270 MB (measured)."""
    own = launch.config.get("connector.class", "").startswith("org.apache.kafka.")
    return "service_load" if own else "hybrid_warn"
