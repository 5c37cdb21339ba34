"""The clock of the window: seconds by stage, and for how long nobody could write. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kafka_ferry.core.wave_journal import DONE, Journal, State
from kafka_ferry.jobs.cutover.rules.asked import where_after

#: The last stage of the window.
HAND_OVER: Final = "hand_over"


def seconds_between(first: str, last: str) -> float | None:
    """Of two ISO 8601 times; None: one of them is not there yet."""
    if not first or not last:
        return None
    return round((datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds(), 3)


def write_downtime(journal: Journal) -> float | None:
    """From before the first ACL to when the applications were told; None: they were not."""
    ended = [stage.ended for stage in journal.stages if stage.stage == HAND_OVER]
    return seconds_between(journal.fenced_at, ended[-1]) if ended and journal.state in DONE else None


def longest_pause(last_writes: Mapping[int, int], handed_over_at: str) -> float | None:
    """The longest time for which one producer could not write: from its last batch to the hand-over.

    :param last_writes: producer id to ms since 1970, by the producers' own clocks.
    """
    times = [when for when in last_writes.values() if when >= 0]
    if not times:
        return None
    return round(max(0.0, datetime.fromisoformat(handed_over_at).timestamp() - min(times) / 1000), 3)


def lag_around(samples: Sequence[tuple[float, int]], fenced_at: str, most: int = 200) -> list[list[float]]:
    """How far the replication was behind before the fence and in the window.

    :param samples: seconds since 1970 and source records that were not on the target, in order of time.
    :returns: ``[[seconds since the fence, records], …]``, at most so many, evenly spread, with the first and the last.
    """
    if not fenced_at:
        return []
    fence = datetime.fromisoformat(fenced_at).timestamp()
    step = (len(samples) - 1) / (most - 1)
    kept = samples if len(samples) <= most else [samples[round(number * step)] for number in range(most)]
    return [[round(at - fence, 2), behind] for at, behind in kept]


def cutover_of(journal: Journal, lag: Sequence[tuple[float, int]] = (), *, back: bool = False) -> dict[str, Any]:
    """``cutover`` of report.json.

    :param lag: as ``lag_around`` takes it. ``back``: of a way back.
    """
    done = journal.state in DONE
    return {
        "wave": journal.wave,
        "state": journal.state.value,
        "fence": journal.fence,
        "fenced_at": journal.fenced_at or None,
        "handed_over_at": journal.handed_over_at or None,
        "write_downtime_seconds": write_downtime(journal),
        "longest_producer_pause_seconds": journal.longest_pause if done else None,
        "stages": [stage.model_dump(mode="json") for stage in journal.stages],
        "rolled_back": journal.state is State.ROLLED_BACK,
        "failure": journal.failure,
        "connectors_stopped": journal.stopped,
        "applications_on": where_after(journal, back=back),
        "told_by": None,
        "fence_left": bool(journal.added) and not journal.lifted,
        "acls_added": len(journal.added),
        "acls_kept": len(journal.kept),
        "partitions": len(journal.ends),
        "groups": len(journal.committed),
        "lag": lag_around(lag, journal.fenced_at),
    }


#: ``cutover`` of report.json where nothing was fenced.
NOT_BEGUN: Final[Mapping[str, Any]] = {
    "wave": None, "state": "not_begun", "fence": None, "fenced_at": None, "handed_over_at": None,
    "write_downtime_seconds": None, "longest_producer_pause_seconds": None, "stages": [], "rolled_back": False,
    "failure": "", "fence_left": False, "acls_added": 0, "acls_kept": 0, "partitions": 0, "groups": 0, "lag": [],
    "connectors_stopped": [], "applications_on": None, "told_by": None,
}  # fmt: skip
