"""A DAG file's own tasks, executed one after the other in the DAG's order: Airflow's operators without a scheduler."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import DownstreamTasksSkipped, TaskDeferred

from kafka_ferry.report.artifacts import RunArtifacts
from tasks_by_hand import context_of

DAGS = Path(__file__).resolve().parents[2] / "dags"


class DagRunByHand:
    """One run; ``xcoms`` has what the tasks returned, by task id (of a mapped one a list).

    :param conf: what a user gives at the trigger; other params have the DAG's defaults.
    """

    def __init__(self, dag_id: str, run_id: str, **conf: Any) -> None:
        from airflow.dag_processing.dagbag import DagBag

        self.dag = DagBag(DAGS / f"{dag_id}.py").dags[dag_id]
        now = datetime.now(UTC)
        self.dag_run = SimpleNamespace(
            dag_id=dag_id, run_id=run_id, conf=conf, run_type="manual", logical_date=None, run_after=now, start_date=now
        )
        self.params = {**self.dag.params.dump(), **conf}
        self.artifacts = RunArtifacts(dag_id, run_id)
        self.xcoms: dict[str, Any] = {}

    def whole(self) -> dict[str, Any]:
        """All tasks; a teardown and the report also after a failure, which is raised then. The report.

        :raises AirflowFailException: the first one that a task failed with; with the retries that Airflow would make
            left out.
        """
        failure: Exception | None = None
        left_out: set[str] = set()
        for task in self.dag.topological_sort():
            runs_always = task.is_teardown or task.trigger_rule == "all_done"
            if task.task_id in left_out or (failure and not runs_always):
                continue
            try:
                self.xcoms[task.task_id] = self._execute(task)
            except DownstreamTasksSkipped as skipped:
                left_out |= set(skipped.tasks)
            except Exception as error:  # noqa: BLE001  # raised below, once the teardowns have run
                failure = failure or error
        if failure is not None:
            raise failure
        report: dict[str, Any] = self.artifacts.read_json("report.json") or {}
        return report

    def _execute(self, task: Any) -> Any:
        if not task.is_mapped:
            context = self._context(task.task_id)
            try:
                return task.execute(context)
            except TaskDeferred as deferred:  # it is waited for as the triggerer does
                event: Any = asyncio.run(anext(deferred.trigger.run()))
                return task.execute_complete(context, event.payload)
        ((name, values),) = task.expand_input.value.items()
        inputs = self.xcoms[values.operator.task_id]
        return [task.unmap({name: one}).execute(self._context(task.task_id, at)) for at, one in enumerate(inputs)]

    def _context(self, task_id: str, map_index: int = -1) -> Any:
        return context_of(self.dag_run, self.params, task_id, map_index)
