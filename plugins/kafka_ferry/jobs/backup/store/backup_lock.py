"""One run at a time per backup name: Airflow lets runs of a backfill work side by side, whatever the DAG says."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.jobs.common.run_lock import SharedName, acquire_lock, other_holder

log = logging.getLogger(__name__)


def wait_for_lock(
    context: Mapping[str, Any], backups: SharedName, seconds: float = 3600, poll_seconds: float = 2
) -> None:
    """Wait until no other run of any DAG works on the backups of this name, and claim them.

    :raises TransientError: another one still does.
    """
    deadline, told = time.monotonic() + seconds, ""
    while True:
        other = other_holder(context, backups)
        if other is None:
            try:
                return acquire_lock(context, backups)
            except BadParam:  # two claimed at once, and the other was first
                other = "another run"
        if other != told:
            log.info("%s is working on the backups %r: waiting for it", other, backups.name)
            told = other
        if time.monotonic() > deadline:
            raise TransientError(f"{other} is still working on the backups {backups.name!r} after {seconds:g} s")
        beat()  # it is asked from Airflow whether they work, and this wait has an end of its own
        time.sleep(poll_seconds)
