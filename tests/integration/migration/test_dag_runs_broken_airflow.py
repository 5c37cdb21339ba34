"""Parts of Airflow killed in mid-copy, its database locked, a worker that stands still: the run ends all the same."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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


def test_a_metadata_database_that_is_locked(runs: Runs, slow_source: Callable[[int], None]) -> None:
    run = in_mid_copy(runs, slow_source, "locked-database")
    path = Path(runs.stack.variables()["AIRFLOW_HOME"]) / "airflow.db"
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    time.sleep(20)
    connection.execute("ROLLBACK")
    connection.close()
    slow_source(0)
    passed(runs, run)
