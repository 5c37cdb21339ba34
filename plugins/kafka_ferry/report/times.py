"""Times of a report, for people. Pure."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """Of ISO 8601; without an offset it is UTC.

    :raises ValueError: it is no time.
    """
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def when(text: str | None) -> str:
    """``2026-01-01 02:03:04 UTC``; empty: not known."""
    return moment(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if text else ""
