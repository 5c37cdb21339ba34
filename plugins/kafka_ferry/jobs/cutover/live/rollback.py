"""Undo a fence: by the task that made it, by the teardown, or by a later run's plan."""

from __future__ import annotations

import logging

from kafka_ferry.core.wave_journal import DONE, OPEN, Journal, State
from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.cutover.live.fence import lift_fence, tell_unfence
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.report.artifacts import RunArtifacts

log = logging.getLogger(__name__)


def roll_back(wave: Wave, journal: Journal, why: str, artifacts: RunArtifacts | None = None) -> None:
    """Producers work on the source again, as before. Safe to repeat.

    :raises TransientError: an ACL is still there. ``DataLossError``: a log of the source ends before it did.
    """
    lift_fence(wave.source, journal)
    tell_unfence(wave)
    journal.state, journal.lifted, journal.failure = State.ROLLED_BACK, True, why[:2000]
    wave.journals.write(journal, artifacts)
    ends = journal.frozen_ends
    now = wave.source.admin.offsets(ends, "latest", "read_uncommitted")
    if lost := [tp for tp, end in ends.items() if now[tp] < end]:
        raise DataLossError(f"{lost[0][0]}-{lost[0][1]}: the source's log ends before where it ended in the window")
    log.warning("rolled back: %d ACLs of the fence are gone, the source is as it was: %s", len(journal.added), why)


def close(wave: Wave, journal: Journal | None, artifacts: RunArtifacts) -> str:
    """What the end of a run does about its fence; what was done, in words."""
    if journal is None or journal.lifted or (journal.state not in (*OPEN, *DONE)):
        return "there is no fence of this run on the source"
    if journal.state in OPEN:
        roll_back(wave, journal, "the window did not end", artifacts)
        return f"the window did not end: {len(journal.added)} ACLs of the fence are taken away"
    if journal.state is State.HANDING_OVER:
        return (
            "the hand-over was begun and nobody said yes: the fence stays, as somebody may write to the target. Fix: "
            "clear window, or run the wave again with the same params: either says it again"
        )
    if wave.spec.keep_fence:
        return f"keep_fence: {len(journal.added)} ACLs stay on the source"
    lift_fence(wave.source, journal)
    journal.lifted = True
    wave.journals.write(journal, artifacts)
    return f"{len(journal.added)} ACLs of the fence are taken away: whoever writes to the source now is not stopped"
