"""The stages of a run: when each task worked, which broke, and whether what was judged is still true."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from kafka_ferry.core.checks import Stage
from kafka_ferry.report.artifacts import STAGES
from kafka_ferry.report.reading import Reader

Tasks = Mapping[str, str | None]
"""Airflow's own states of the run's tasks, by stage name, in the DAG's order; empty where nobody could be asked."""

#: Airflow's states of a task that has ended, was never begun, and is not the reason itself.
_LEFT_OUT: Final = ("skipped", "upstream_failed", "removed", None)


def read_stages(reader: Reader) -> list[Stage]:
    """The timeline, in order of start; mapped tasks are one stage each."""
    stages = []
    for name, entry in reader.mappings(STAGES):
        if name in reader.damaged:
            continue
        index = re.search(r"\.(\d+)\.json$", name)
        try:
            stages.append(_stage(entry, f"[{index[1]}]" if index else ""))
        except (ValidationError, ValueError, KeyError, TypeError):
            reader.note(name, "is not the note of a stage")
    return sorted(stages, key=lambda stage: stage.started)


def _stage(entry: Mapping[str, Any], index: str) -> Stage:
    stage = Stage(**{key: value for key, value in entry.items() if key != "try_number"} | {
        "stage": str(entry["stage"]) + index})  # fmt: skip
    for text in (stage.started, *([stage.ended] if stage.ended else [])):
        datetime.fromisoformat(text)
    return stage


def failures_of(stages: list[Stage], own_task: str, tasks: Tasks | None = None) -> list[str]:
    """What broke, in words, in the order of the work. A stage's own notes, and what Airflow says of its task.

    :param own_task: the report's own task id, whose stage is still running.
    """
    tasks = tasks or {}
    noted = {stage.stage: stage for stage in stages if stage.stage != own_task}
    # Those that Airflow does not know come first: it forgets none, so the names are of an earlier version.
    order = [*(name for name in noted if name not in tasks), *(name for name in tasks if name != own_task)]
    found = ((name, _problem(noted.get(name), tasks.get(name))) for name in order)
    return [f"{name}: {problem}" for name, problem in found if problem]


def first_undone(tasks: Tasks, own_task: str) -> str | None:
    """The first task of the DAG that did not do its work though none failed, in words; None: each did."""
    for name, state in tasks.items():
        if name != own_task and state in _LEFT_OUT:
            return f"{name}: it did not do its work (in Airflow: {state or 'not started'})"
    return None


def _problem(stage: Stage | None, state: str | None) -> str:
    """Why the work of a task is not done; empty: it is, or it was left out because of another."""
    if stage is None:
        return "it never started (in Airflow: failed). Fix: see its log in Airflow, then clear it" * (state == "failed")
    if stage.state == "failed":
        return stage.error or "it ended without a message; see its log"
    if stage.state == "success":
        return (
            "its last try never started (in Airflow: failed). Fix: see its log in Airflow, then clear it"
            if state == "failed"
            else ""
        )
    if state == "failed" and stage.state == "deferred":
        return "it was stopped while it waited: a user marked it, or the run, as failed; Airflow's audit log shows who"
    if state in ("success", "skipped"):
        return f"it was marked as {state} in Airflow before it had finished"
    return "ended without a message; was its process killed, or the run marked as failed? See its log"


def validated(stages: list[Stage], judged: Collection[str]) -> bool:
    """Whether validate ended well, and began after all that it judges: else its checks are of an earlier try.

    :param judged: names of the tasks whose work it judges.
    """
    done = next((stage for stage in stages if stage.stage == "validate"), None)
    begun = [stage.started for stage in stages if stage.stage.split("[")[0] in judged]
    return done is not None and done.state == "success" and done.started >= max(begun, default="")
