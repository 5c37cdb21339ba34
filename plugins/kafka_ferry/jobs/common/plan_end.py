"""How a plan ends a dry run, and what tasks of one run leave for the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import DownstreamTasksSkipped

from kafka_ferry.jobs.common.tasks import FerryOperator
from kafka_ferry.report.artifacts import CHECKS_MADE, STAGES, RunArtifacts

if TYPE_CHECKING:
    from airflow.sdk import Context


def skip_the_rest(task: FerryOperator) -> DownstreamTasksSkipped:
    """What ends a dry run: nothing below is done, and no teardown has anything to take away."""
    return task.nothing_below()


def deadline_of(context: Context, seconds: float) -> float:
    """When following ends: so long after the run began, so that a retry does not make it longer."""
    started = context["dag_run"].start_date
    assert started is not None  # noqa: S101  # it is running
    return float(started.timestamp() + seconds)


def begin_shards(artifacts: RunArtifacts, task_ids: tuple[str, ...]) -> None:
    """Forget what an earlier try's mapped tasks, which may have had other shards, left behind."""
    artifacts.delete(CHECKS_MADE)
    mapped = tuple(f"{STAGES}/{task_id}." for task_id in task_ids)
    for name in list(artifacts.names(STAGES)):
        if name.startswith(mapped):
            artifacts.delete(name)


def write_checks(artifacts: RunArtifacts, made: dict[str, Any]) -> dict[str, str]:
    """Keep the checks for the report; name to status."""
    from kafka_ferry.records.job import results_digest

    artifacts.write_json(
        CHECKS_MADE,
        {name: [one.model_dump(mode="json") for one in found] for name, found in made.items()}
        | {"judged": results_digest([])},  # nothing is compared by fingerprint tasks here
    )
    return {check.name: check.status.value for check in made["checks"]}
