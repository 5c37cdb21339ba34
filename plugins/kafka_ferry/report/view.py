"""What the report page says about a run: headline, facts, progress, stages, lines of the tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import humanize

from kafka_ferry.core.checks import Check, Report, Stage, Status, Words
from kafka_ferry.core.plan import Kind, Plan
from kafka_ferry.core.words import number_of
from kafka_ferry.report.charts import progress_series, topic_bars, watch_series, window_series
from kafka_ferry.report.findings import findings, found_by
from kafka_ferry.report.job_words import PLANNED, counted_only, engine_name, proven, question
from kafka_ferry.report.overview import Overview, Totals, overview_of, told_of
from kafka_ferry.report.run import RunData
from kafka_ferry.report.stages import failures_of
from kafka_ferry.report.times import moment, when
from kafka_ferry.report.window import window_view

#: Rows a table has at most where the page has all of them; those that are not ``pass`` come first, report.json has all.
ROWS: Final = 5000
_AT_WORK: Final = ("running", "deferred")
_FAILED: Final = ("failed", "upstream_failed")
_WAITING: Final = ("queued", "scheduled", "up_for_retry", "up_for_reschedule", "restarting")


@dataclass(frozen=True)
class Headline:
    """The verdict in one look. ``tone``: pass, fail, running or none."""

    word: str
    tone: str
    sentence: str


@dataclass(frozen=True)
class Bar:
    """One stage in the timeline. ``left`` and ``width`` in percent of the run's time."""

    stage: str
    state: str
    seconds: float
    left: float
    width: float
    error: str


def page_view(run: RunData, now: datetime | None = None) -> dict[str, Any]:
    """All the page's template needs.

    :param now: aware; for durations of what still runs. Default: now.
    """
    now = now or datetime.now(UTC)
    overview = run.overview or (
        overview_of(run.report, run.plan, run.progress, run.watched, ROWS) if run.report else None
    )
    report = overview.report if overview else None
    return {
        "run": run,
        "report": report,
        "headline": headline(run, overview),
        "facts": facts(run, now, overview.plan if overview else told_of(run.plan)),
        "failures": failures(run),
        "refused": bool(report and refused(report)),
        "progress": progress(run),
        "checks": report.checks if report else [],
        "made": made(overview) if overview else [],
        "left_out": left_out(report) if report else [],
        "sides": report.words.sides if report else (),
        "question": (lambda name: question(report, name)) if report else None,
        "notes": [*(report.notes if report else []), *run.damaged],
        "goes_on": report.goes_on if report else None,
        "findings": overview.findings if overview else findings(run.plan),
        "timeline": timeline(run, now),
        "window": window_view(report.cutover, report.words.sides) if report else None,
        "topics": report.topics if report else [],
        "groups": report.groups if report else [],
        "tables": overview.tables if overview else {},
        "pages": run.overview is not None,
        "backups": report.backups if report else [],
        "plan": run.plan,
        "to_do": PLANNED[run.plan.kind][0],
        "counted_as": PLANNED[run.plan.kind][1],
        "of_tables": run.plan.kind is Kind.STREAM,
        "charts": overview.charts if overview else {
            "progress": progress_series(run.progress), "topics": topic_bars([]), "window": window_series(None),
            "watched": watch_series(run.watched),
        },
    }  # fmt: skip


def made(overview: Overview) -> list[tuple[Check, int]]:
    """The checks that were made, each with the number of its differences, of which it has the first."""
    checks = zip(overview.report.checks, overview.differences, strict=True)
    return [(check, number) for check, number in checks if check.status is not Status.SKIPPED]


def headline(run: RunData, overview: Overview | None) -> Headline:
    """The verdict, or why there is none."""
    if overview:
        word, tone = overview.report.verdict, "pass" if overview.report.verdict == "PASS" else "fail"
        return Headline(word, tone, verdict_sentence(overview.report, overview.totals))
    if run.summary:
        word = str(run.summary.get("verdict", "FAIL"))
        return Headline(
            word,
            "pass" if word == "PASS" else "fail",
            f"The full report cannot be read from the API server: {run.summary.get('path')}. "
            "Point FERRY_ARTIFACTS at storage that all hosts share.",
        )
    if not run.ended:
        return Headline("RUNNING", "running", _now_at(run))
    if not run.stages and not run.plan.written:
        return Headline("NO REPORT", "none", "Kafka Ferry recorded nothing for this run.")
    if run.state == "success" and run.plan.dry_run:
        return Headline("PLANNED", "none", " ".join(["A dry run: nothing was changed, nothing was compared.",
                                                     *filter(None, [found_by(run.plan)])]))  # fmt: skip
    return Headline("NO VERDICT", "fail", "The run ended before a report was written. The stages show how far it came.")


