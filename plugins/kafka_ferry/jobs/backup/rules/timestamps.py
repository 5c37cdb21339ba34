"""Times as manifests and ids have them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TICK = re.compile(r"\d{8}T\d{6}(\.\d{6})?Z")


def parse_timestamp(text: str) -> datetime | None:
    """ISO 8601 as an aware time in UTC; without a zone it is UTC. None when it is none."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # the year 9999 in a zone west of Greenwich
        return None


def tick_of(backup_id: str) -> datetime | None:
    """The logical date that an id of ``data_intervals.backup_id_of`` says; None for others, as exports have them."""
    return parse_timestamp(backup_id.replace("Z", "+00:00")) if _TICK.fullmatch(backup_id) else None
