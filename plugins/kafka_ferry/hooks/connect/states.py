"""What a Kafka Connect worker says about its connectors, typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ConnectorState(StrEnum):
    """States of a connector (Kafka: ``AbstractStatus.State``; STOPPED since 3.5, KIP-875)."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    RESTARTING = "RESTARTING"
    FAILED = "FAILED"
    DESTROYED = "DESTROYED"

    @property
    def is_terminal(self) -> bool:
        """Whether the worker leaves this state only when someone asks it to."""
        return self in (self.FAILED, self.PAUSED, self.STOPPED, self.DESTROYED)

    @property
    def is_running(self) -> bool:
        """Whether the worker calls it RUNNING. This says nothing about records moving."""
        return self is ConnectorState.RUNNING


class TaskState(StrEnum):
    """States of a task."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    RESTARTING = "RESTARTING"
    FAILED = "FAILED"
    DESTROYED = "DESTROYED"

    @property
    def is_terminal(self) -> bool:
        """Whether the worker leaves this state only when someone asks it to."""
        return self in (self.FAILED, self.PAUSED, self.DESTROYED)

    @property
    def is_running(self) -> bool:
        """Whether the worker calls it RUNNING."""
        return self is TaskState.RUNNING


@dataclass(frozen=True)
class TaskStatus:
    """One task. ``trace`` is the Java stack trace of a FAILED one."""

    id: int
    state: TaskState
    worker_id: str = ""
    trace: str | None = None


@dataclass(frozen=True)
class ConnectorStatus:
    """``GET /connectors/{name}/status``."""

    name: str
    state: ConnectorState
    worker_id: str = ""
    trace: str | None = None
    tasks: tuple[TaskStatus, ...] = ()

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> ConnectorStatus:
        """Read Connect's JSON."""
        connector = body["connector"]
        return cls(
            name=body["name"],
            state=ConnectorState(connector["state"]),
            worker_id=connector.get("worker_id", ""),
            trace=connector.get("trace"),
            tasks=tuple(
                TaskStatus(task["id"], TaskState(task["state"]), task.get("worker_id", ""), task.get("trace"))
                for task in body.get("tasks", ())
            ),
        )

    def __str__(self) -> str:
        tasks = ", ".join(f"{task.id} {task.state}" for task in self.tasks) or "none"
        return f"connector {self.name} is {self.state}, tasks: {tasks}"

    @property
    def cause(self) -> str:
        """The last line of a FAILED connector's stack trace that says why; empty: it is not FAILED."""
        lines = (self.trace or "").strip().splitlines()
        return next(
            (line.strip() for line in reversed(lines) if line.startswith("Caused by:")), lines[0] if lines else ""
        )


@dataclass(frozen=True)
class ValidationResult:
    """``PUT /connector-plugins/{class}/config/validate``. It does not try to connect anywhere.

    :param errors: config key → what is wrong with its value; empty when the config may be applied.
    """

    connector_class: str
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the worker would accept the config."""
        return not self.errors

    def __str__(self) -> str:
        return "\n".join(f"{key}: {message}" for key, messages in sorted(self.errors.items()) for message in messages)


@dataclass(frozen=True)
class PluginInfo:
    """One entry of ``GET /connector-plugins``; ``type`` is source, sink, converter, transformation, …"""

    class_name: str
    type: str
    version: str = ""


@dataclass(frozen=True)
class WorkerInfo:
    """``GET /``."""

    version: str
    commit: str
    kafka_cluster_id: str


class Verdict(StrEnum):
    """What a wait for RUNNING should do next."""

    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Readiness:
    """The verdict on one connector and its reason, as the task log shows it."""

    verdict: Verdict
    reason: str


def worst(found: Sequence[Readiness]) -> Readiness:
    """The worst verdict, and the reasons of the connectors that have it."""
    for verdict in (Verdict.FAILED, Verdict.WAITING):
        if reasons := [one.reason for one in found if one.verdict is verdict]:
            return Readiness(verdict, "\n".join(reasons))
    return Readiness(Verdict.RUNNING, "\n".join(one.reason for one in found))


_NO_TASKS = (
    "RUNNING with no tasks is not running. The usual causes: a wrong password or address for the source or target "
    "cluster (the worker's log has it, the REST API does not), or topics that match nothing"
)


def readiness(name: str, status: ConnectorStatus | None, expected_tasks: int) -> Readiness:
    """Whether a connector runs with at least ``expected_tasks`` tasks, all RUNNING.

    :param status: ``None`` when the worker answers 404, which it does for a moment after create (measured: 0.1 s; 3 s
        and more with an unreachable source cluster).
    """
    if status is None:
        return Readiness(
            Verdict.WAITING,
            f"connector {name} has no status (404): it was just created, or it cannot reach its source cluster, or it "
            "does not exist",
        )
    if status.state is ConnectorState.FAILED:
        return Readiness(Verdict.FAILED, f"connector {name} is FAILED:\n{status.trace or 'no trace'}")
    for task in status.tasks:
        if task.state is TaskState.FAILED:
            where = f" on worker {task.worker_id}" if task.worker_id else ""
            trace = task.trace or "no trace"
            return Readiness(Verdict.FAILED, f"task {task.id} of connector {name} is FAILED{where}:\n{trace}")
    running = sum(task.state.is_running for task in status.tasks)
    if status.state.is_running and running == len(status.tasks) >= expected_tasks:
        return Readiness(Verdict.RUNNING, str(status))
    reason = f"{status} ({running} of at least {expected_tasks} RUNNING)"
    if status.state.is_running and not status.tasks:
        reason += f". {_NO_TASKS}"
    elif status.state in (ConnectorState.PAUSED, ConnectorState.STOPPED):
        reason += ". Someone has to resume it"
    return Readiness(Verdict.WAITING, reason)
