"""From a run's artifacts to its report, and to the text of the task log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import humanize
import pendulum
from pydantic import ValidationError

from kafka_ferry.core.checks import ENDED_BEFORE, Check, Report, Stage, Status, Throughput, complete, verdict
from kafka_ferry.core.plan import Plan
from kafka_ferry.core.table import table
from kafka_ferry.records.job import results_digest
from kafka_ferry.report.artifacts import (
    CANARY,
    CHECKS_MADE,
    FINGERPRINTS,
    LEFTOVERS,
    PLAN,
    PROGRESS,
    WATCHED,
    DamagedArtifact,
    RunArtifacts,
    read_results,
)
from kafka_ferry.report.reading import Reader
from kafka_ferry.report.reported_job import ReportedJob
from kafka_ferry.report.stages import Tasks, failures_of, first_undone, read_stages, validated
from kafka_ferry.report.view import refused


def build_report(
    artifacts: RunArtifacts,
    engine: str,
    own_task: str,
    job: ReportedJob,
    tasks: Tasks | None = None,
    judged: Collection[str] = (),
) -> Report:
    """From the run's artifacts to the report.

    :param own_task: the report's own task id, whose stage is still running.
    :param job: what kind of run it was.
    :param judged: names of the tasks whose work validate judges.
    :param tasks: what Airflow says of the run's tasks.
    """
    reader = Reader(artifacts)
    stages = read_stages(reader)
    failures = failures_of(stages, own_task, tasks)
    made = checks_made(reader) if not failures or validated(stages, judged) else {}
    found = checks_in(reader, CHECKS_MADE, made.get("checks", []))
    for name in (CANARY, LEFTOVERS):
        found += checks_in(reader, name, reader.sequence(name))
    plan = reader.plan(Plan)
    found += [plan.role.check] if plan.role else []
    checks = complete(found, {}, ENDED_BEFORE, job.checklist)
    if not made and not failures:
        failures = [first_undone(tasks or {}, own_task) or "validate: it wrote no checks"]
    elif made and made.get("judged") != _judged(reader, artifacts):
        failures.append("validate: records were compared again since. Fix: clear validate with its downstream tasks")
    throughput = _throughput(reader.progress())
    made |= {"throughput": throughput}
    return assemble(reader, artifacts, engine, job, plan, stages, checks, failures, made)


def _judged(reader: Reader, artifacts: RunArtifacts) -> str | None:
    """Digest of what was compared; None when it cannot be read as such."""
    try:
        return results_digest(read_results(artifacts))
    except (DamagedArtifact, TypeError, ValueError, LookupError, AttributeError) as error:
        reader.note(FINGERPRINTS, f"cannot be read as what was compared ({error})")
        return None


def checks_made(reader: Reader) -> dict[str, Any]:
    """checks.json, empty when there is none that can be read."""
    made = reader.mapping(CHECKS_MADE)
    if made and not isinstance(made.get("checks"), list):
        reader.note(CHECKS_MADE, "has no checks")
        return {}
    return made


def checks_in(reader: Reader, name: str, found: Iterable[Any]) -> list[Check]:
    """Checks of an artifact; those that are none are noted as damage."""
    checks = []
    for check in found:
        try:
            checks.append(Check.model_validate(check))
        except ValidationError:
            reader.note(name, "has a check that cannot be read")
    return checks


def assemble(
    reader: Reader,
    artifacts: RunArtifacts,
    engine: str,
    job: ReportedJob,
    plan: Plan,
    stages: list[Stage],
    checks: list[Check],
    failures: list[str],
    made: Mapping[str, Any],
) -> Report:
    """The report of what is known.

    :param made: what validate found beside the checks, by the report's own names.
    """
    found = {name: made[name] for name in ("topics", "groups", "backups", "throughput", "sentence") if made.get(name)}
    # Progress and plan are told, not judged; what anything else says may be what a verdict needs.
    untold = [
        note for name, note in zip(reader.damaged, reader.notes, strict=True) if name not in (PROGRESS, WATCHED, PLAN)
    ]
    failures = [*failures, *(f"report: cannot read {note}" for note in untold)]
    return Report(
        dag_id=artifacts.dag_id,
        run_id=artifacts.run_id,
        engine=job.engine or engine,
        verdict=verdict(checks, failures, job.proofs),
        source=plan.source.to_json(),
        target=plan.target.to_json(),
        started=min((stage.started for stage in stages), default=None),
        ended=pendulum.now("UTC").isoformat(timespec="milliseconds"),
        checks=checks,
        timeline=stages,
        failures=failures,
        notes=[
            *(f"Could not be read and is left out here: {note}" for note in reader.notes),
            *filter(None, [job.never_carried]),
        ],
        words=job.words,
        **found,
    )


def _throughput(lines: Sequence[Mapping[str, Any]]) -> Throughput:
    if len(lines) < 2:
        return Throughput()
    first, last = lines[0], lines[-1]
    return Throughput(
        offsets=last["offsets"] - first["offsets"],
        bytes=last["bytes"] - first["bytes"],
        seconds=round((pendulum.parse(last["at"]) - pendulum.parse(first["at"])).total_seconds(), 3),  # type: ignore[operator, union-attr]
    )


def report_text(report: Report) -> str:
    """The report for the task log."""
    if refused(report):
        return "\n".join(
            ["refused by the plan: nothing was changed", *(f"failure: {text}" for text in report.failures)]
        )
    checks = [[check.name, check.status, check.expected, check.actual, check.detail] for check in report.checks]
    topics = [
        [line.source, line.partitions, line.source_records, line.target_records, line.lost, line.duplicated,
         line.reordered, line.status, line.detail[:120]]
        for line in sorted(report.topics, key=lambda line: (line.status is Status.PASS, line.source))
    ]  # fmt: skip
    parts = [
        f"verdict: {report.verdict}",
        *(f"failure: {text}" for text in report.failures),
        *(f"note: {text}" for text in report.notes),
        table(["check", "status", "expected", "actual", "detail"], checks),
    ]
    if topics:
        head = ["topic", "partitions", "source", "target", "lost", "duplicated", "reordered", "status", "detail"]
        parts.append(table(head, topics))
    named = [f"{check.name}: {text}" for check in report.checks for text in check.differences[:20]]
    parts += ["differences:", *(f"  {text}" for text in named)] if named else []
    moved = report.throughput
    if moved.seconds:
        rate, (number, unit) = humanize.naturalsize(moved.bytes / moved.seconds), moved.counted
        parts.append(f"while waiting: {number:,} {unit} in {moved.seconds:.1f} s, about {rate}/s")
    return "\n".join(parts)
