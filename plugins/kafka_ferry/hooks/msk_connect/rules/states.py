"""The states of MSK Connect's four kinds of things, and the words it gives for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kafka_ferry.core.redaction import redact_text


class ConnectorState(StrEnum):
    """``connectorState``. RUNNING does not say that records move, nor that an update succeeded."""

    CREATING = "CREATING"
    RUNNING = "RUNNING"
    UPDATING = "UPDATING"
    RESTARTING = "RESTARTING"
    PAUSING = "PAUSING"
    PAUSED = "PAUSED"
    RESUMING = "RESUMING"
    DELETING = "DELETING"
    FAILED = "FAILED"

    @property
    def is_terminal(self) -> bool:
        """Whether the state stays until somebody acts."""
        return self in (ConnectorState.RUNNING, ConnectorState.PAUSED, ConnectorState.FAILED)

    @property
    def is_failure(self) -> bool:
        """Whether waiting cannot fix it."""
        return self is ConnectorState.FAILED


class PluginState(StrEnum):
    """``customPluginState``."""

    CREATING = "CREATING"
    CREATE_FAILED = "CREATE_FAILED"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    UPDATE_FAILED = "UPDATE_FAILED"
    DELETING = "DELETING"

    @property
    def is_terminal(self) -> bool:
        """Whether the state stays until somebody acts."""
        return self in (PluginState.ACTIVE, PluginState.CREATE_FAILED, PluginState.UPDATE_FAILED)

    @property
    def is_failure(self) -> bool:
        """Whether waiting cannot fix it."""
        return self in (PluginState.CREATE_FAILED, PluginState.UPDATE_FAILED)


class WorkerConfigurationState(StrEnum):
    """``workerConfigurationState``: created at once, deleted slowly."""

    ACTIVE = "ACTIVE"
    DELETING = "DELETING"


class OperationState(StrEnum):
    """``connectorOperationState``: only this says whether an update was made (terraform-provider-aws 48199)."""

    PENDING = "PENDING"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    UPDATE_FAILED = "UPDATE_FAILED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    ROLLBACK_COMPLETE = "ROLLBACK_COMPLETE"
    PAUSE_IN_PROGRESS = "PAUSE_IN_PROGRESS"
    PAUSE_COMPLETE = "PAUSE_COMPLETE"
    PAUSE_FAILED = "PAUSE_FAILED"
    RESUME_IN_PROGRESS = "RESUME_IN_PROGRESS"
    RESUME_COMPLETE = "RESUME_COMPLETE"
    RESUME_FAILED = "RESUME_FAILED"
    RESTART_IN_PROGRESS = "RESTART_IN_PROGRESS"
    RESTART_COMPLETE = "RESTART_COMPLETE"
    RESTART_FAILED = "RESTART_FAILED"

    @property
    def is_failure(self) -> bool:
        """What was asked for is not in force. A completed rollback is such: the old config runs again."""
        return self is OperationState.ROLLBACK_COMPLETE or self.endswith("_FAILED")

    @property
    def is_success(self) -> bool:
        """What was asked for is in force."""
        return self.endswith("_COMPLETE") and not self.is_failure

    @property
    def is_terminal(self) -> bool:
        """Whether the state stays."""
        return self.is_success or self.is_failure


@dataclass(frozen=True)
class Operation:
    """One connector operation, without the two configs it holds: they may have secrets."""

    arn: str
    type: str
    state: str
    steps: tuple[tuple[str, str], ...] = ()
    error: str = ""

    @classmethod
    def from_description(cls, found: Mapping[str, Any]) -> Operation:
        """From the answer of ``DescribeConnectorOperation``."""
        steps = tuple(
            (step.get("stepType", "?"), step.get("stepState", "?")) for step in found.get("operationSteps", ())
        )
        return cls(
            found["connectorOperationArn"],
            found.get("connectorOperationType", ""),
            found.get("connectorOperationState", ""),
            steps,
            state_text(found.get("errorInfo")),
        )

    def __str__(self) -> str:
        steps = ", ".join(f"{kind} {state}" for kind, state in self.steps)
        return (
            f"{self.type} is {self.state}"
            + (f": {self.error}" if self.error else "")
            + (f" [{steps}]" if steps else "")
        )


def state_text(description: Mapping[str, Any] | None) -> str:
    """``stateDescription`` or ``errorInfo`` (``{"code", "message"}``) in one line; empty when there is none.

    Also a replicator's ``StateInfo`` (``{"Code", "Message"}``): the ``kafka`` service writes members in capitals.
    """
    found = {key.lower(): value for key, value in (description or {}).items()}
    code, message = found.get("code", ""), found.get("message", "")
    return redact_text(": ".join(part for part in (code, message) if part))
