"""After the hand-over: who still writes to the source, who still commits there, and who reads there still."""

from __future__ import annotations

import logging
import time
from typing import Any

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.wave_journal import Journal, name_of
from kafka_ferry.core.words import shown
from kafka_ferry.jobs.cutover.live.group_moves import GroupMoves
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.standstill import Writer, writers

log = logging.getLogger(__name__)

#: Artifact: who was late.
LATE = "late.json"
_POLL = 2.0
_NAMED = 200
_MEMBERS = 3


def watch(wave: Wave, journal: Journal, seconds: float) -> dict[str, Any]:
    """Look for so long; who was seen, and how many records came on the source since its end was proven."""
    deadline, before = time.monotonic() + seconds, wave.look(time.monotonic())
    seen: dict[tuple[str, int, int | None], Writer] = {}
    while time.monotonic() < deadline:
        beat()
        time.sleep(min(_POLL, max(0.1, deadline - time.monotonic())))
        now = wave.look(time.monotonic())
        for one in writers(before, now):
            if (one.topic, one.partition, one.producer_id) not in seen:
                log.warning("still written on the source: %s", one)
            seen[one.topic, one.partition, one.producer_id] = one
        before = now
    ends = journal.frozen_ends
    last = wave.source.admin.offsets(ends, "latest", wave.spec.isolation_level)
    grown = {f"{topic}-{p}": last[topic, p] - end for (topic, p), end in ends.items() if last[topic, p] > end}
    committed, groups = [], GroupMoves(wave)
    for group, places in groups.stood.items():
        stood = journal.committed.get(group, {})
        for (topic, partition), commit in places.items():
            was = stood.get(name_of((topic, partition)))
            if was != commit.offset:
                committed.append(f"group {shown(group)} on {topic}-{partition}: from {was} to {commit.offset}")
    return {
        "writers": [str(one) for one in seen.values()][:_NAMED],
        "grown": dict(sorted(grown.items())[:_NAMED]),
        "offsets": sum(grown.values()),
        "committers": committed[:_NAMED],
        "readers": [
            f"group {shown(group)}" + f": {', '.join(who[:_MEMBERS])}" * bool(who)
            for group, who in groups.still_there().items()
        ][:_NAMED],
        "seconds": seconds,
    }
