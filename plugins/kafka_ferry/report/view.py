"""What the report page says about a run: headline, facts, progress, stages, lines of the tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import humanize

from kafka_ferry.report.charts import progress_series, topic_bars
from kafka_ferry.report.model import Check, GroupLine, Report, Stage, Status, TopicLine
from kafka_ferry.report.run import RunData
from kafka_ferry.report.words import number_of, shown

#: What each check of the checklist asks, in a reader's words.
QUESTIONS: Final = {
    "topics": "Is every selected topic on the target?",
    "partitions": "Has each topic as many partitions?",
    "configs": "Are the topics' settings the same?",
    "counts": "Are there as many records?",
    "content": "Is every record the same on both sides?",
    "new_records": "Does a record written now arrive?",
    "new_topics": "Does a topic made now arrive?",
    "groups": "Are the consumer groups there?",
    "group_offsets": "Would consumers go on at the same record?",
    "groups_left_out": "Which consumer groups were left out, and why?",
    "acls": "Are the access rights there?",
    "quotas": "Are the quotas there?",
    "scram_users": "Are the SCRAM users there?",
    "other_replicators": "Does anything else write these topics?",
    "leftovers": "Was everything of ours removed?",
    "gaps": "Was anything deleted before it was backed up?",
    "objects": "Is every object as it was written?",
    "pruning": "Which backups were deleted?",
    "copy": "Is there a second copy of it?",
    "source": "Does the source cluster still hold the same?",
    "manifests": "Can every backup be restored?",
    "orphans": "Are there objects of no backup?",
    "clocks": "Were all backups made in the past?",
    "changes": "Did every insert, update and delete arrive, in order?",
    "service_role": "Had the connectors' role the rights they need?",
    "schema_changes": "Did every change of a table's schema arrive?",
}
#: Rows a table has at most; lines that are not ``pass`` come first and report.json has all.
ROWS: Final = 5000
#: Differences listed under a check; report.json has all.
DIFFERENCES: Final = 200
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
    report = run.report
    bars = timeline(run, now)
    topics, groups = (report.topics, report.groups) if report else ([], [])
    return {
        "run": run,
        "report": report,
        "headline": headline(run),
        "facts": facts(run, now),
        "failures": failures(run),
        "refused": bool(report and refused(report)),
        "progress": progress(run),
        "checks": report.checks if report else [],
        "questions": QUESTIONS,
        "shown": shown,
        "max_differences": DIFFERENCES,
        "timeline": bars,
        "topics": worst_first(topics),
        "topics_left_out": max(0, len(topics) - ROWS),
        "groups": worst_first(groups),
        "groups_left_out": max(0, len(groups) - ROWS),
        "backups": report.backups[:ROWS] if report else [],
        "plan": run.plan,
        "charts": {"progress": progress_series(run.progress), "topics": topic_bars(topics)},
    }


def headline(run: RunData) -> Headline:
    """The verdict, or why there is none."""
    if run.report:
        word, tone = run.report.verdict, "pass" if run.report.verdict == "PASS" else "fail"
        return Headline(word, tone, verdict_sentence(run.report))
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
    if not run.stages and not run.plan:
        return Headline("NO REPORT", "none", "Nothing of Kafka Ferry was recorded for this run.")
    if run.state == "success" and (run.plan.get("spec") or {}).get("dry_run"):
        return Headline("PLANNED", "none", "A dry run: nothing was changed, nothing was compared.")
    return Headline("NO VERDICT", "fail", "The run ended before a report was written. The stages tell how far it came.")


def verdict_sentence(report: Report) -> str:
    """One sentence that claims no more than was checked."""
    status = {check.name: check.status for check in report.checks}
    failed = [check.name.replace("_", " ") for check in report.checks if check.status is Status.FAIL]
    if refused(report):
        return "The plan refused it: nothing was changed. Why, and the cure, stand below."
    if report.verdict != "PASS":
        parts = [f"Failed: {', '.join(failed)}." if failed else "The run broke before it could tell."]
        wrong = [(sum(getattr(line, word) for line in report.topics), word) for word in _WRONGS]
        found = [f"{count:,} {word}" for count, word in wrong if count]
        return " ".join([*parts, f"Records: {', '.join(found)}."] if found else parts)
    if report.sentence:
        return report.sentence
    records = sum(line.source_records or 0 for line in report.topics)
    what = f"{records:,} records in {number_of(len(report.topics), 'topic')}"
    if status.get("content") is Status.PASS:
        return f"{what} were read on both sides and are the same."
    if status.get("content") is Status.EXPLAINED:
        return f"{what} were read on both sides. Nothing is lost; every difference is named and explained below."
    return f"{what} were counted on both sides. Their contents were not compared."


def refused(report: Report) -> bool:
    """Whether the run ended in its plan, so that nothing was changed. A run cleared later has more stages than that."""
    stages = {stage.stage for stage in report.timeline}
    return bool(report.failures) and "plan" in stages and stages <= {"plan", "report"}


_WRONGS: Final = ("lost", "duplicated", "reordered")


def facts(run: RunData, now: datetime) -> list[tuple[str, str]]:
    """Name and value pairs under the headline; only what is known."""
    report, spec = run.report, run.plan.get("spec") or {}
    started = report.started if report else min((stage.started for stage in run.stages), default=None)
    ended = report.ended if report else None
    if run.ended and not ended:
        ended = max((stage.ended for stage in run.stages if stage.ended), default=None)
    about = run.plan.get("archive") or {}
    pairs = [
        ("Source", _cluster((report.source if report else None) or run.plan.get("source"))),
        ("Target", _cluster((report.target if report else None) or run.plan.get("target"))),
        ("Engine", report.engine.replace("_", " ") if report else ""),
        ("Migration", str(spec.get("migration", ""))),
        ("Backup", " · ".join(str(about[key]) for key in ("backup", "backup_id", "location") if about.get(key))),
        ("Started", _when(started)),
        ("Took" if ended else "For", duration(_seconds(started, ended, now)) if started else ""),
    ]
    if report and report.throughput.seconds and report.throughput.records:
        moved = report.throughput
        rate = moved.records / moved.seconds
        pairs.append(
            (
                "Copied" if about else "Copied while waiting",
                f"{moved.records:,} {'records' if about else 'offsets'}, {humanize.naturalsize(moved.bytes)} in "
                f"{duration(moved.seconds)} ({rate:,.0f}/s)",
            )
        )
    elif run.plan.get("records") is not None and not report:
        seconds = (run.plan.get("estimate") or {}).get("seconds")
        size = humanize.naturalsize(run.plan.get("bytes", 0))
        where = number_of(len(run.plan.get("topics", [])), "topic")
        text = f"at most {run.plan['records']:,} records, about {size}, in {where}"
        pairs.append(("Planned", text + (f", copying about {duration(seconds)}" if seconds is not None else "")))
    return [(name, value) for name, value in pairs if value]


def failures(run: RunData) -> list[str]:
    """What broke, in the words of the stage that broke."""
    if run.report:
        return run.report.failures
    if run.summary:
        return [str(text) for text in run.summary.get("failures", [])]
    return [
        f"{stage.stage}: {stage.error or 'ended without a word; see its log'}"
        for stage in run.stages
        if stage.state == "failed" or (run.ended and stage.state in ("running", "deferred"))
    ]


def progress(run: RunData) -> dict[str, Any] | None:
    """The last poll for people; None when there was none or it is history."""
    if run.ended or run.report or not run.progress:
        return None
    last = run.progress[-1]
    total, done = last["total_records"], last["records"]
    eta, rate = last.get("eta_seconds"), last.get("records_per_second")
    return {
        "percent": 100 * done / total if total else 100.0,
        "records": f"{done:,} of {total:,}",
        "bytes": f"{humanize.naturalsize(last['bytes'])} of {humanize.naturalsize(last['total_bytes'])}",
        "partitions": f"{last['partitions']:,} of {last['total_partitions']:,}",
        "rate": "not known yet" if rate is None else f"{rate:,.0f} records/s",
        "eta": "done" if last.get("converged") else "not known yet" if eta is None else duration(eta),
        "slowest": [] if last.get("converged") else last.get("slowest", []),
        "at": _when(last["at"]),
    }


def timeline(run: RunData, now: datetime) -> list[Bar]:
    """Stages in order of start. Where Airflow knows better than the stage's own notes, Airflow's word counts."""
    stages = run.report.timeline if run.report else run.stages
    if not stages:
        return []
    ends = [_end(run, stage, stages, now) for stage in stages]
    first = min(_parse(stage.started) for stage in stages)
    span = max((end - first).total_seconds() for end in ends) or 1.0
    bars = []
    for stage, end in zip(stages, ends, strict=True):
        start, seconds = (_parse(stage.started) - first).total_seconds(), (end - _parse(stage.started)).total_seconds()
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


def worst_first(lines: Sequence[TopicLine] | Sequence[GroupLine]) -> list[Any]:
    """Lines that are not ``pass`` before the others, each in its own order; at most ``ROWS``."""
    order = [Status.FAIL, Status.EXPLAINED, Status.SKIPPED, Status.PASS]
    return sorted(lines, key=lambda line: order.index(line.status))[:ROWS]


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
        return _parse(stage.ended)
    if run.report and run.report.ended:
        return _parse(run.report.ended)
    known = [other.ended for other in stages if other.ended]
    return _parse(max(known)) if run.ended and known else now


def _now_at(run: RunData) -> str:
    at = [stage.stage for stage in run.stages if stage.state in ("running", "deferred")]
    if at:
        return f"Now: {', '.join(name.replace('_', ' ') for name in at[:4])}{' …' if len(at) > 4 else ''}."
    return "Between two stages." if run.stages else "It has not begun yet."


def _cluster(about: dict[str, Any] | None) -> str:
    if not about:
        return ""
    brokers = about.get("brokers")
    parts = [str(about.get("conn_id", "")), number_of(brokers, "broker") if isinstance(brokers, int) else ""]
    return " · ".join(part for part in [*parts, str(about.get("cluster_id", ""))] if part)


def _when(text: str | None) -> str:
    return _parse(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if text else ""


def _seconds(started: str | None, ended: str | None, now: datetime) -> float:
    return max(0.0, ((_parse(ended) if ended else now) - _parse(started)).total_seconds()) if started else 0.0


def _parse(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
