"""Faults that a test, or somebody at the admin endpoint, asks the double for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stack.msk.wire import Refused


@dataclass
class Faults:
    """Each is used up from the front, once an entry.

    :param errors: ``{"operation": "CreateConnector", "code": "TooManyRequestsException", "message": …, "times": 1}``.
    :param plugins: ``{"code", "message"}``: the next plugin ends CREATE_FAILED.
    :param connectors: ``{"code", "message"}``: the next connector ends FAILED.
    :param operations: ``{"state": "ROLLBACK_COMPLETE", "code", "message"}``: how the next operation ends.
    :param replicators: ``{"code", "message"}``: the next replicator ends FAILED.
    :param replications: ``{"code", "message"}``: the next update of a replicator ends it FAILED; with ``"state":
        "RUNNING"`` it runs on as it was.
    :param never_runs: connectors and replicators stay CREATING.
    :param override_policy: of workers of connectors that are made from now on: ``None`` lets none override anything.
    """

    errors: list[dict[str, Any]] = field(default_factory=list)
    plugins: list[dict[str, str]] = field(default_factory=list)
    connectors: list[dict[str, str]] = field(default_factory=list)
    operations: list[dict[str, str]] = field(default_factory=list)
    replicators: list[dict[str, str]] = field(default_factory=list)
    replications: list[dict[str, str]] = field(default_factory=list)
    never_runs: bool = False
    override_policy: str = "All"

    def plan(self, asked: dict[str, Any]) -> None:
        """What the admin endpoint takes: lists are appended, the others are set.

        :raises KeyError: a fault that does not exist.
        """
        for key, value in asked.items():
            if key == "never_runs":
                self.never_runs = bool(value)
            elif key == "override_policy":
                self.override_policy = str(value)
            elif key in ("errors", "plugins", "connectors", "operations", "replicators", "replications"):
                getattr(self, key).extend(value)
            else:
                raise KeyError(key)

    def strike(self, operation: str) -> None:
        """Raise the error that is planned for this call, if any."""
        for fault in self.errors:
            if fault["operation"] == operation:
                fault["times"] = fault.get("times", 1) - 1
                if fault["times"] <= 0:
                    self.errors.remove(fault)
                raise Refused(fault["code"], fault.get("message", "asked for"))
