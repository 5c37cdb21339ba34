"""Parts of Airflow killed in mid-copy, a locked database, a worker or a task that stands still."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from dag_runs import Runs, fill
from demo.airflow_api import AirflowApi
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(600)]

RECORDS = 20_000
AWAY = 15  # seconds


@pytest.fixture
def runs(airflow_stack: Stack, airflow_api: AirflowApi) -> Iterator[Runs]:
    yield Runs(airflow_stack, airflow_api)
    airflow_stack.up()


def in_mid_copy(runs: Runs, slow_source: Callable[[int], None], name: str) -> str:
    """A run whose copy has begun and waits in the triggerer."""
    topic = name.replace("-", ".")
    fill(runs.stack.source_bootstrap, topic, RECORDS)
    slow_source(50_000)
    run = runs.trigger(name, topics=[topic])
    runs.until(run, lambda: 0 < runs.copied(run) < RECORDS)
    return run


def passed(runs: Runs, run: str) -> None:
    begun = time.monotonic()
    state = runs.wait(run)
    report = runs.report(run)
    print(f"{run}: over {time.monotonic() - begun:.0f} s after the part was back")
    assert (state, report["verdict"]) == ("success", "PASS"), report["failures"]
    (line,) = report["topics"]
    assert (line["target_records"], line["lost"], line["duplicated"]) == (RECORDS, 0, 0)
    runs.nothing_is_left(run)


@pytest.mark.parametrize("part", ["triggerer", "scheduler", "api-server"])
def test_a_part_that_is_killed_in_mid_copy(runs: Runs, slow_source: Callable[[int], None], part: str) -> None:
    run = in_mid_copy(runs, slow_source, f"killed-{part}")
    service = runs.stack.service(f"airflow-{part}")
    service.kill9()
    time.sleep(AWAY)
    service.restart()
    slow_source(0)
    passed(runs, run)


def test_a_worker_that_stands_still_in_mid_copy(runs: Runs, slow_source: Callable[[int], None]) -> None:
    run = in_mid_copy(runs, slow_source, "frozen-worker")
    runs.stack.worker.pause()
    time.sleep(AWAY)
    runs.stack.worker.resume()
    slow_source(0)
    passed(runs, run)


@pytest.mark.parametrize("task", ["plan", "validate"])
def test_a_task_that_stands_still_for_a_while(runs: Runs, task: str) -> None:
    """SIGSTOP: its supervisor goes on to tell Airflow that it lives."""
    run = stands_still(runs, f"frozen-{task}", task)
    time.sleep(AWAY)
    runs.kill(run, task, signal.SIGCONT)
    passed(runs, run)


def test_a_task_that_stands_still_for_good_is_ended_by_a_clear(runs: Runs) -> None:
    run = stands_still(runs, "frozen-for-good", "validate")
    pid = runs.pid(run, "validate")
    runs.clear(run, "validate", wait=False)
    passed(runs, run)
    assert not psutil.pid_exists(pid)


def stands_still(runs: Runs, name: str, task: str) -> str:
    topic = name.replace("-", ".")
    fill(runs.stack.source_bootstrap, topic, RECORDS)
    run = runs.trigger(name, topics=[topic])
    runs.until(run, lambda: runs.kill(run, task, signal.SIGSTOP))
    return run


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Nobody else reads or writes what Airflow knows of runs and tasks."""
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.exec_driver_sql("LOCK TABLE dag_run, task_instance, trigger IN ACCESS EXCLUSIVE MODE")
            with engine.connect() as other, pytest.raises(OperationalError, match="lock timeout"):
                other.exec_driver_sql("SET lock_timeout = '500ms'")
                other.exec_driver_sql("SELECT 1 FROM dag_run")
        yield
        connection.rollback()
    engine.dispose()


def test_a_metadata_database_that_is_locked(runs: Runs, slow_source: Callable[[int], None]) -> None:
    run = in_mid_copy(runs, slow_source, "locked-database")
    with locked(runs.stack.variables()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]):
        time.sleep(20)
    slow_source(0)
    passed(runs, run)
