"""Two schema registries with the Confluent API: Apicurio Registry, one beside each cluster.

Only on request (``up --registry``): 140 MB of downloads, and two JVMs of 220 MB. Measured: ready after 7 s. Its schemas
lie in a file, and outlive ``down``. Apicurio 2.6 has no modes: what needs IMPORT (schemas under given ids) it cannot
show.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from stack import jars
from stack.health import status_of
from stack.ports import HOST
from stack.service import JVM_OPTIONS, Service
from stack.state import State

POM = Path(__file__).parent / "schema-registry" / "pom.xml"
#: Name, of the service and its port, to the Airflow connection.
CONNECTIONS = {"registry-source": "registry_source", "registry-target": "registry_target"}
#: Where Apicurio has the Confluent API.
PATH = "/apis/ccompat/v7"


def folder(cache: Path) -> Path:
    """Where :func:`resolve` puts its program."""
    return jars.jars_folder(cache, POM, "schema-registry")


def resolve(cache: Path, java: str, report: Callable[[str], None]) -> Path:
    """Folder with Apicurio's jars; downloads (140 MB) and unpacks them the first time.

    :raises StackError: Maven could not fetch it.
    """
    what = "Apicurio Registry"
    return jars.fetch(cache, java, report, POM, folder(cache), "apicurio-registry-app", what, "140 MB", _unpack)


def _unpack(into: Path) -> None:
    (archive,) = into.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(into, filter="data")
    archive.unlink()


def url(state: State, name: str) -> str:
    """Root of a registry's Confluent API."""
    return f"http://{HOST}:{state.ports[name]}{PATH}"


def variables(state: State) -> dict[str, str]:
    """Where they are: ``FERRY_SOURCE_REGISTRY``, ``FERRY_TARGET_REGISTRY``; none without them."""
    names = ("FERRY_SOURCE_REGISTRY", "FERRY_TARGET_REGISTRY")
    return dict(zip(names, (url(state, name) for name in CONNECTIONS), strict=True)) if state.registry else {}


def connections(state: State) -> dict[str, dict[str, object]]:
    """The Airflow connections of both; none without them."""
    if not state.registry:
        return {}
    return {conn_id: {"conn_type": "http", "host": url(state, name)} for name, conn_id in CONNECTIONS.items()}


class Registry(Service):
    """One Apicurio Registry, with its database in a file."""

    start_timeout = 120.0  # seconds; measured 7 on a quiet machine, 21 on a busy one

    def __init__(self, name: str, folder: Path, state: State, java: str, programs: Path) -> None:
        super().__init__(name, folder, state)
        self._java, self._programs = java, programs

    @property
    def url(self) -> str:
        """Root of its Confluent API."""
        return url(self.state, self.name)

    def environment(self) -> Mapping[str, str]:
        return {"REGISTRY_DATASOURCE_URL": f"jdbc:h2:file:{self.folder}/data/{self.name}/registry"}

    def command(self) -> list[str]:
        (program,) = self._programs.glob("apicurio-registry-app-*-runner.jar")
        options = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": self.state.ports[self.name],
            # One connection to a database in a file; 20 of them are made at the start by default.
            "quarkus.datasource.jdbc.initial-size": 1,
            "quarkus.datasource.jdbc.min-size": 1,
            "registry.rest.artifact.deletion.enabled": "true",
        }
        return [self._java, *JVM_OPTIONS, *(f"-D{key}={value}" for key, value in options.items()), "-jar", str(program)]

    def problem(self) -> str | None:
        status = status_of(f"{self.url}/subjects")
        return None if status == 200 else f"it answers HTTP {status}"
