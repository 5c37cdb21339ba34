"""From a run's artifacts to the report of a backup, a restore, or a verification of backups."""

from __future__ import annotations

from kafka_ferry.backup.judge import covered_checks
from kafka_ferry.report.build import assemble
from kafka_ferry.report.model import Check, Report
from kafka_ferry.report.stages import failures_of, read_stages, validated
from kafka_ferry.report.storage import CHECKS_MADE, LEFTOVERS, PLAN, RunArtifacts


def build_archive_report(artifacts: RunArtifacts, engine: str, own_task: str) -> Report:
    """From the run's artifacts to the report.

    :param own_task: the report's own task id, whose stage is still running.
    """
    stages = read_stages(artifacts)
    failures = failures_of(stages, own_task)
    plan = artifacts.read_json(PLAN) or {}
    checks: list[Check] = []
    made = artifacts.read_json(CHECKS_MADE) or {}
    if covered := plan.get("covered"):
        checks = covered_checks(covered["backup_id"], covered["created"])
        sentence = f"Nothing to do: this night is covered by backup {covered['backup_id']}, begun {covered['created']}."
        made = {"sentence": sentence}
    elif not validated(stages):
        made = {}
        failures = failures or ["validate: it made no checks"]
    found = [*made.get("checks", []), *(artifacts.read_json(LEFTOVERS) or [])]
    checks += [Check.model_validate(check) for check in found]
    return assemble(artifacts, engine, plan, stages, checks, failures, made)
