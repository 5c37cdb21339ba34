"""Airflow's operators executed one by one, without a scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.context import OutletEventAccessors

from kafka_ferry.report.artifacts import RunArtifacts

#: As in the DAGs.
TEARDOWNS = ("remove", "release")


def context_of(
    dag_run: Any,
    params: dict[str, Any],
    task_id: str,
    map_index: int = -1,
    xcom_push: Callable[..., Any] = lambda **_: None,
) -> Any:
    """What our tasks use of Airflow's context."""
    ti = SimpleNamespace(
        task_id=task_id,
        map_index=map_index,
        try_number=1,
        xcom_push=xcom_push,
        xcom_pull=lambda **_: None,
        get_dr_count=lambda **_: 0,  # Airflow knows of no other run
    )
    return {"dag_run": dag_run, "params": params, "ti": ti, "outlet_events": OutletEventAccessors()}


class TasksByHand:
    """One run of a DAG; it remembers all that a user could see of it.

    :ivar seen: XComs, rendered fields and triggers, as text.
    :ivar others: ids of runs that Airflow says are at work.
    """

    def __init__(self, dag_id: str, run_id: str, engine: str, params: dict[str, Any]) -> None:
        self.dag_id, self.run_id, self.engine, self.params = dag_id, run_id, engine, params
        self.seen: list[str] = []
        self.others: set[str] = set()

    @property
    def artifacts(self) -> RunArtifacts:
        return RunArtifacts(self.dag_id, self.run_id)

    def context(self, task_id: str) -> Any:
        run = SimpleNamespace(dag_id=self.dag_id, run_id=self.run_id, conf=self.params)
        made = context_of(run, self.params, task_id, xcom_push=lambda **kw: self.seen.append(str(kw)))
        made["ti"].get_dr_count = lambda **asked: len(self.others & set(asked["run_ids"]))
        return made

    def written(self, name: str) -> dict[str, Any]:
        """A JSON artifact that a task of this run has written."""
        found = self.artifacts.read_json(name)
        assert isinstance(found, dict), f"{name}: {found}"
        return found

    def do(self, kind: type[Any], task_id: str, **more: Any) -> Any:
        """Execute a task; a deferred one is waited for as the triggerer does."""
        with DAG(self.dag_id, schedule=None):  # the report asks its DAG which tasks there are
            operator = kind(task_id=task_id, engine=self.engine, **more)
            if task_id in TEARDOWNS:
                operator.as_teardown()
        context = self.context(task_id)
        try:
            result = operator.execute(context)
        except TaskDeferred as deferred:
            self.seen.append(str(deferred.trigger.serialize()))
            event: Any = asyncio.run(anext(deferred.trigger.run()))
            result = operator.execute_complete(context, event.payload)
        self.seen.append(str(result))
        self.seen += [str(getattr(operator, field)) for field in operator.template_fields]
        return result
