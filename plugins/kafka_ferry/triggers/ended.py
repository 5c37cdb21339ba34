"""How a wait in the triggerer ended: the statuses of all triggers' events, and what they mean. There are no others."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Ended(StrEnum):
    """``status`` of an event."""

    SUCCESS = "success"
    """The condition is met."""

    FAILED = "failed"
    """It never will be met: neither waiting longer nor another try helps."""

    TIMEOUT = "timeout"
    """The timeout was reached; it may still be met."""

    BROKEN = "broken"
    """The wait itself failed and says nothing about the condition: another try may succeed."""


def event_of(ended: Ended, message: str, echo: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The payload of an event: plain JSON.

    :param echo: further keys.
    """
    return {**(echo or {}), "status": ended.value, "message": message}


def told_by(event: Mapping[str, Any] | None) -> tuple[Ended, str]:
    """How the wait ended, and why. A missing event, or one without such a status, means that the wait itself failed."""
    status, message = (event or {}).get("status"), (event or {}).get("message")
    if status in tuple(Ended):
        return Ended(status), str(message or "")
    return Ended.BROKEN, str(message or "no event from the trigger")
