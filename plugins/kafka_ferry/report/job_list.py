"""What the runs in Airflow say of each job: a line for each name, whatever the number of its runs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from kafka_ferry.core.job_name import JobName
from kafka_ferry.report.job_words import noun
from kafka_ferry.report.lines import PAGE_LINES, Answer, Question, natural

#: Days without a PASS after which a line says so.
DAYS: Final = 30
_PASS: Final = "PASS"  # noqa: S105 - a verdict, no password
_AT_WORK: Final = ("queued", "running")
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the report of a run ended.

    :param verdict: PASS or FAIL. ``told``: when it came; aware.
    :param goes_on: something keeps running after the run, as it was asked to.
    :param left: how the check ``leftovers`` ended; empty: it is not among them.
    :param stopped: connectors of other jobs that the run stopped.
    """

    verdict: str
    told: datetime
    goes_on: bool = False
    left: str = ""
    stopped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run, as far as Airflow's database knows it.

    :param number: the higher, the later it was made.
    :param state: of the DAG run in Airflow: queued, running, success or failed.
    :param at: when it ended, or began; aware; None: it has not begun.
    :param job: what it is of; None: it has not said so yet, or an earlier version did not.
    :param outcome: None: it has no report.
    :param by_itself: a schedule has begun it, and nobody's hand.
    """

    number: int
    dag_id: str
    run_id: str
    state: str
    at: datetime | None = None
    job: JobName | None = None
    outcome: Outcome | None = None
    by_itself: bool = False

    @property
    def dry(self) -> bool:
        return self.job is not None and self.job.dry_run

    @property
    def at_work(self) -> bool:
        return self.state in _AT_WORK

    @property
    def told(self) -> datetime:
        return self.outcome.told if self.outcome else _BEGINNING


class Attention(StrEnum):
    """Why a line needs a look, the most urgent first."""

    FAILED = "failed"
    STALE = "stale"
    NONE = ""


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job.

    :param latest: its last run with a verdict, dry runs aside. ``passed``: its last one with PASS.
    :param newest: its run that works now, or has none and is younger. ``now``: what that does or did: queued, running,
        failed, planned or ``no report``.
    :param kept: the run that left something running which still does. ``left``: the run that could not take away all.
    :param stopped: the run of another job that stopped what was left running.
    :param stale: nothing of it was verified for so long.
    """

    job: JobName | None
    dag_id: str
    runs: int
    latest: KnownRun | None
    passed: KnownRun | None
    newest: KnownRun | None
    now: str
    kept: KnownRun | None
    left: KnownRun | None
    stale: bool
    attention: Attention
    stopped: KnownRun | None = None

    @property
    def verdict(self) -> str:
        return self.latest.outcome.verdict if self.latest and self.latest.outcome else ""

    @property
    def at(self) -> datetime:
        """When it last did something."""
        return max(self.latest.told if self.latest else _BEGINNING, (self.newest and self.newest.at) or _BEGINNING)


def job_lines(runs: Iterable[KnownRun], now: datetime, days: int = DAYS) -> list[JobLine]:
    """A line for each job: those that need a look first, then those at work, then the rest, the youngest first.

    :param now: aware. ``days``: without a PASS, after which a line is stale. It needs a look then if it runs by itself,
        or something of it keeps running; a migration that is over does not.
    """
    jobs: dict[tuple[str, ...], list[KnownRun]] = {}
    runs = sorted(runs, key=lambda one: -one.number)
    stops = [(name, run) for run in runs if run.outcome for name in run.outcome.stopped]
    for run in runs:
        # A dry run is one of the same job.
        of = (run.job.kind, run.job.name, run.job.where) if run.job else ()
        jobs.setdefault((run.dag_id, *of), []).append(run)
    limit = now - timedelta(days=days)
    lines = [_line(found, limit, stops) for found in jobs.values()]
    order = list(Attention)
    lines.sort(key=lambda line: line.at, reverse=True)
    return sorted(lines, key=lambda line: (order.index(line.attention), line.now not in _AT_WORK))


def _line(runs: Sequence[KnownRun], limit: datetime, stops: Sequence[tuple[str, KnownRun]]) -> JobLine:
    """:param runs: of one job, the youngest first. ``stops``: names of connectors, and what run stopped each."""
    told = sorted(
        ((run, run.outcome) for run in runs if run.outcome and not run.dry), key=lambda one: one[1].told, reverse=True
    )
    latest = told[0][0] if told else None
    passed = next((run for run, outcome in told if outcome.verdict == _PASS), None)
    others = [run for run in runs if run.dry or not run.outcome]
    newest = next((run for run in runs if run.at_work), None)
    if newest is None and others and (latest is None or others[0].number > latest.number):
        newest = others[0]
    # The last run that knows: one that was refused, or came no further, changed nothing of it.
    decided = next(((run, one) for run, one in told if one.goes_on or one.left in ("pass", "fail")), None)
    kept = decided[0] if decided and decided[1].goes_on else None
    stopped = _stopped(kept, stops)
    kept = None if stopped else kept
    left = decided[0] if decided and decided[1].left == "fail" else None
    now = _now(newest)
    first = latest is None and (now == "planned" or now in _AT_WORK)
    stale = (passed is None or passed.told < limit) and not first
    if (latest and latest is not passed) or (now == "failed" and newest and not newest.dry):
        attention = Attention.FAILED
    elif stale and runs[0].job and (kept or any(run.by_itself for run in runs)):
        attention = Attention.STALE
    else:
        attention = Attention.NONE
    return JobLine(
        runs[0].job, runs[0].dag_id, len(runs), latest, passed, newest, now, kept, left, stale, attention, stopped
    )


def _stopped(kept: KnownRun | None, stops: Sequence[tuple[str, KnownRun]]) -> KnownRun | None:
    """The run that stopped the connectors which another left running: they are called by its DAG and its name."""
    if kept is None or kept.job is None or not kept.job.name:
        return None
    begin = f"{kept.dag_id}.{kept.job.name}."
    return next((run for name, run in stops if name.startswith(begin) and run.told > kept.told), None)


def _now(newest: KnownRun | None) -> str:
    if newest is None or newest.state != "success":
        return newest.state if newest else ""
    return "planned" if newest.dry else "no report"


def select(lines: Sequence[JobLine], question: Question) -> Answer:
    """The page that is asked for. :attr:`Question.only`: what needs a look."""
    text = question.find.strip().lower()
    found = [line for line in lines if (line.attention or not question.only) and (not text or text in _text_of(line))]
    if question.sort is not None:
        found.sort(key=_ORDERS[question.sort % len(_ORDERS)], reverse=question.down)
    start = min(question.start, len(found))
    return Answer(found[start : start + PAGE_LINES], start, len(lines), len(found), len(found), len(lines), False)


def _text_of(line: JobLine) -> str:
    job = line.job
    parts = [line.dag_id, line.verdict, line.now, *((job.name, job.where, noun(job.kind)) if job else ())]
    return "\n".join(parts).lower()


#: By each column of the table.
_ORDERS: Final[Sequence[Callable[[JobLine], Any]]] = (
    lambda line: natural(line.job.name if line.job else ""),
    lambda line: (line.verdict, line.at),
    lambda line: (line.now, line.at),
    lambda line: line.passed.told if line.passed else _BEGINNING,
    lambda line: (line.kept is not None, line.left is not None),
    lambda line: natural(line.dag_id),
)
