"""What a stack remembers between two commands: its id, ports, cluster ids, secrets and processes."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import uuid
from dataclasses import asdict
from pathlib import Path

from stack.ports import PortLease
from stack.process import Running

VERSION = 1


class State:
    """``state.json`` in the folder of a stack, 0600 as it holds generated secrets. May be used from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self.id = uuid.uuid4().hex
        self.ports: dict[str, int] = {}
        self.cluster_ids: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.secure = self.msk = self.exactly_once = self.postgres = self.celery = self.s3_connectors = False
        self.registry = False
        self.listener = ""  # one of ``stack.listeners.KINDS``
        self.racks: list[str] = []  # of brokers, in turn
        self.kinds: dict[str, str] = {}  # cluster or "worker" to what ``stack.cluster.Kind`` parses
        self.processes: dict[str, Running] = {}
        if path.exists():
            self._read(json.loads(path.read_text()))

    def _read(self, data: dict[str, object]) -> None:
        if data.get("version") != VERSION:
            return  # of another release: its processes are not ours to adopt
        self.id = str(data["id"])
        self.ports = dict(data["ports"])  # type: ignore[call-overload]
        self.cluster_ids = dict(data["cluster_ids"])  # type: ignore[call-overload]
        self.secrets = dict(data["secrets"])  # type: ignore[call-overload]
        self.secure, self.msk = bool(data.get("secure", False)), bool(data.get("msk", False))
        self.exactly_once, self.postgres = bool(data.get("exactly_once", False)), bool(data.get("postgres", False))
        self.listener = str(data.get("listener", ""))
        self.racks = list(data.get("racks", []))  # type: ignore[call-overload]
        self.celery, self.s3_connectors = bool(data.get("celery", False)), bool(data.get("s3_connectors", False))
        self.registry = bool(data.get("registry", False))
        self.kinds = dict(data.get("kinds", {}))  # type: ignore[call-overload]
        processes: dict[str, dict[str, str]] = dict(data["processes"])  # type: ignore[call-overload]
        self.processes = {name: Running(**fields) for name, fields in processes.items()}  # type: ignore[arg-type]

    @property
    def folder(self) -> Path:
        """Of the stack."""
        return self._path.parent

    def save(self) -> None:
        """Write the file in one step, so that a killed launcher leaves the old state or the new one."""
        with self._lock:
            data = {
                "version": VERSION,
                "id": self.id,
                "ports": self.ports,
                "cluster_ids": self.cluster_ids,
                "secrets": self.secrets,
                "secure": self.secure,
                "msk": self.msk,
                "exactly_once": self.exactly_once,
                "listener": self.listener,
                "racks": self.racks,
                "postgres": self.postgres,
                "celery": self.celery,
                "s3_connectors": self.s3_connectors,
                "registry": self.registry,
                "kinds": self.kinds,
                "processes": {name: asdict(running) for name, running in self.processes.items()},
            }
            write_private(self._path, json.dumps(data, indent=1))

    def mark(self, name: str = "") -> str:
        """The mark of one process of this stack, or the prefix of all their marks."""
        return f"{self.id}:{name}"

    def running(self, name: str) -> Running | None:
        """The recorded process, when it lives."""
        running = self.processes.get(name)
        return running if running is not None and running.process() is not None else None

    def record(self, name: str, running: Running) -> None:
        """Remember a process that was just started."""
        with self._lock:
            self.processes[name] = running
            self.save()

    def forget(self, name: str) -> None:
        """A process has ended."""
        with self._lock:
            if self.processes.pop(name, None) is not None:
                self.save()

    def keep_port(self, name: str, lease: PortLease, in_use: bool) -> None:
        """Give ``name`` a port: the one it had, unless somebody else has taken it in the meantime."""
        if not (in_use and name in self.ports):
            self.ports[name] = lease.take(self.ports.get(name))

    def cluster_id(self, name: str) -> str:
        """The id of a Kafka cluster: 16 random bytes as base64url, as ``kafka-storage random-uuid`` makes them."""
        while name not in self.cluster_ids:
            text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]
            if not text.startswith("-"):  # would read as an option on a command line
                self.cluster_ids[name] = text
        return self.cluster_ids[name]

    def fernet_key(self) -> str:
        """Airflow's key for what it encrypts in its database: 32 bytes as base64url."""
        return self.secrets.setdefault("airflow_fernet", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def secret(self, name: str) -> str:
        """A generated secret that stays the same for the life of this folder."""
        return self.secrets.setdefault(name, secrets.token_urlsafe(32))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)
