"""MirrorMaker 2's own translation of group offsets: wait until it has done what it will do."""

from __future__ import annotations

import logging
import time
from typing import Any

from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.live.migration import Migration


def wait_for_checkpoints(migration: Migration, log: logging.Logger | Any) -> None:
    """Wait, bounded, until MirrorMaker 2 has committed for every group and partition and its commits rest."""
    profile = PROFILES[migration.spec.throughput]
    quiet, patience = 2 * profile.sync_seconds + 1, 6 * profile.sync_seconds + 2 * profile.refresh_seconds + 10
    deadline = time.monotonic() + patience
    rested, before = time.monotonic(), _commits(migration)
    while time.monotonic() < deadline:
        time.sleep(1)
        now = _commits(migration)
        if now != before:
            rested, before = time.monotonic(), now
        if None not in now.values() and time.monotonic() - rested > quiet:
            return
    missing = [f"{group} on {tp[0]}-{tp[1]}" for (group, tp), offset in before.items() if offset is None]
    log.warning("after %d s MirrorMaker 2 has not committed for: %s", patience, ", ".join(missing[:20]) or "(moving)")


def _commits(migration: Migration) -> dict[tuple[str, Partition], int | None]:
    committed = {group: migration.groups.committed[group] for group in migration.groups.consumers}
    on_target = migration.target.admin.committed(committed)
    return {
        (group, tp): on_target[group].get((migration.spec.target_topic(tp[0]), tp[1]))
        for group, offsets in committed.items()
        for tp in offsets
    }
