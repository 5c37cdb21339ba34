"""Runs read from Airflow's own tables: those the user may read, of any version, ten thousand of them in a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_database import Database, database
from job_samples import NOW
from kafka_ferry.core.checks import CHECKS
from kafka_ferry.core.job_name import JobName
from kafka_ferry.report.job_list import JobLine, job_lines
from kafka_ferry.report.job_page import JobLinks, render_jobs
from kafka_ferry.report.job_runs import known_runs

FLIGHTS = JobName(kind="copy", name="flights")
LINKS = JobLinks("s", "l", "r", "d", "t")


@pytest.fixture
def airflow(tmp_path: Path) -> Iterator[Database]:
    with database(tmp_path) as made:
        yield made


def lines(airflow: Database, *readable: str, **more: Any) -> list[JobLine]:
    found = known_runs(airflow.session, lambda dag_id: not readable or dag_id in readable, **more)
    return job_lines(found.runs, NOW)


def test_runs_of_our_dags_and_of_those_that_said_what_they_are_of(airflow: Database) -> None:
    airflow.dag("mm2")
    airflow.dag("own", tag=None)
    airflow.dag("nightly")
    airflow.dag("stranger", tag="etl")
    airflow.run("mm2", "a", FLIGHTS, "PASS", timedelta(days=1), goes_on=True, checks={"leftovers": "skipped"})
    airflow.run("own", "b", FLIGHTS, "FAIL", timedelta(hours=1), checks={"leftovers": "fail"})
    airflow.run("nightly", "c", None, state="queued", run_type="scheduled")
    airflow.run("stranger", "d", None, "PASS")
    airflow.write()
    found = known_runs(airflow.session, lambda dag_id: True)
    assert {run.dag_id for run in found.runs} == {"mm2", "own", "nightly"}
    assert {run.dag_id for run in found.runs if run.by_itself} == {"nightly"}
    assert not found.more
    by_dag = {line.dag_id: line for line in job_lines(found.runs, NOW)}
    assert by_dag["mm2"].kept
    assert by_dag["mm2"].latest
    assert by_dag["mm2"].latest.told == NOW - timedelta(days=1)
    assert (by_dag["own"].verdict, by_dag["own"].left is not None) == ("FAIL", True)
    assert (by_dag["nightly"].job, by_dag["nightly"].now) == (None, "queued")


@pytest.mark.parametrize("stopped", [["mm2.flights.MirrorSourceConnector"], "damaged", {"a": 1}, None])
def test_what_a_run_stopped_is_known_of_it(airflow: Database, stopped: Any) -> None:
    airflow.dag("mm2")
    airflow.run("mm2", "a", FLIGHTS, "PASS", timedelta(days=2), goes_on=True, checks={"leftovers": "skipped"})
    airflow.dag("cutover")
    more = {} if stopped is None else {"stopped": stopped}
    airflow.run("cutover", "b", FLIGHTS, "PASS", timedelta(days=1), **more)
    airflow.write()
    line = next(one for one in lines(airflow) if one.dag_id == "mm2")
    ended = isinstance(stopped, list)
    assert (line.kept is None, line.stopped is not None) == (ended, ended)


def test_of_a_dag_that_may_not_be_read_nothing_is_known(airflow: Database) -> None:
    for dag_id in ("mine", "theirs"):
        airflow.dag(dag_id)
        airflow.run(dag_id, "r", FLIGHTS, "PASS")
    airflow.write()
    found = known_runs(airflow.session, lambda dag_id: dag_id == "mine")
    assert {run.dag_id for run in found.runs} == {"mine"}
    assert known_runs(airflow.session, lambda dag_id: False).runs == []


def test_no_run_at_all(airflow: Database) -> None:
    assert lines(airflow) == []
    airflow.dag("mm2")
    airflow.write()
    assert lines(airflow) == []


def test_runs_of_an_earlier_version_have_a_verdict_and_no_name(airflow: Database) -> None:
    airflow.dag("mm2")
    airflow.run("mm2", "a", None, "FAIL", timedelta(days=2), schema="kafka-ferry.report/1")
    airflow.run("mm2", "b", None, "PASS", timedelta(days=1), checks={})
    airflow.write()
    (line,) = lines(airflow)
    assert (line.job, line.runs, line.verdict) == (None, 2, "PASS")


@pytest.mark.parametrize(
    "value",
    [
        "s3://xcoms/of/another/backend",
        [1],
        {"verdict": "PASS"},
        {"schema": "mine/1", "verdict": "PASS"},
        {"schema": ["kafka-ferry.report/2"], "verdict": "PASS"},
    ],
)
def test_what_others_call_report_is_no_verdict(airflow: Database, value: Any) -> None:
    airflow.dag("mm2")
    airflow.run("mm2", "a", FLIGHTS, state="success")
    airflow._xcom(1, "mm2", "a", "their_task", "report", value, NOW)
    airflow.write()
    (line,) = lines(airflow)
    assert (line.verdict, line.now) == ("", "no report")


def test_a_summary_that_is_damaged_proves_nothing(airflow: Database) -> None:
    airflow.dag("mm2")
    airflow.run(
        "mm2", "a", {"schema": "kafka-ferry.job/1", "name": 7}, "EVERYTHING", checks=["leftovers"], goes_on="no"
    )
    airflow.write()
    (line,) = lines(airflow)
    assert (line.job, line.verdict, line.kept, line.left) == (None, "FAIL", None, None)


def test_of_two_reports_in_a_run_the_younger_counts(airflow: Database) -> None:
    airflow.dag("mm2")
    airflow.run("mm2", "a", FLIGHTS, "PASS", timedelta(days=1))
    older = {"schema": "kafka-ferry.report/2", "verdict": "FAIL"}
    airflow._xcom(1, "mm2", "a", "group.report", "report", older, NOW - timedelta(days=2))
    airflow.write()
    (line,) = lines(airflow)
    assert line.verdict == "PASS"


def test_only_the_youngest_runs_are_looked_at_and_it_says_so(airflow: Database) -> None:
    airflow.dag("mm2")
    for number in range(12):
        airflow.run("mm2", f"r{number}", FLIGHTS.model_copy(update={"name": f"m{number}"}), "PASS")
    airflow.write()
    found = known_runs(airflow.session, lambda dag_id: True, most=10)
    assert ([run.run_id for run in found.runs], found.more) == ([f"r{number}" for number in range(11, 1, -1)], True)
    assert all(run.job and run.outcome for run in found.runs)
    assert not known_runs(airflow.session, lambda dag_id: True, most=12).more


@pytest.mark.parametrize("jobs", [50, 10_000])
def test_ten_thousand_runs_are_a_page_in_a_second(airflow: Database, jobs: int) -> None:
    for number in range(10):
        airflow.dag(f"dag_{number}")
    checks = dict.fromkeys(CHECKS, "pass")
    for number in range(10_000):
        verdict = "PASS" if number % 7 else "FAIL"
        airflow.run(
            f"dag_{number % 10}", f"manual__{number}", FLIGHTS.model_copy(update={"name": f"m-{number % jobs}"}),
            verdict, timedelta(minutes=number), checks=checks, failures=["x" * 300] * (verdict == "FAIL"),
            path=f"/opt/airflow/artifacts/dag/manual__{number}/report.json", pages="0" * 32, topics=30, groups=40,
        )  # fmt: skip
    airflow.write()
    took = []
    for _ in range(3):
        began = time.process_time()
        found = known_runs(airflow.session, lambda dag_id: True)
        html = render_jobs(job_lines(found.runs, NOW), LINKS, NOW, 30)
        took.append(time.process_time() - began)
    print(f"{jobs:,} jobs with 10,000 runs: {min(took):.2f} s of CPU, {len(html):,} characters")
    assert len(found.runs) == 10_000
    assert html.count('<tr><th scope="row">') == min(jobs, 100)
    assert min(took) < 1
