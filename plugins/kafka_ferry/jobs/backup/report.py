"""From a run's artifacts to the report of a backup, a restore, or a verification of backups."""

from __future__ import annotations

from collections.abc import Collection

from kafka_ferry.core.checks import Check, Report
from kafka_ferry.jobs.backup.rules.judge import covered_checks
from kafka_ferry.jobs.backup.rules.plan import CoveredPlan
from kafka_ferry.report.artifacts import CHECKS_MADE, LEFTOVERS, RunArtifacts
from kafka_ferry.report.build import assemble, checks_in, checks_made
from kafka_ferry.report.reading import Reader
from kafka_ferry.report.reported_job import ReportedJob
from kafka_ferry.report.stages import Tasks, failures_of, first_undone, read_stages, validated


def build_archive_report(
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
    :param tasks: what Airflow says of the run's tasks.
    :param judged: names of the tasks whose work validate judges.
    """
    reader = Reader(artifacts)
    stages = read_stages(reader)
    failures = failures_of(stages, own_task, tasks)
    plan = reader.plan(CoveredPlan)
    checks: list[Check] = []
    made = checks_made(reader)
    if covered := plan.covered:
        checks = covered_checks(covered.backup_id, covered.created)
        by = f"{covered.backup_id}, begun {covered.created}"
        sentence = f"Nothing to do: this data interval is covered by backup {by}."
        made = {"sentence": sentence}
    elif not validated(stages, judged):
        made = {}
        failures = failures or [first_undone(tasks or {}, own_task) or "validate: it wrote no checks"]
    checks += checks_in(reader, CHECKS_MADE, made.get("checks", []))
    checks += checks_in(reader, LEFTOVERS, reader.sequence(LEFTOVERS))
    return assemble(reader, artifacts, engine, job, plan, stages, checks, failures, made)
