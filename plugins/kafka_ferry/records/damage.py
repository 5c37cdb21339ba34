"""Records that are not what was written. Pure."""

from __future__ import annotations

from kafka_ferry.exceptions import FerryError


class DamagedSegment(FerryError):
    """An object that is not the segment that was written."""
