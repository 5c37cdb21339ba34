"""The shape of the backup DAGs: what runs after what, and that nobody is surprised by a schedule."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pendulum
import pytest
from airflow.sdk import DAG
from airflow.timetables import trigger
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

from dag_pages import tasks_of

DAGS = Path(__file__).resolve().parents[2] / "dags"


def load(name: str) -> DAG:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS / f"{name}.py")
    assert bag.import_errors == {}
    return bag.dags[name]


@pytest.fixture(scope="module")
def backup() -> DAG:
    return load("backup_topics")


def test_the_edges_of_a_backup_are_those_of_the_docstring(backup: DAG) -> None:
    order = tasks_of(backup)[0]
    assert set(order) == set(backup.task_dict)
    edges = {(task.task_id, after) for task in backup.tasks for after in task.downstream_task_ids}
    # The mapped task also depends on its shards, as it does in the chain.
    assert edges == set(pairwise(order))


def test_a_nightly_dag_ships_paused_and_catches_up_on_nothing(backup: DAG) -> None:
    assert backup.is_paused_upon_creation is True
    assert backup.catchup is False
    assert backup.max_active_runs == 1
    assert backup.schedule == "0 2 * * *"


def test_when_airflow_makes_a_run_unasked(backup: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/backup_topics.md says: by Airflow's own timetable of this schedule, at 15:00 on the 29th.

    What Airflow calls the last automated run may be one of a backfill (``_get_latest_runs_stmt``).
    """
    monkeypatch.setattr(trigger, "utcnow", lambda: pendulum.datetime(2026, 11, 29, 15))
    timetable = CronTriggerTimetable(str(backup.schedule), timezone="UTC")

    def next_after(day: int | None) -> int:
        last = DataInterval.exact(pendulum.datetime(2026, 11, day, 2)) if day else None
        restriction = TimeRestriction(backup.start_date, backup.end_date, backup.catchup)
        made = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert made is not None
        assert made.data_interval is not None
        assert made.data_interval.start == made.data_interval.end == made.run_after
        return made.run_after.day

    assert next_after(None) == 30, "its first run is not made for a night that has gone"
    assert next_after(25) == 29, "the last night's only, after a pause or a backfill that ended with the 25th"
    assert next_after(29) == 30, "a backfill that ends with the last night brings none"


def test_scheduled_runs_need_no_params(backup: DAG) -> None:
    backup.params.validate()


def test_every_task_is_retried_and_the_report_always_made(backup: DAG) -> None:
    assert {task.retries for task in backup.tasks} == {2}
    assert backup.task_dict["report"].is_teardown
    assert [task.task_id for task in backup.tasks if task.is_mapped] == ["export"]


@pytest.mark.parametrize("name", ["restore_topics", "verify_backup"])
def test_the_chain_is_that_of_the_docstring(name: str) -> None:
    dag = load(name)
    order = tasks_of(dag)[0]
    assert set(order) == set(dag.task_dict)
    edges = {(task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids}
    assert set(pairwise(order)) <= edges
    assert {task.retries for task in dag.tasks} == {2}
    assert [task.task_id for task in dag.leaves] == ["report"]


def test_a_restore_puts_back_what_it_held_also_when_provision_fails() -> None:
    dag = load("restore_topics")
    assert {task.task_id for task in dag.tasks if task.is_setup} == {"plan", "provision"}
    assert [task.task_id for task in dag.tasks if task.is_teardown] == ["release", "report"]
    assert dag.task_dict["release"].upstream_task_ids >= {"plan", "provision"}
    assert dag.task_dict["release"].on_failure_fail_dagrun is True
    for task in ("shards", "restore", "compare", "groups", "acls", "validate"):
        cleared = dag.partial_subset(task, include_upstream=False, include_downstream=False)
        assert set(cleared.task_dict) == {task, "plan", "provision", "release"}


def test_verification_is_weekly_and_ships_paused() -> None:
    dag = load("verify_backup")
    assert (dag.is_paused_upon_creation, dag.catchup, dag.max_active_runs) == (True, False, 1)
    assert dag.schedule == "0 5 * * 0"
    dag.params.validate()
