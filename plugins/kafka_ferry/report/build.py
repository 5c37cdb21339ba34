"""From a run's artifacts to its report, and to the text of the task log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import humanize
import pendulum

from kafka_ferry.report.model import CHECKS, Check, Report, Stage, Status, Throughput, complete, verdict
from kafka_ferry.report.stages import failures_of, read_stages, validated
from kafka_ferry.report.storage import CANARY, CHECKS_MADE, LEFTOVERS, PLAN, PROGRESS, RunArtifacts, read_results
from kafka_ferry.report.table import table
from kafka_ferry.report.view import refused
from kafka_ferry.verification.job import results_digest

#: Why checks of the checklist are not made by this DAG. Each reason is shown to the user.
_NOT_MADE = {
    "quotas": "this version does not carry quotas",
    "scram_users": "Kafka does not give SCRAM secrets out: users must be made on the target",
}


def build_report(artifacts: RunArtifacts, engine: str, own_task: str, checklist: Sequence[str] = CHECKS) -> Report:
    """From the run's artifacts to the report.

    :param own_task: the report's own task id, whose stage is still running.
    :param checklist: names of the checks that such a run is to make.
    """
    stages = read_stages(artifacts)
    failures = failures_of(stages, own_task)
    made = artifacts.read_json(CHECKS_MADE) if not failures or validated(stages) else None
    found = [*(made or {}).get("checks", [])]
    found += [check for name in (CANARY, LEFTOVERS) for check in artifacts.read_json(name) or []]
    plan = artifacts.read_json(PLAN) or {}
    role = plan.get("service_role") or plan.get("engine", {}).get("service_role")
    found += [role["check"]] if role else []
    checks = complete(
        [Check.model_validate(check) for check in found],
        _NOT_MADE,
        "the run ended before this check",
        checklist,
    )
    if made is None and not failures:
        failures = ["validate: it made no checks"]
    elif made and made["judged"] != results_digest(read_results(artifacts)):
        failures.append("validate: records were compared anew since. Cure: clear validate with its downstream tasks")
    throughput = _throughput(artifacts)
    return assemble(artifacts, engine, plan, stages, checks, failures, (made or {}) | {"throughput": throughput})


def assemble(
    artifacts: RunArtifacts,
    engine: str,
    plan: Mapping[str, Any],
    stages: list[Stage],
    checks: list[Check],
    failures: list[str],
    made: Mapping[str, Any],
) -> Report:
    """The report of what is known.

    :param made: what validate found beside the checks, by the report's own names.
    """
    found = {name: made[name] for name in ("topics", "groups", "backups", "throughput", "sentence") if made.get(name)}
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
        timeline=stages,
        failures=failures,
        **found,
    )


def _throughput(artifacts: RunArtifacts) -> Throughput:
    lines = artifacts.read_lines(PROGRESS)
    if len(lines) < 2:
        return Throughput()
    first, last = lines[0], lines[-1]
    return Throughput(
        records=last["records"] - first["records"],
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
        table(["check", "status", "expected", "actual", "detail"], checks),
    ]
    if topics:
        head = ["topic", "partitions", "source", "target", "lost", "duplicated", "reordered", "status", "detail"]
        parts.append(table(head, topics))
    named = [f"{check.name}: {text}" for check in report.checks for text in check.differences[:20]]
    parts += ["differences:", *(f"  {text}" for text in named)] if named else []
    moved = report.throughput
    if moved.seconds:
        rate = humanize.naturalsize(moved.bytes / moved.seconds)
        parts.append(f"while waiting: {moved.records:,} records in {moved.seconds:.1f} s, about {rate}/s")
    return "\n".join(parts)
