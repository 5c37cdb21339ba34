"""What runs the connectors of the double."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

INVALID = "InvalidInput.InvalidConnectorConfiguration"  # as MSK Connect spells it (terraform-aws-msk-kafka-cluster 10)


class Phase(StrEnum):
    """How far a connector's workers are."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FAILED = "FAILED"


class Health(NamedTuple):
    """A phase, and for FAILED what becomes the stateDescription."""

    phase: Phase
    code: str = ""
    message: str = ""


class LogLine(NamedTuple):
    """One event of the worker's log."""

    milliseconds: int
    message: str


@dataclass(frozen=True)
class Launch:
    """All that workers need to know."""

    name: str
    config: Mapping[str, str] = field(repr=False)
    plugin: bytes = field(repr=False)
    content_type: str  # ZIP or JAR
    worker_properties: Mapping[str, str] = field(repr=False)
    bootstrap_servers: str


class Runtime(Protocol):
    """Runs each connector on workers of its own, as MSK Connect does. No method waits."""

    def start(self, arn: str, launch: Launch) -> None:
        """Begin to start workers and the connector."""

    def update(self, arn: str, launch: Launch) -> None:
        """Begin to give it another config, plugin or worker configuration."""

    def health(self, arn: str) -> Health:
        """How it is."""

    def pause(self, arn: str) -> None:
        """Begin to pause."""

    def resume(self, arn: str) -> None:
        """Begin to resume."""

    def restart(self, arn: str, only_failed_tasks: bool) -> None:
        """Begin to restart."""

    def stop(self, arn: str) -> None:
        """Begin to end the workers; nothing to do when there are none."""

    def gone(self, arn: str) -> bool:
        """Whether they have ended."""

    def log(self, arn: str) -> list[LogLine]:
        """What the workers wrote so far."""

    def workers(self) -> dict[str, dict[str, Any]]:
        """Connector name → what a test may want to know of its workers (JSON)."""

    def close(self) -> None:
        """End all workers."""


class MemoryRuntime:
    """No workers at all: a connector runs when its class is in the plugin. For tests of the API's behaviour."""

    #: On every worker's class path, whatever the plugin (seen in terraform-aws-msk-kafka-cluster 10).
    BUILT_IN = frozenset(
        f"org.apache.kafka.connect.mirror.Mirror{kind}Connector" for kind in ("Source", "Checkpoint", "Heartbeat")
    )

    def __init__(self) -> None:
        self.launches: dict[str, Launch] = {}
        self.paused: set[str] = set()
        self.calls: list[tuple[str, str]] = []
        self.clock = 1_700_000_000_000

    def start(self, arn: str, launch: Launch) -> None:
        self._note("start", arn)
        self.launches[arn] = launch

    def update(self, arn: str, launch: Launch) -> None:
        self._note("update", arn)
        self.launches[arn] = launch

    def health(self, arn: str) -> Health:
        launch = self.launches[arn]
        wanted = launch.config.get("connector.class", "")
        if wanted not in self.BUILT_IN and wanted not in classes_in(launch.plugin):
            words = (
                "The connector configuration is invalid. Message: Failed to find any class that implements Connector"
            )
            return Health(Phase.FAILED, INVALID, f"{words} and which name matches {wanted}")
        return Health(Phase.PAUSED if arn in self.paused else Phase.RUNNING)

    def pause(self, arn: str) -> None:
        self._note("pause", arn)
        self.paused.add(arn)

    def resume(self, arn: str) -> None:
        self._note("resume", arn)
        self.paused.discard(arn)

    def restart(self, arn: str, only_failed_tasks: bool) -> None:
        self._note(f"restart only_failed_tasks={only_failed_tasks}", arn)

    def stop(self, arn: str) -> None:
        self._note("stop", arn)
        self.launches.pop(arn, None)

    def gone(self, arn: str) -> bool:
        return arn not in self.launches

    def log(self, arn: str) -> list[LogLine]:
        lines = [f"[worker] {call}" for call, of in self.calls if of == arn]
        return [LogLine(self.clock + number, line) for number, line in enumerate(lines)]

    def workers(self) -> dict[str, dict[str, Any]]:
        return {launch.name: {} for launch in self.launches.values()}

    def close(self) -> None:
        self.launches.clear()

    def _note(self, call: str, arn: str) -> None:
        self.calls.append((call, arn))


def classes_in(archive: bytes) -> set[str]:
    """Names of all classes in a JAR, or in the JARs of a ZIP, at any depth; none when it is no archive."""
    found: set[str] = set()
    if not zipfile.is_zipfile(io.BytesIO(archive)):
        return found
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for name in opened.namelist():
            if name.endswith(".class"):
                found.add(name.removesuffix(".class").replace("/", "."))
            elif name.endswith(".jar"):
                found |= classes_in(opened.read(name))
    return found
