"""The page of all jobs as HTML: what is proven, what runs, what keeps running, what nobody has verified for long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import humanize

from kafka_ferry.core.words import number_of
from kafka_ferry.report.job_list import Attention, JobLine, KnownRun, select
from kafka_ferry.report.job_words import noun
from kafka_ferry.report.lines import PAGE_LINES, Answer, Question
from kafka_ferry.report.page import STYLE, environment, render_lines

#: Of the scripts, the one that this page needs: it has no plots.
SCRIPT: Final = "page.js"
#: Days to choose from.
_CHOICES: Final = (1, 7, 30, 90)
_TONES: Final = {"failed": "fail", "running": "running", "queued": "waiting", "planned": "waiting"}


@dataclass(frozen=True)
class JobLinks:
    """Addresses the page refers to; paths on the same host.

    :param static: folder of script and style. ``lines``: where the page asks for more lines.
    :param reports: of the pages of runs: ``…/<dag_id>/<run_id>``.
    :param dags: of Airflow's own pages of DAGs. ``tab``: the last part of the address of a run's tab there.
    """

    static: str
    lines: str
    reports: str
    dags: str
    tab: str


@dataclass(frozen=True)
class RunLink:
    """A run to go to. ``report``: its page; ``tab``: the same in Airflow. ``ago``: how long; ``at``: when, UTC."""

    report: str
    tab: str
    ago: str
    at: str


@dataclass(frozen=True)
class Row:
    """A line in the page's words; what is not known is empty or None.

    :param verdict: its last run with a verdict. ``now``: the younger one without, and what it does.
    :param passed: its last run with PASS. ``stale``: that was too long ago.
    :param kept: the run that left something running. ``left``: the run that could not take away all.
    """

    name: str
    kind: str
    where: str
    dag_id: str
    runs: str
    word: str
    tone: str
    verdict: RunLink | None
    now: str
    now_tone: str
    dry: bool
    newest: RunLink | None
    passed: RunLink | None
    stale: bool
    look: bool
    kept: RunLink | None
    left: RunLink | None
    stopped: RunLink | None


def render_jobs(
    lines: Sequence[JobLine], links: JobLinks, now: datetime, days: int, start: int = 0, most: int | None = None
) -> str:
    """The page as the app serves it.

    :param lines: as ``job_lines`` gives them. ``start``: the first line to show, counted from 0.
    :param now: aware. ``days``: without a PASS, after which a line is stale.
    :param most: only so many runs were looked at; None: all.
    """
    found = _rows(select(lines, Question("jobs", start)), links, now)
    tone, title, sentence = _headline(lines, days)
    html: str = (
        environment()
        .get_template("jobs.html")
        .render(
            found=found,
            links=links,
            script=SCRIPT,
            style=STYLE,
            page_lines=PAGE_LINES,
            tone=tone,
            title=title,
            sentence=sentence,
            tally=_tally(lines, days),
            days=days,
            choices=sorted({*_CHOICES, days}),
            most=most,
            at=now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        )
    )
    return html


def render_job_lines(lines: Sequence[JobLine], question: Question, links: JobLinks, now: datetime) -> dict[str, Any]:
    """A page of the table, as ``render_lines`` gives it."""
    return render_lines(question, _rows(select(lines, question), links, now))


def _rows(found: Answer, links: JobLinks, now: datetime) -> Answer:
    return replace(found, page=[row_of(line, links, now) for line in found.page])


def row_of(line: JobLine, links: JobLinks, now: datetime) -> Row:
    """A line in the page's words."""
    job = line.job

    def link(run: KnownRun | None, at: datetime | None) -> RunLink | None:
        if run is None:
            return None
        place = f"{quote(run.dag_id, safe='')}/{{}}{quote(run.run_id, safe='')}"
        return RunLink(
            report=f"{links.reports}/{place.format('')}",
            tab=f"{links.dags}/{place.format('runs/')}/{links.tab}",
            ago=humanize.naturaltime(max(now - at, now - now), months=False) if at else "",
            at=at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if at else "",
        )

    def told(run: KnownRun | None) -> RunLink | None:
        return link(run, run.told if run else None)

    newest = line.newest
    return Row(
        name=job.name if job else "",
        kind=noun(job.kind) if job else "",
        where=job.where if job else "",
        dag_id=line.dag_id,
        runs=number_of(line.runs, "run"),
        word=line.verdict,
        tone="pass" if line.verdict == "PASS" else "fail",
        verdict=told(line.latest),
        now=line.now,
        now_tone=_TONES.get(line.now, "skipped"),
        dry=newest is not None and newest.dry,
        newest=link(newest, newest.at) if newest else None,
        passed=told(line.passed),
        stale=line.stale,
        look=line.attention is Attention.STALE,
        kept=told(line.kept),
        left=told(line.left),
        stopped=told(line.stopped),
    )


def _headline(lines: Sequence[JobLine], days: int) -> tuple[str, str, str]:
    """Tone, title, and a sentence that claims no more than is known."""
    if not lines:
        return "none", "No runs yet", ""
    look, jobs = sum(bool(line.attention) for line in lines), number_of(len(lines), "job")
    rule = (
        "A job needs a look when its last run failed, or when it keeps running or runs on a schedule and had no PASS "
        f"for {number_of(days, 'day')}."
    )
    if not look:
        return "pass", jobs, f"None needs a look. {rule}"
    failed = any(line.attention is Attention.FAILED for line in lines)
    return "fail" if failed else "warn", f"{look:,} of {jobs} need{'s' if look == 1 else ''} a look", rule


def _tally(lines: Sequence[JobLine], days: int) -> list[tuple[str, str]]:
    """Class of a status, and how many there are of it; only those there are."""
    look = Counter(line.attention for line in lines)
    counts = [
        ("fail", "failed", look[Attention.FAILED]),
        ("warn", f"not verified for {number_of(days, 'day')}", look[Attention.STALE]),
        ("running", "at work", sum(line.newest is not None and line.newest.at_work for line in lines)),
        ("advise", "keep running after their run", sum(line.kept is not None for line in lines)),
        ("pass", "passed last", sum(line.verdict == "PASS" for line in lines)),
    ]
    return [(tone, f"{count:,} {what}") for tone, what, count in counts if count]