def verdict_sentence(report: Report, totals: Totals) -> str:
    """One sentence that claims no more than was checked."""
    status = {check.name: check.status for check in report.checks}
    failed = [check.name.replace("_", " ") for check in report.checks if check.status is Status.FAIL]
    if refused(report):
        return "The plan refused it: nothing was changed. The reason and the fix are below."
    if report.verdict != "PASS":
        at = report.failures[0].partition(": ")[0] if report.failures else ""
        broke = f"The run failed at {at}, before it had a result." if at else "The run failed before it had a result."
        parts = [f"Failed: {', '.join(failed)}." if failed else broke]
        wrong = [(getattr(totals, word), word) for word in _WRONGS]
        found = [f"{count:,} {word}" for count, word in wrong if count]
        return " ".join([*parts, f"Records: {', '.join(found)}."] if found else parts)
    if report.sentence:
        return report.sentence
    what = f"{number_of(totals.records, 'record')} in {number_of(totals.topics, 'topic')}"
    if status.get("content") is Status.PASS:
        return proven(report, what)
    if status.get("content") is Status.EXPLAINED:
        return f"{what} were read on both sides. Nothing is lost; every difference is named and explained below."
    return counted_only(report, what)


def refused(report: Report) -> bool:
    """Whether the run ended in its plan, so that nothing was changed. A run cleared later has more stages than that."""
    stages = {stage.stage for stage in report.timeline}
    return bool(report.failures) and "plan" in stages and stages <= {"plan", "report"}


#: Between parts of a fact: it stays with what it follows when a line ends.
_DOT: Final = "\u00a0· "
_WRONGS: Final = ("lost", "duplicated", "reordered")


