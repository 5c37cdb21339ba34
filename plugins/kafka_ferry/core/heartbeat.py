"""When a task last made progress: what waits for the outside calls :func:`beat`. Pure."""

from __future__ import annotations

import time

_last = time.monotonic()


def beat() -> None:
    """Something arrived, or was taken. Cheap, from any thread."""
    global _last
    _last = time.monotonic()


def last_beat() -> float:
    """As ``time.monotonic`` tells it."""
    return _last
