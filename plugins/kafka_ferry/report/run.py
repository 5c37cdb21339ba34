"""What is known of one run, whether it still works, has ended, or broke: the report page's only input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import humanize
from pydantic import ValidationError

from kafka_ferry.core.checks import Check, Report, Stage, Status
from kafka_ferry.core.plan import Plan
from kafka_ferry.core.words import number_of
from kafka_ferry.report.artifacts import REPORT, RunArtifacts
from kafka_ferry.report.overview import Overview
from kafka_ferry.report.pages import LARGEST_OVERVIEW, read_overview
from kafka_ferry.report.reading import Reader
from kafka_ferry.report.stages import read_stages
from kafka_ferry.report.upgrade import report_of

#: States of a DAG run after which nothing changes any more, as Airflow names them.
ENDED = ("success", "failed")
#: Bytes of a report.json that is read whole, where nothing beside it was written for the page: 20,000 lines. Reading
#: takes ten times as much memory.
LARGEST_REPORT: Final = 4_000_000


@dataclass(frozen=True)
class RunData:
    """One run. What is not there (yet) is None or empty.

    :param state: of the DAG run in Airflow: queued, running, success or failed.
    :param report: report.json; only when the run's XCom ``report`` says that it is of this run and not of an
        earlier try, and names this run itself. ``summary``: that XCom.
    :param overview: what stands for a report of any size; then ``report`` is its own, without the rest of the tables.
    :param progress: lines of progress.jsonl. ``watched``: of watched.jsonl.
    :param tasks: task name (``fingerprint[0]`` when mapped) to its state in Airflow.
    :param damaged: which of the artifacts cannot be read, and why.
    """

    dag_id: str
    run_id: str
    state: str
    report: Report | None = None
    summary: Mapping[str, Any] | None = None
    plan: Plan = field(default_factory=Plan)
    progress: list[dict[str, Any]] = field(default_factory=list)
    watched: list[dict[str, Any]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    tasks: Mapping[str, str | None] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    overview: Overview | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def read_run(
    artifacts: RunArtifacts,
    state: str,
    summary: Mapping[str, Any] | None,
    tasks: Mapping[str, str | None] | None = None,
) -> RunData:
    """Gather a run's artifacts, in bounded memory whatever their size.

    :param summary: XCom ``report`` of the run; None: there is no report, whatever an earlier try left in the folder.
    """
    known = RunData(artifacts.dag_id, artifacts.run_id, state, summary=summary, tasks=tasks or {})
    reader = Reader(artifacts, LARGEST_OVERVIEW)
    overview = read_overview(reader, summary.get("pages")) if summary else None
    if overview and _is_of(overview.report, artifacts):
        return replace(known, report=overview.report, overview=overview)
    stages = read_stages(reader)
    return replace(
        known,
        report=_report(artifacts, reader, summary, stages) if summary else None,
        plan=reader.plan(Plan),
        progress=reader.progress(),
        watched=reader.watched(),
        stages=stages,
        damaged=reader.notes,
    )


def _report(artifacts: RunArtifacts, reader: Reader, summary: Mapping[str, Any], stages: list[Stage]) -> Report | None:
    """The report of a run beside which nothing was written for the page; None when there is none that can be read."""
    size = artifacts.size(REPORT) or 0
    if size > LARGEST_REPORT:
        # Of another run: its verdict is not this one's.
        return _from_summary(artifacts, summary, stages, size) if _is_of_names(artifacts) else None
    found = reader.mapping(REPORT)
    try:
        report = Report.model_validate(report_of(found)) if found else None
    except ValidationError as error:
        # Of a later version, or damaged: its own words would show values of anybody's.
        reader.note(REPORT, f"is not a report of this version ({error.error_count()} fields differ)")
        return None
    return report if report and _is_of(report, artifacts) else None


def _is_of(report: Report, artifacts: RunArtifacts) -> bool:
    return (report.dag_id, report.run_id) == (artifacts.dag_id, artifacts.run_id)


def _is_of_names(artifacts: RunArtifacts) -> bool:
    return artifacts.report_names() == (artifacts.dag_id, artifacts.run_id)


def _from_summary(artifacts: RunArtifacts, summary: Mapping[str, Any], stages: list[Stage], size: int) -> Report:
    """What the XCom tells of a report that is too large to be read here."""
    checks_noted = summary.get("checks")
    checks = [
        Check(name=str(name), status=Status(status), detail="see report.json" if status == Status.SKIPPED else "")
        for name, status in (checks_noted.items() if isinstance(checks_noted, Mapping) else ())
        if isinstance(status, str) and status in set(Status)
    ]
    numbers = {noun: summary.get(f"{noun}s") for noun in ("topic", "group")}
    counts = [number_of(number if isinstance(number, int) else 0, noun) for noun, number in numbers.items()]
    return Report(
        dag_id=artifacts.dag_id,
        run_id=artifacts.run_id,
        engine="",
        verdict=str(summary.get("verdict", "FAIL")),
        source={},
        target={},
        started=min((stage.started for stage in stages), default=None),
        ended=max((stage.ended for stage in stages if stage.ended), default=None),
        checks=checks,
        timeline=stages,
        failures=[str(text) for text in summary.get("failures") or []],
        sentence=f"{counts[0]} and {counts[1]}: what was proven of them is in report.json.",
        notes=[
            f"The report has {humanize.naturalsize(size)} and is of an earlier version, which wrote nothing beside it "
            "for this page: its topics, groups and differences are not shown here. Fix: download report.json, open "
            "report.html beside it, or clear the task report, which rewrites all of it."
        ],
    )
