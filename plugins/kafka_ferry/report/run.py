"""What is known of one run, whether it still works, has ended, or broke: the report page's only input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from kafka_ferry.report.model import Report, Stage
from kafka_ferry.report.reading import Reader
from kafka_ferry.report.stages import read_stages
from kafka_ferry.report.storage import PLAN, REPORT, RunArtifacts

#: States of a DAG run after which nothing changes any more, as Airflow names them.
ENDED = ("success", "failed")


@dataclass(frozen=True)
class RunData:
    """One run. What is not there (yet) is None or empty.

    :param state: of the DAG run in Airflow: queued, running, success or failed.
    :param report: report.json; only when the run's XCom ``report`` says that it is of this run and not of an
        earlier try, and names this run itself. ``summary``: that XCom.
    :param progress: lines of progress.jsonl.
    :param tasks: task name (``fingerprint[0]`` when mapped) to its state in Airflow.
    :param damaged: which of the artifacts cannot be read, and why.
    """

    dag_id: str
    run_id: str
    state: str
    report: Report | None = None
    summary: Mapping[str, Any] | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)
    progress: list[dict[str, Any]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    tasks: Mapping[str, str | None] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def read_run(
    artifacts: RunArtifacts,
    state: str,
    summary: Mapping[str, Any] | None,
    tasks: Mapping[str, str | None] | None = None,
) -> RunData:
    """Gather a run's artifacts.

    :param summary: XCom ``report`` of the run; None: there is no report, whatever an earlier try left in the folder.
    """
    reader = Reader(artifacts)
    report = _report(reader) if summary else None
    if report and (report.dag_id, report.run_id) != (artifacts.dag_id, artifacts.run_id):
        report = None  # of another run: its verdict is not this one's
    known = RunData(
        dag_id=artifacts.dag_id,
        run_id=artifacts.run_id,
        state=state,
        report=report,
        summary=summary,
        plan=reader.mapping(PLAN),
        progress=reader.progress(),
        stages=read_stages(reader),
        tasks=tasks or {},
    )
    return replace(known, damaged=reader.notes)


def _report(reader: Reader) -> Report | None:
    """The report, None when there is none that can be read."""
    found = reader.mapping(REPORT)
    try:
        return Report.model_validate(found) if found else None
    except ValidationError as error:
        # Of a later version, or damaged: its own words would show values of anybody's.
        reader.note(REPORT, f"is no report of this version ({error.error_count()} fields are other)")
        return None
