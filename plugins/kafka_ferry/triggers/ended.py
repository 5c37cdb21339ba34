"""How a wait in the triggerer ended: the words of every trigger's event, and what they mean. There are no others."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Ended(StrEnum):
    """``status`` of an event."""

    SUCCESS = "success"
    """What was waited for is there."""

    FAILED = "failed"
    """It never will be: neither waiting longer nor another try helps."""

    TIMEOUT = "timeout"
    """The time is over; it may still come."""

    BROKEN = "broken"
    """The wait itself broke and says nothing of what was waited for: another try may succeed."""


def event_of(ended: Ended, message: str, echo: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The payload of an event: plain JSON.

    :param echo: what else it holds.
    """
    return {**(echo or {}), "status": ended.value, "message": message}


def told_by(event: Mapping[str, Any] | None) -> tuple[Ended, str]:
    """How the wait ended, and why. An event that is missing, or has none of the words, tells that the wait broke."""
    status, message = (event or {}).get("status"), (event or {}).get("message")
    if status in tuple(Ended):
        return Ended(status), str(message or "")
    return Ended.BROKEN, str(message or "no event from the trigger")
