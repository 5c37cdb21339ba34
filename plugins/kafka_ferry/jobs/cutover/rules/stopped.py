"""The check whether producers had stopped, also of a window that failed for that. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.core.words import number_of

PRODUCERS_STOPPED = "producers_stopped"


def check_stopped(journal: Journal) -> Check:
    """That the window proved it: it does not come to a hand-over without."""
    named = journal.not_stopped
    return Check(
        name=PRODUCERS_STOPPED,
        status=Status.FAIL if named or not journal.ends else Status.PASS,
        expected="nobody writes, no transaction is open",
        actual=f"{number_of(len(named), 'writer')} or open transactions"
        if named
        else f"{number_of(len(journal.ends), 'partition')} at rest",
        detail=f"fence {journal.fence}: {number_of(len(journal.added), 'ACL')} made, {len(journal.kept)} there before",
        differences=named,
    )


def with_writers(checks: Iterable[Check], journal: Journal) -> list[Check]:
    """The checks of a report, with the one that the window itself made when it was rolled back for it: the task that
    makes the others did not run."""
    failed = journal.state is State.ROLLED_BACK and journal.not_stopped
    return [check_stopped(journal) if failed and one.name == PRODUCERS_STOPPED else one for one in checks]