def facts(run: RunData, now: datetime, told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value pairs under the headline; only what is known.

    :param told: of the plan, as ``overview.told_of`` gives it.
    """
    report, plan, about = run.report, run.plan, told["archive"]
    started = report.started if report else min((stage.started for stage in run.stages), default=None)
    ended = report.ended if report else None
    if run.ended and not ended:
        ended = max((stage.ended for stage in run.stages if stage.ended), default=None)
    left, right = (report.words if report else Words()).sides
    pairs = [
        (left, _cluster((report.source if report else None) or plan.source.to_json())),
        (right, _cluster((report.target if report else None) or plan.target.to_json())),
        ("Engine", engine_name(report) if report else ""),
        ("Wave" if report and report.cutover else "Migration", str(told["spec"]["migration"])),
        ("Backup", _DOT.join(str(about[key]) for key in ("backup", "backup_id", "location") if about.get(key))),
        ("Started", when(started)),
        ("Took" if ended else "For", duration(_seconds(started, ended, now)) if started else ""),
    ]
    if report and report.throughput.seconds and report.throughput.counted[0]:
        moved = report.throughput
        number, unit = moved.counted
        pairs.append(
            (
                "Copied" if about else "Copied while waiting",
                f"{number:,} {unit}, {humanize.naturalsize(moved.bytes)} in {duration(moved.seconds)} "
                f"({number / moved.seconds:,.0f}/s)",
            )
        )
    elif plan.records is not None and not report:
        pairs.append(("Planned", _planned(plan, plan.records)))
    return [(name, value) for name, value in pairs if value]


def _planned(plan: Plan, records: int) -> str:
    topics = plan.topics
    if plan.kind is Kind.STREAM:
        return f"about {number_of(records, 'row')} in {number_of(len(topics), 'table')}"
    unknown = sum(line.bytes is None for line in topics)
    size = f"about {humanize.naturalsize(plan.bytes or 0)}" if unknown < len(topics) else "of unknown size"
    if 0 < unknown < len(topics):
        size += f" ({number_of(unknown, 'topic')} of unknown size left out)"
    text = f"at most {number_of(records, 'record')}, {size}, in {number_of(len(topics), 'topic')}"
    return text + (f", copying about {duration(plan.estimate.seconds)}" if plan.estimate else "")


def failures(run: RunData) -> list[str]:
    """What broke, in the words of the stage that broke."""
    if run.report:
        return run.report.failures
    if run.summary:
        return [str(text) for text in run.summary.get("failures", [])]
    if run.ended:
        return failures_of(run.stages, "report", run.tasks)
    return [f"{one.stage}: {one.error or 'ended without a message'}" for one in run.stages if one.state == "failed"]


def left_out(report: Report) -> list[tuple[str, str]]:
    """Checks that were not made: the reason, and their names."""
    found: dict[str, list[str]] = {}
    for check in report.checks:
        if check.status is Status.SKIPPED and not check.commands:
            found.setdefault(check.detail, []).append(check.name.replace("_", " "))
    return [(why, ", ".join(names)) for why, names in found.items()]


def progress(run: RunData) -> dict[str, Any] | None:
    """The last poll for people; None when there was none or it is history."""
    if run.ended or run.report or not run.progress:
        return None
    last = run.progress[-1]
    total, done = last["total_offsets"], last["offsets"]
    eta, rate = last.get("eta_seconds"), last.get("offsets_per_second")
    return {
        "percent": 100 * done / total if total else 100.0,
        "offsets": f"{done:,} of {total:,}",
        "bytes": f"{humanize.naturalsize(last['bytes'])} of {humanize.naturalsize(last['total_bytes'])}",
        "partitions": f"{last['partitions']:,} of {last['total_partitions']:,}",
        "rate": f"{rate:,.0f} offsets/s" if rate is not None else "" if done >= total else "unknown yet",
        "eta": "done" if last.get("converged") else "unknown yet" if eta is None else duration(eta),
        "slowest": [] if last.get("converged") else last.get("slowest", []),
        "at": when(last["at"]),
    }


def timeline(run: RunData, now: datetime) -> list[Bar]:
    """Stages in order of start. Where Airflow knows better than the stage's own notes, Airflow's word counts."""
    stages = run.report.timeline if run.report else run.stages
    if not stages:
        return []
    ends = [_end(run, stage, stages, now) for stage in stages]
    first = min(moment(stage.started) for stage in stages)
    span = max((end - first).total_seconds() for end in ends) or 1.0
    bars = []
    for stage, end in zip(stages, ends, strict=True):
        start, seconds = (moment(stage.started) - first).total_seconds(), (end - moment(stage.started)).total_seconds()
        bars.append(
            Bar(
                stage=stage.stage,
                state=_state(run, stage, stages),
                seconds=max(0.0, seconds),
                left=round(100 * start / span, 2),
                width=round(max(0.4, 100 * seconds / span), 2),
                error=stage.error,
            )
        )
    return bars


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def counted(checks: Sequence[Check]) -> list[tuple[str, int]]:
    """Status to number of checks, in the order of ``Status``; only those there are."""
    found = [(status.value, sum(check.status is status for check in checks)) for status in Status]
    return [(name, number) for name, number in found if number]


def _state(run: RunData, stage: Stage, stages: Sequence[Stage]) -> str:
    told = run.tasks.get(stage.stage)
    if run.report:
        # The report is written by its own stage, which is therefore the only one without an end.
        return "success" if stage.ended is None and stage is stages[-1] else stage.state
    if told in _FAILED or told in _WAITING:
        return "waiting" if told in _WAITING else "failed"
    return {"deferred": "running"}.get(stage.state, stage.state)


def _end(run: RunData, stage: Stage, stages: Sequence[Stage], now: datetime) -> datetime:
    if stage.ended:
        return moment(stage.ended)
    if run.report and run.report.ended:
        return moment(run.report.ended)
    known = [other.ended for other in stages if other.ended]
    return moment(max(known)) if run.ended and known else now


def _now_at(run: RunData) -> str:
    # A task whose process is starting has no note of its own yet, or that of its last try.
    told = [name for name, state in run.tasks.items() if state in _AT_WORK]
    noted = [
        stage.stage
        for stage in run.stages
        if stage.state in _AT_WORK and run.tasks.get(stage.stage, "running") in _AT_WORK
    ]
    at = [*noted, *(name for name in told if name not in noted)]
    if at:
        return f"Now: {', '.join(name.replace('_', ' ') for name in at[:4])}{' …' if len(at) > 4 else ''}."
    return "Between two stages." if run.stages else "It has not started yet."


def _cluster(about: dict[str, Any] | None) -> str:
    if not about:
        return ""
    brokers = about.get("brokers")
    parts = [str(about.get("conn_id", "")), number_of(brokers, "broker") if isinstance(brokers, int) else ""]
    return _DOT.join(part for part in [*parts, str(about.get("cluster_id", ""))] if part)


def _seconds(started: str | None, ended: str | None, now: datetime) -> float:
    return max(0.0, ((moment(ended) if ended else now) - moment(started)).total_seconds()) if started else 0.0
