"""This machine's clock beside the store's: one wrong clock is found by another. Free of Airflow."""

from __future__ import annotations

from datetime import datetime

import humanize

from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.order import SKEW


def clock_problem(store: ObjectStore, now: datetime) -> str | None:
    """Why the time here cannot be relied on; None when the store has the same, or does not tell.

    :param now: aware; what this machine's clock says.
    """
    there = store.clock()
    if there is None or abs(there - now) <= SKEW:
        return None
    return (
        f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, that of {store.location} {there:%Y-%m-%d %H:%M}: "
        f"{humanize.precisedelta(abs(there - now), minimum_unit='minutes', format='%d')} apart. Fix: correct the "
        "wrong one"
    )
