"""From a run's artifacts to the report of a backup, a restore, or a verification of backups."""

from __future__ import annotations

import pendulum

from kafka_ferry.backup.judge import covered_checks
from kafka_ferry.report.model import BackupLine, Check, GroupLine, Report, Stage, Throughput, TopicLine, verdict
from kafka_ferry.report.run import read_stages
from kafka_ferry.report.storage import CHECKS_MADE, LEFTOVERS, PLAN, RunArtifacts

#: Tasks whose work is judged: checks that were made before one of them began are of an earlier try.
_JUDGED = ("freeze", "shards", "export", "finish", "copy", "prune", "restore", "compare", "groups", "acls", "verify")


def build_archive_report(artifacts: RunArtifacts, engine: str, own_task: str) -> Report:
    """From the run's artifacts to the report.

    :param own_task: the report's own task id, whose stage is still running.
    """
    stages = read_stages(artifacts)
    failures = [
        f"{stage.stage}: {stage.error or 'ended without a word; was its process killed? See its log'}"
        for stage in stages
        if stage.state != "success" and stage.stage != own_task
    ]
    plan = artifacts.read_json(PLAN) or {}
    sentence, checks = "", []
    made = artifacts.read_json(CHECKS_MADE) or {}
    if covered := plan.get("covered"):
        made = {}
        checks = covered_checks(covered["backup_id"], covered["created"])
        sentence = f"Nothing to do: this night is covered by backup {covered['backup_id']}, begun {covered['created']}."
    elif not _fresh(stages):
        made = {}
        failures = failures or ["validate: it made no checks"]
    checks += [Check.model_validate(check) for check in made.get("checks", [])]
    checks += [Check.model_validate(check) for check in artifacts.read_json(LEFTOVERS) or []]
    return Report(
        dag_id=artifacts.dag_id,
        run_id=artifacts.run_id,
        engine=engine,
        verdict=verdict(checks, failures),
        source=plan.get("source", {}),
        target=plan.get("target", {}),
        started=min((stage.started for stage in stages), default=None),
        ended=pendulum.now("UTC").isoformat(timespec="milliseconds"),
        checks=checks,
        topics=[TopicLine.model_validate(line) for line in made.get("topics", [])],
        groups=[GroupLine.model_validate(line) for line in made.get("groups", [])],
        timeline=stages,
        throughput=Throughput.model_validate(made.get("throughput") or {}),
        failures=failures,
        sentence=made.get("sentence") or sentence,
        backups=[BackupLine.model_validate(line) for line in made.get("backups", [])],
    )


def _fresh(stages: list[Stage]) -> bool:
    """Whether validate ended well, and after all that it judges."""
    done = next((stage for stage in stages if stage.stage == "validate"), None)
    judged = [stage.started for stage in stages if stage.stage.split("[")[0] in _JUDGED]
    return done is not None and done.state == "success" and done.started >= max(judged, default="")
