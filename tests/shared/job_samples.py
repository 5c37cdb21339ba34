"""Runs of jobs, as the page of all jobs knows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kafka_ferry.core.job_name import JobName
from kafka_ferry.report.job_list import KnownRun, Outcome

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
FLIGHTS = JobName(kind="copy", name="flights")
DRY = FLIGHTS.model_copy(update={"dry_run": True})


def run(
    number: int,
    verdict: str = "",
    job: JobName | None = FLIGHTS,
    days: float = 0,
    state: str = "",
    now: datetime = NOW,
    **more: Any,
) -> KnownRun:
    """One that ended so many days ago."""
    at = now - timedelta(days=days)
    outcome = Outcome(verdict, at, **more) if verdict else None
    state = state or ("success" if verdict == "PASS" else "failed")
    return KnownRun(number, "mm2", f"run-{number}", state, at, job, outcome)


def named(number: int, name: str, verdict: str = "", days: float = 0, state: str = "", **more: Any) -> KnownRun:
    return run(number, verdict, FLIGHTS.model_copy(update={"name": name}), days, state, **more)


MANY = (
    named(1, "old", "PASS", 5),
    named(2, "young", "PASS", 1),
    named(3, "stale", "PASS", 40, goes_on=True),
    named(4, "broken", "FAIL", 20),
    named(5, "working", state="running"),
)
