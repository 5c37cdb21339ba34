"""What the double remembers: plugins, worker configurations, connectors, operations, replicators, topics."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def new_version() -> str:
    """A currentVersion, opaque as AWS's is."""
    return f"K{uuid.uuid4().hex[:13].upper()}"


@dataclass
class Resource:
    """One of them. ``looks``: how many more descriptions show it in between, so that tests need no clock."""

    arn: str
    name: str
    looks: int
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)

    def looked(self) -> bool:
        """Count one look; whether the time in between is over."""
        self.looks -= 1
        return self.looks < 0


@dataclass
class Plugin(Resource):
    """A custom plugin."""

    request: dict[str, Any] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)
    state: str = "CREATING"
    problem: dict[str, str] | None = None


@dataclass
class WorkerConfiguration(Resource):
    """A worker configuration."""

    content: str = field(default="", repr=False)
    description: str = ""
    state: str = "ACTIVE"


@dataclass
class Operation:
    """An update, pause, resume or restart.

    :param doing: the verb in its states: UPDATE, PAUSE, RESUME or RESTART.
    """

    arn: str
    connector: str
    type: str
    doing: str
    origin: dict[str, Any] = field(default_factory=dict, repr=False)
    target: dict[str, Any] = field(default_factory=dict, repr=False)
    skip_health: bool = False
    state: str = "PENDING"
    problem: dict[str, str] | None = None
    steps: list[dict[str, str]] = field(default_factory=list)
    created: datetime = field(default_factory=now)
    ended: datetime | None = None

    def end(self, state: str, problem: dict[str, str] | None = None) -> None:
        """It is over; the steps say how far it came."""
        self.state, self.problem, self.ended = state, problem, now()
        if self.doing == "UPDATE":
            good = state == "UPDATE_COMPLETE"
            steps = ["INITIALIZE_UPDATE", self.type, "VALIDATE_UPDATE", "FINALIZE_UPDATE"]
            ends = ["COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED"]
            if not good:
                ends = ["COMPLETED", "COMPLETED", "FAILED", "CANCELLED"]
            self.steps = [{"stepType": kind, "stepState": ended} for kind, ended in zip(steps, ends, strict=True)]


@dataclass
class Connector(Resource):
    """A connector; ``request`` is what it now is, in the words of CreateConnector."""

    request: dict[str, Any] = field(default_factory=dict, repr=False)
    state: str = "CREATING"
    problem: dict[str, str] | None = None
    fault: dict[str, str] | None = None
    operation: Operation | None = None
    version: str = ""

    def __post_init__(self) -> None:
        self.bump()

    def bump(self) -> None:
        """A new currentVersion, opaque as AWS's is."""
        self.version = new_version()

    @property
    def is_still(self) -> bool:
        """Whether nothing is under way."""
        return self.state in ("RUNNING", "PAUSED", "FAILED")


@dataclass
class Replicator(Resource):
    """A replicator; ``info`` is its one replication as it now is, ``desired`` what an update under way makes of it."""

    request: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    desired: dict[str, Any] = field(default_factory=dict)
    state: str = "CREATING"
    fault: dict[str, str] | None = None
    version: str = field(default_factory=new_version)

    def bump(self) -> None:
        """A new CurrentVersion."""
        self.version = new_version()


@dataclass
class Topic(Resource):
    """A topic of a cluster, of which the topic API tells."""

    partitions: int = 1
    replication_factor: int = 1
    configs: dict[str, str] = field(default_factory=dict)
    state: str = "CREATING"
