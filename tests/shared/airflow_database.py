"""Airflow's own tables in a SQLite file, and runs in them as the scheduler and the tasks' API leave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from sqlalchemy import Table, create_engine, insert
from sqlalchemy.orm import Session

from job_samples import NOW
from kafka_ferry.core.job_name import KEY, JobName


class Database:
    """:ivar session: on it. Foreign keys are not looked at: there are no tasks of the runs.

    :param now: when the runs ended that ended just now.
    """

    def __init__(self, session: Session, now: datetime = NOW) -> None:
        self.session, self.now = session, now
        self._runs: list[dict[str, Any]] = []
        self._xcoms: list[dict[str, Any]] = []

    def dag(self, dag_id: str, tag: str | None = "kafka-ferry") -> None:
        self._insert(
            DagModel,
            {"dag_id": dag_id, "bundle_name": "dags", "max_active_tasks": 16,
             "fileloc": "", "has_import_errors": False, "has_task_concurrency_limits": False, "timetable_type": "",
             "max_consecutive_failed_dag_runs": 0},
        )  # fmt: skip
        if tag:
            self._insert(DagTag, {"dag_id": dag_id, "name": tag})

    def run(
        self,
        dag_id: str,
        run_id: str,
        job: JobName | Any = None,
        verdict: str = "",
        ago: timedelta = timedelta(),
        state: str = "",
        run_type: str = "manual",
        **summary: Any,
    ) -> None:
        """A run that ended so long ago.

        :param state: default: as its verdict says. ``summary``: more of the XCom ``report``.
        """
        number, at = len(self._runs) + 1, self.now - ago
        self._runs.append(
            {"id": number, "dag_id": dag_id, "run_id": run_id, "run_type": run_type, "run_after": at,
             "state": state or ("success" if verdict == "PASS" else "failed"), "start_date": at, "clear_number": 0,
             "end_date": None if state in ("queued", "running") else at, "span_status": "not_started"}
        )  # fmt: skip
        told = job.to_json() if isinstance(job, JobName) else job
        if told is not None:
            self._xcom(number, dag_id, run_id, "plan", KEY, told, at)
        if verdict:
            value = {"schema": "kafka-ferry.report/2", "verdict": verdict, "checks": {"leftovers": "pass"}} | summary
            self._xcom(number, dag_id, run_id, "report", "report", value, at)

    def write(self) -> None:
        """What was added, at once."""
        self._insert(DagRun, *self._runs)
        self._insert(XComModel, *self._xcoms)
        self.session.commit()

    def _xcom(self, number: int, dag_id: str, run_id: str, task_id: str, key: str, value: Any, at: datetime) -> None:
        self._xcoms.append(
            {"dag_run_id": number, "dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": -1, "key": key,
             "value": value, "timestamp": at}
        )  # fmt: skip

    def _insert(self, model: Any, *rows: Mapping[str, Any]) -> None:
        table: Table = model.__table__
        if rows:
            self.session.execute(insert(table), [dict(row) for row in rows])


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """An empty one, with all of Airflow's tables."""
    engine = create_engine(f"sqlite:///{folder / 'airflow.db'}")
    import_all_models()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield Database(session)
    engine.dispose()
