"""Two schema registries with the Confluent API: Apicurio Registry, an older one beside the source and a newer one
beside the target.

Only on request (``up --registry``): 300 MB of downloads, and two JVMs of 220 to 400 MB. Measured: ready after 7 s and
8 s. Their schemas lie in a file, and outlive ``down``. Apicurio 2.6 has no modes; 3.3 takes mode IMPORT and gives a
schema an id of its own nevertheless. So neither shows schemas under given ids.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack import jars
from stack.health import status_of
from stack.java import MINIMUM, find_java
from stack.ports import HOST
from stack.service import JVM_OPTIONS, Service
from stack.state import State

POM = Path(__file__).parent / "schema-registry" / "pom.xml"
#: Name, of the service and its port, to the Airflow connection.
CONNECTIONS = {"registry-source": "registry_source", "registry-target": "registry_target"}
#: Where Apicurio has the Confluent API.
PATH = "/apis/ccompat/v7"


@dataclass(frozen=True)
class Version:
    """One of Apicurio's.

    :param java: the oldest Java that runs it. ``program``: its jar, a pattern.
    :param address: the variable with the address of its database. ``settings``: its own, as system properties.
    """

    number: str
    java: int
    program: str
    address: str
    settings: Mapping[str, object]


#: The newest that Java 17 runs. Both make 20 connections to their database at the start by default: here it is a file.
OLD: Final = Version(
    "2.6.13.Final", 17, "apicurio-registry-app-*-runner.jar", "REGISTRY_DATASOURCE_URL",
    {"quarkus.datasource.jdbc.initial-size": 1, "quarkus.datasource.jdbc.min-size": 1,
     "registry.rest.artifact.deletion.enabled": "true"},
)  # fmt: skip
NEW: Final = Version(
    "3.3.3", 21, "quarkus-run.jar", "APICURIO_DATASOURCE_URL",
    {"apicurio.datasource.jdbc.initial-size": 1, "apicurio.datasource.jdbc.min-size": 1,
     "apicurio.rest.deletion.artifact.enabled": "true", "apicurio.rest.deletion.artifact-version.enabled": "true",
     # Its second listener, which nobody here asks, has port 9000 of all addresses by default.
     "quarkus.management.host": HOST, "quarkus.management.port": 0},
)  # fmt: skip
VERSIONS: Final = {"registry-source": OLD, "registry-target": NEW}


def folder(cache: Path, version: Version) -> Path:
    """Where :func:`resolve` puts its program."""
    return jars.jars_folder(cache, POM, f"schema-registry-{version.number}")


def resolve(cache: Path, java: str, report: Callable[[str], None], version: Version) -> Path:
    """Folder with Apicurio's jars; downloads (150 MB) and unpacks them the first time.

    :raises StackError: Maven could not fetch it.
    """
    what, wanted = f"Apicurio Registry {version.number}", {"apicurio.version": version.number}
    into = folder(cache, version)
    return jars.fetch(cache, java, report, POM, into, "apicurio-registry-app", what, "150 MB", _unpack, wanted)


def java_of(version: Version, java: str, report: Callable[[str], None] = lambda line: None) -> str:
    """What runs it: the stack's Java where that is new enough.

    :raises StackError: there is none, and none could be installed.
    """
    return java if version.java <= MINIMUM else find_java(report, version.java)


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

    start_timeout = 120.0  # seconds; measured 8 on a quiet machine, 21 on a busy one

    def __init__(self, name: str, folder: Path, state: State, java: str, programs: Path, version: Version) -> None:
        super().__init__(name, folder, state)
        self._java, self._programs, self._version = java, programs, version

    @property
    def url(self) -> str:
        """Root of its Confluent API."""
        return url(self.state, self.name)

    def environment(self) -> Mapping[str, str]:
        return {self._version.address: f"jdbc:h2:file:{self.folder}/data/{self.name}/registry"}

    def command(self) -> list[str]:
        (program,) = self._programs.glob(self._version.program)
        options = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": self.state.ports[self.name],
            **self._version.settings,
        }
        return [self._java, *JVM_OPTIONS, *(f"-D{key}={value}" for key, value in options.items()), "-jar", str(program)]

    def problem(self) -> str | None:
        status = status_of(f"{self.url}/subjects")
        return None if status == 200 else f"it answers HTTP {status}"
